/** A vault as one person makes it, for tests of commands. */
import { join } from 'node:path';
import { loadLog, nothingKnown } from '../../packages/core/src/engine/load.js';
import { writeRun } from '../../packages/core/src/engine/append.js';
import { parseIdentity } from '../../packages/core/src/policy/identity.js';
import { directoryStore, fsLocalState } from '../../packages/core/src/stores/index.js';
import { Vault } from '../../packages/core/src/vault.js';
import type { SignedEntry } from '../../packages/core/src/audit/entry.js';
import { readFileSync } from 'node:fs';
import { type Sandbox, sandbox } from '../support/sandbox.js';
import { mustRunMain } from './harness.js';

export interface TestVault {
  readonly alice: Sandbox;
  /** Where the vault is. */
  readonly directory: string;
  /** As the library sees it, with alice's identity. */
  open(): Promise<Vault>;
}

/** Alice alone, one password sealed: entries 0 to 3. */
export async function vaultOfAlice(): Promise<TestVault> {
  const alice = sandbox('alice');
  await mustRunMain(alice, ['identity', 'create', '--device', 'laptop', '--no-passphrase']);
  await mustRunMain(alice, ['init', '--name', 'platform']);
  await mustRunMain(alice, ['seal']);
  const directory = join(alice.work, 'vault');
  const open = async (): Promise<Vault> =>
    Vault.open({
      store: directoryStore(directory),
      local: fsLocalState(alice.at('.local', 'state', 'oxp-vault')),
      identity: await parseIdentity(readFileSync(alice.at('.config', 'oxp-vault', 'identity.age'), 'utf8')),
    });
  return { alice, directory, open };
}

/** Appends without asking whether it is allowed, as only an insider with a client of their own does. */
export async function forceAppend(vault: Vault, entry: SignedEntry): Promise<void> {
  const loaded = await loadLog(vault.store, async () => ({ known: nothingKnown, vouched: [] }));
  const { card, signingKey } = vault.requireEnrolled();
  if (!(await writeRun(vault.store, loaded, vault.id, [entry], [], { person: card.person, device: card.device, key: signingKey }))) throw new Error('somebody was first');
}
