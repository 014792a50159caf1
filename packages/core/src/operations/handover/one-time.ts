/**
 * The one-time identity of a request: what the releases are sealed to. It lies on the machine of the person who asked, sealed to that
 * person, and nowhere else; it is saved before the request is written, and destroyed once nothing needs it any more.
 */
import { VaultError } from '../../errors.js';
import { delivered, stageOf, type Handover } from '../../handover/state.js';
import { identityLines } from '../../primitives/age-identity.js';
import { ageDecrypt, ageEncrypt, generateAgeIdentity, identityToRecipient } from '../../primitives/age.js';
import { utf8 } from '../../primitives/hash.js';
import { Secret } from '../../secret.js';
import type { Vault } from '../../vault.js';
import { versionByDigest } from './find.js';

function folder(vault: Vault): string {
  return `vaults/${vault.id}/handovers/`;
}

export interface OneTime {
  readonly identity: Secret;
  readonly recipient: string;
}

export async function makeOneTime(vault: Vault): Promise<OneTime> {
  const line = await generateAgeIdentity({ pq: vault.policy.policy.suite === 'hybrid' });
  return { identity: Secret.fromText(line), recipient: await identityToRecipient(line) };
}

/** Durable before it resolves. `id`: of the entry that is about to be written. */
export async function saveOneTime(vault: Vault, id: string, oneTime: OneTime): Promise<void> {
  const { card } = vault.requireEnrolled();
  const text = oneTime.identity.useText((line) => utf8(`# one-time identity of handover ${id}, vault ${vault.id}\n# public key: ${oneTime.recipient}\n${line}\n`));
  await vault.local.write(pathOf(vault, id), await ageEncrypt(text, [card.recipient]));
  text.fill(0);
}

function pathOf(vault: Vault, id: string): string {
  return `${folder(vault)}${id}.age`;
}

/** Throws IDENTITY_NOT_FOUND where it is not on this machine (any more), IDENTITY_INVALID where it is another. */
export async function loadOneTime(vault: Vault, handover: Handover): Promise<Secret> {
  const short = handover.digest.slice(0, 8);
  const file = await vault.local.read(pathOf(vault, handover.digest));
  if (!file) {
    throw new VaultError('IDENTITY_NOT_FOUND', `the one-time identity of handover ${short} is not on this machine`, {
      hint: `It lies where ${handover.by.person} asked (device ${handover.by.device}). If that is lost, ask anew: oxp-vault handover request`,
    });
  }
  const plain = await vault.requireEnrolled().age.useText((line) => ageDecrypt(file, [line]));
  const [line] = identityLines(new TextDecoder().decode(plain));
  plain.fill(0);
  if (line === undefined || (await identityToRecipient(line)) !== handover.request.recipient) {
    throw new VaultError('IDENTITY_INVALID', `what this machine keeps as the one-time identity of handover ${short} is not the one that the request names`, {
      hint: 'Ask anew: oxp-vault handover request',
    });
  }
  return Secret.fromText(line);
}

export async function hasOneTime(vault: Vault, id: string): Promise<boolean> {
  return (await vault.local.read(pathOf(vault, id))) !== undefined;
}

export async function destroyOneTime(vault: Vault, id: string): Promise<void> {
  await vault.local.remove(pathOf(vault, id));
}

/**
 * True once nothing that was released has to be opened again: what was delivered is acknowledged, or nothing was. Until the new
 * custodians have said that their shares open, it is the only other way to the value.
 */
export function isSpent(vault: Vault, handover: Handover): boolean {
  const stage = stageOf(handover);
  if (stage === 'open') return false;
  return delivered(handover).every((outcome) => outcome.new === null || !versionByDigest(vault, outcome.new).pending);
}

/** Destroys those that are spent. Gives their handovers. A use is spent only when its receiver has got the value: see `completeHandover`. */
export async function destroySpent(vault: Vault): Promise<string[]> {
  const gone: string[] = [];
  for (const path of await vault.local.list(folder(vault))) {
    const id = path.slice(folder(vault).length, -'.age'.length);
    const handover = vault.state.handovers.handovers.get(id);
    if (!handover || !isSpent(vault, handover) || (handover.request.mode === 'use' && handover.receipt)) continue;
    await destroyOneTime(vault, id);
    gone.push(id);
  }
  return gone;
}
