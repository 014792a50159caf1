/**
 * The state of a vault is a fold over its log: `leaves.reduce(apply, emptyState)`. `apply` is pure and total: whatever the leaf,
 * it returns the next state. A leaf that is refused is void: kept, without effect, reported.
 */
import { parseEntry, verifyEntry, entryBody, type Entry } from './audit/entry.js';
import { orRefusal, refusal, type Refusal } from './errors.js';
import { applyOp, isOp, machinesMay, parseBody, type OpBody, type OpContext } from './ops.js';
import { parseCard } from './policy/card.js';
import { checkPolicyFile } from './policy/policy.js';
import type { PolicyState } from './policy/state.js';
import type { VaultState } from './vault-state.js';
import type { Signer } from './wire.js';

export { emptyState, isFounded, type FoundedState, type VaultState, type VoidLeaf } from './vault-state.js';

/** Leaf data with the files that entries may name: policy files and objects, by SHA-256. */
export interface Leaf {
  readonly data: Uint8Array;
  file(sha256: string): Uint8Array | undefined;
}

/** The next state. Never throws for what a leaf contains. */
export function apply(state: VaultState, leaf: Leaf): VaultState {
  return judge(state, leaf).next;
}

export interface Judgement {
  /** The state after the leaf. */
  readonly next: VaultState;
  /** Why the leaf is void, where it is. */
  readonly refused?: Refusal;
  /** True when the leaf is truly its claimed signer's: what is not says nothing about that person. */
  readonly authentic: boolean;
}

/** What `apply` makes of a leaf, and why: honest writers ask before they append, and never append what is refused. */
export function judge(state: VaultState, leaf: Leaf): Judgement {
  const signed = orRefusal(() => authenticate(state, leaf));
  if ('code' in signed) return { next: voided(state, signed), refused: signed, authentic: false };
  // The digest does not cover the signature. A copy with a bad one must not use up the digest before the true entry lands.
  const spent = { ...state, digests: state.digests.add(signed.entry.digest) };
  const effect = orRefusal(() => effectOf(state, signed, leaf));
  if ('code' in effect) return { next: voided(spent, effect, signed.entry.digest), refused: effect, authentic: true };
  return { next: { ...effect, size: state.size + 1, digests: spent.digests }, authentic: true };
}

function voided(state: VaultState, { code, message }: Refusal, digest?: string): VaultState {
  const leaf = { leaf: state.size, code, message, ...(digest === undefined ? {} : { digest }) };
  return { ...state, size: state.size + 1, voids: state.voids.set(String(state.size), leaf) };
}

interface Authentic {
  readonly entry: Entry;
  readonly parsed: OpBody;
}

/** The entry in a leaf, for this vault and at its place, whose signature was verified under a key of its claimed signer. */
function authenticate(state: VaultState, leaf: Leaf): Authentic | Refusal {
  const entry = parseEntry(leaf.data);
  const { op, actor, vault } = entry.payload;
  if (state.digests.has(entry.digest)) return refusal('DUPLICATE_ENTRY', 'this very entry is in the log already');
  if (!isOp(op)) return refusal('UNKNOWN_OP', `no op is called ${op}`);
  const first = state.size === 0;
  if ((op === 'vault.init') !== first || first !== (state.policy === undefined)) {
    return refusal('BAD_ENTRY', 'vault.init is the first entry of a log, and only the first');
  }
  if (state.policy && vault !== state.policy.vault) return refusal('WRONG_VAULT', `the entry is for vault ${vault.slice(0, 8)}`);
  const parsed = parseBody(op, entryBody(entry, (sha256) => leaf.file(sha256)));
  if (!parsed) return refusal('BAD_ENTRY', `the body does not follow the schema of ${op}`);
  const publicKey = signerKey(state.policy, entry, parsed, leaf);
  if (typeof publicKey !== 'string') return publicKey;
  if (!verifyEntry(entry, publicKey)) return refusal('BAD_SIGNATURE', `the entry is not signed by ${actor.person} (device ${actor.device})`);
  return { entry, parsed };
}

function effectOf(state: VaultState, { entry, parsed }: Authentic, leaf: Leaf): VaultState | Refusal {
  const { actor, time, vault } = entry.payload;
  if (state.policy?.people.get(actor.person)?.kind === 'machine' && !machinesMay(parsed.op)) {
    return refusal('MACHINE_NOT_ALLOWED', `${actor.person} is a machine: it only reads and writes secrets`);
  }
  const signer: Signer = { person: actor.person, device: actor.device, key: entry.keyid };
  const context: OpContext = { leaf: state.size, time, vault, digest: entry.digest, actor: signer, file: (sha256) => leaf.file(sha256) };
  return applyOp(state, parsed, context);
}

/** The public key, hex, that must have signed this entry: a living device's, or, for a newcomer, that of a card to come. */
function signerKey(policy: PolicyState | undefined, entry: Entry, parsed: OpBody, leaf: Leaf): string | Refusal {
  const { person, device } = entry.payload.actor;
  const enrolled = policy?.people.get(person);
  if (enrolled) {
    const own = enrolled.devices.find((d) => d.id === entry.keyid);
    if (own && own.device === device) return own.publicKey;
    return refusal('NOT_ENROLLED', `${person} has no living device ${device} with key ${entry.keyid.slice(0, 8)}`);
  }
  for (const line of newcomerCards(policy, parsed, person, leaf)) {
    const card = parseCard(line);
    if (card.id === entry.keyid && card.device === device) return card.key;
  }
  return refusal('NOT_ENROLLED', `${person} is not enrolled in this vault`, 'An admin adds your card: oxp-vault member add');
}

/** Somebody not yet enrolled may make a vault, or sign the very policy that enrols them. */
function newcomerCards(policy: PolicyState | undefined, { op, body }: OpBody, person: string, leaf: Leaf): readonly string[] {
  if (op === 'vault.init') {
    const bytes = leaf.file(body.policy);
    const checked = bytes ? checkPolicyFile(bytes) : undefined;
    return checked && 'policy' in checked ? (checked.policy.persons[person]?.cards ?? []) : [];
  }
  if (op === 'policy.sign') return policy?.proposals.find((p) => p.digest === body.digest)?.policy?.persons[person]?.cards ?? [];
  return [];
}
