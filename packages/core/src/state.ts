/**
 * The state of a vault is a fold over its log: `leaves.reduce(apply, emptyState)`. `apply` is pure and total: whatever the leaf,
 * it returns the next state. A leaf that is refused is void: kept, without effect, reported.
 */
import { parseEntry, verifyEntry, entryBody, type Entry } from './audit/entry.js';
import { refusal, VaultError, type Refusal } from './errors.js';
import { OPS, type OpContext } from './ops.js';
import { parseCard } from './policy/card.js';
import { checkPolicyFile } from './policy/policy.js';
import type { PolicyState, Signer } from './policy/state.js';
import type { VaultState } from './vault-state.js';

export { emptyState, type VaultState, type VoidLeaf } from './vault-state.js';

/** Leaf data with the files that entries may name: policy files and objects, by SHA-256. */
export interface Leaf {
  readonly data: Uint8Array;
  file(sha256: string): Uint8Array | undefined;
}

/** The next state. Never throws for what a leaf contains. */
export function apply(state: VaultState, leaf: Leaf): VaultState {
  return step(state, leaf).state;
}

/** The next state, and whether the leaf is truly its claimed signer's: what is not says nothing about that person. */
export function step(state: VaultState, leaf: Leaf): { readonly state: VaultState; readonly authentic: boolean } {
  const { next, entry, refused, authentic } = judge(state, leaf);
  // The digest does not cover the signature. A copy with a bad one must not use up the digest before the true entry lands.
  const digests = entry && authentic ? state.digests.add(entry.digest) : state.digests;
  const size = state.size + 1;
  if (!refused) return { state: { ...next, size, digests }, authentic };
  const { code, message } = refused;
  const spent = entry && authentic && code !== 'DUPLICATE_ENTRY' ? { digest: entry.digest } : {};
  const voids = state.voids.set(String(state.size), { leaf: state.size, code, message, ...spent });
  return { state: { ...state, size, digests, voids }, authentic };
}

export interface Judgement {
  /** The state with the entry's effect, without counting the leaf; the same state where it is refused. */
  readonly next: VaultState;
  /** Undefined when the leaf does not even parse. */
  readonly entry?: Entry;
  readonly refused?: Refusal;
  /** True when the signature was verified under a key of the claimed signer. */
  readonly authentic: boolean;
}

/** What `apply` would make of a leaf: honest writers ask before they append, and never append what is refused. */
export function judge(state: VaultState, leaf: Leaf): Judgement {
  let entry: Entry | undefined;
  const signature = { verified: false };
  try {
    entry = parseEntry(leaf.data);
    const next = judgeEntry(state, entry, leaf, signature);
    const authentic = signature.verified;
    return 'code' in next ? { next: state, entry, refused: next, authentic } : { next, entry, authentic };
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    const refused = refusal(error.code, error.message, error.hint);
    const authentic = signature.verified;
    return entry ? { next: state, entry, refused, authentic } : { next: state, refused, authentic };
  }
}

function judgeEntry(state: VaultState, entry: Entry, leaf: Leaf, signature: { verified: boolean }): VaultState | Refusal {
  const { op, actor, vault } = entry.payload;
  if (state.digests.has(entry.digest)) return refusal('DUPLICATE_ENTRY', 'this very entry is in the log already');
  const definition = Object.hasOwn(OPS, op) ? OPS[op] : undefined;
  if (!definition) return refusal('UNKNOWN_OP', `no op is called ${op}`);
  if (definition.first !== (state.size === 0) || definition.first !== (state.policy === undefined)) return refusal('BAD_ENTRY', 'vault.init is the first entry of a log, and only the first');
  if (state.policy && vault !== state.policy.vault) return refusal('WRONG_VAULT', `the entry is for vault ${vault.slice(0, 8)}`);

  const body = definition.parse(entryBody(entry, (sha256) => leaf.file(sha256)));
  if (body === undefined) return refusal('BAD_ENTRY', `the body does not follow the schema of ${op}`);
  const publicKey = signerKey(state.policy, entry, body, leaf);
  if (typeof publicKey !== 'string') return publicKey;
  if (!verifyEntry(entry, publicKey)) return refusal('BAD_SIGNATURE', `the entry is not signed by ${actor.person} (device ${actor.device})`);
  signature.verified = true;
  if (state.policy?.people.get(actor.person)?.kind === 'machine' && !definition.machines) {
    return refusal('MACHINE_NOT_ALLOWED', `${actor.person} is a machine: it only reads and writes secrets`);
  }
  const signer: Signer = { person: actor.person, device: actor.device, key: entry.keyid };
  const context: OpContext = { leaf: state.size, time: entry.payload.time, vault, digest: entry.digest, actor: signer, file: (sha256) => leaf.file(sha256) };
  return definition.apply(state, body, context);
}

/** The public key, hex, that must have signed this entry: a living device's, or, for a newcomer, that of a card to come. */
function signerKey(policy: PolicyState | undefined, entry: Entry, body: object, leaf: Leaf): string | Refusal {
  const { person, device } = entry.payload.actor;
  const enrolled = policy?.people.get(person);
  if (enrolled) {
    const own = enrolled.devices.find((d) => d.id === entry.keyid);
    if (own && own.device === device) return own.publicKey;
    return refusal('NOT_ENROLLED', `${person} has no living device ${device} with key ${entry.keyid.slice(0, 8)}`);
  }
  for (const line of newcomerCards(policy, entry.payload.op, body, person, leaf)) {
    const card = parseCard(line);
    if (card.id === entry.keyid && card.device === device) return card.key;
  }
  return refusal('NOT_ENROLLED', `${person} is not enrolled in this vault`, 'An admin adds your card: oxp-vault member add');
}

/** Somebody not yet enrolled may make a vault, or sign the very policy that enrols them. */
function newcomerCards(policy: PolicyState | undefined, op: string, body: object, person: string, leaf: Leaf): readonly string[] {
  if (op === 'vault.init' && 'policy' in body && typeof body.policy === 'string') {
    const bytes = leaf.file(body.policy);
    const checked = bytes ? checkPolicyFile(bytes) : undefined;
    return checked && 'policy' in checked ? (checked.policy.persons[person]?.cards ?? []) : [];
  }
  if (op === 'policy.sign' && 'digest' in body) {
    return policy?.proposals.find((p) => p.digest === body.digest)?.policy?.persons[person]?.cards ?? [];
  }
  return [];
}
