/** docs/format.md is enough to write another implementation: format-reader.py is one, and reads what the library writes. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, it } from 'vitest';
import { parseEntry } from '../../packages/core/src/audit/entry.js';
import { directoryStore, fsLocalState, initialPolicy, initVault, openSecrets, sealBatch, Secret, type JsonObject, type Vault } from '../../packages/core/src/index.js';
import { walkLog } from '../../packages/core/src/operations/log/walk.js';
import { mustRun, run } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { clock, person } from '../support/vaults.js';

const READER = fileURLToPath(new URL('format-reader.py', import.meta.url));

let directory: string;
let vault: Vault;
beforeEach(async () => {
  directory = join(tempDir('format'), 'vault');
  const [alice, bob] = await Promise.all([person('alice'), person('bob', { device: 'desk' })]);
  const policy = initialPolicy({
    name: 'demo', suite: 'x25519', nonce: '5a'.repeat(32), cards: [alice.card, bob.card],
    admins: { need: 1, of: ['alice'] }, roles: { infra: ['alice', 'bob'] }, defaultRole: 'infra',
  });
  vault = await initVault({ store: directoryStore(directory), local: fsLocalState(join(directory, '..', 'local')), identity: alice, clock: clock() }, policy);
  await seal('docs/a', { note: 'é "q" \\ / \u2028 \u007f', nested: { b: [1, { z: true, a: null }], a: -1 } });
  // Too large for a leaf: its body goes into an object.
  await seal('docs/large', { note: 'x'.repeat(70_000) });
  await openSecrets(vault, { secrets: [{ name: 'docs/a' }], purpose: 'a look' });
});

async function seal(name: string, parts: JsonObject): Promise<void> {
  await vault.append(await sealBatch(vault, [{ name, kind: 'document', file: Secret.fromText('value'), parameters: {}, public: parts, origin: 'imported' }]));
}

describeWith(['python3', 'openssl'], 'a reader written from docs/format.md', ({ python3, openssl }) => {
  it('verifies a vault, and reads the same log', async () => {
    const { text } = await mustRun(python3, [READER, directory, openssl]);
    const last = (await walkLog(vault)).at(-1)!;
    expect(JSON.parse(text)).toEqual({
      vault: vault.id,
      ...vault.point,
      ops: ['vault.init', 'role.epoch', 'role.grant', 'role.grant', 'secret.seal', 'secret.seal (object)', 'secret.open'],
      secrets: { 'docs/a': 1, 'docs/large': 1 },
      lastEntry: parseEntry(last.data).digest,
    });
  });

  it('is no rubber stamp: one byte more in a sealed file, and it says so', async () => {
    const [path] = await vault.store.list('secrets/docs/a/');
    appendFileSync(join(directory, path!), 'x');
    const { code, stderr } = await run(python3, [READER, directory, openssl]);
    expect(code).not.toBe(0);
    expect(stderr).toContain(`${path} is what was signed`);
  });
});
