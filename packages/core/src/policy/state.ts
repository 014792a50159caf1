/** The part of a vault's state that says who is who and who may do what. Plain data: it is cached between runs. */
import type { PersistentMap } from '../primitives/persistent-map.js';
import type { BlobRef, Signer } from '../wire.js';
import type { Policy } from './policy.js';

export interface Device {
  readonly device: string;
  /** Key id. */
  readonly id: string;
  /** Ed25519 public key, hex. */
  readonly publicKey: string;
  readonly recipient: string;
  /** The card line, which the next policy repeats. */
  readonly card: string;
  /** Key id of the device that added it; undefined when a policy did. */
  readonly addedBy?: string;
  /** Leaf from which it counts. */
  readonly since: number;
}

export interface Person {
  readonly kind: 'human' | 'machine';
  /** Living devices; never empty. */
  readonly devices: readonly Device[];
}

export interface Grant {
  readonly blob: BlobRef;
  readonly maker: string;
  readonly leaf: number;
  /** Key ids of all devices that this epoch was ever sealed to for this person. */
  readonly devices: readonly string[];
  /** Those that it replaced, the newest first: a worthless one takes nothing away. */
  readonly earlier: readonly Pick<Grant, 'blob' | 'maker'>[];
}

export interface Epoch {
  readonly epoch: number;
  readonly recipient: string;
  readonly maker: Signer;
  readonly provisional: boolean;
  readonly leaf: number;
  readonly grants: ReadonlyMap<string, Grant>;
}

export interface RoleState {
  /** In order, never empty. */
  readonly epochs: readonly Epoch[];
  /** Set when somebody who could hold the newest role key is no longer a member. */
  readonly stale?: { readonly leaf: number; readonly who: string };
}

export interface Proposal {
  readonly digest: string;
  readonly number: number;
  readonly leaf: number;
  readonly proposer: Signer;
  /** Undefined for a policy of a format that this release does not know. */
  readonly policy?: Policy;
  readonly format: number;
  /** Who proposed or signed, one item an entry. */
  readonly signers: readonly Signer[];
}

export interface PolicyState {
  /** The vault's id: SHA-256 of policy 1. */
  readonly vault: string;
  readonly policy: Policy;
  readonly digest: string;
  /** Leaf at which the policy took effect. */
  readonly since: number;
  readonly people: ReadonlyMap<string, Person>;
  /** Every key id that was ever enrolled, and whose it was. */
  readonly keys: PersistentMap<string>;
  /** Every recipient that a card has ever enrolled, and whose it was. */
  readonly recipients: PersistentMap<string>;
  /**
   * Every other recipient that the log names for itself: of epochs and requests, each with what has taken it. Nobody has proved to have
   * its private half, so it keeps others of its kind away, and no person: a stranger could take a newcomer's first.
   */
  readonly claimed: PersistentMap<string>;
  /** Key ids that never return. */
  readonly removed: ReadonlySet<string>;
  readonly proposals: readonly Proposal[];
  readonly roles: ReadonlyMap<string, RoleState>;
  /** Set once a policy of a higher format was agreed on: this release must not go on. */
  readonly upgrade?: { readonly format: number; readonly leaf: number };
}

/** Whose a recipient is or was, a person's before all; undefined for one that is new to the log. */
export function takenBy({ recipients, claimed }: Pick<PolicyState, 'recipients' | 'claimed'>, recipient: string): string | undefined {
  return recipients.get(recipient) ?? claimed.get(recipient);
}

/** Key ids of a person's living devices; none where nobody of this name is enrolled. */
export function deviceKeys(people: PolicyState['people'], person: string): string[] {
  return (people.get(person)?.devices ?? []).map((device) => device.id);
}

/** Undefined for who is not enrolled. */
export function isMachine(state: Pick<PolicyState, 'people'>, person: string): boolean | undefined {
  const kind = state.people.get(person)?.kind;
  return kind === undefined ? undefined : kind === 'machine';
}

/** The living device with this key id, if it is this person's. */
export function livingDevice(state: Pick<PolicyState, 'people'>, person: string, key: string): Device | undefined {
  return state.people.get(person)?.devices.find((d) => d.id === key);
}

export function newestEpoch(state: Pick<PolicyState, 'roles'>, role: string): Epoch | undefined {
  return state.roles.get(role)?.epochs.at(-1);
}

/**
 * Human members of the role, as of the policy, who hold its newest key: those who can turn it and grant it. A device counts, not
 * a name: who has lost every device that the key was granted to cannot open it, and a newcomer with an old name never could.
 */
export function holders(state: Pick<PolicyState, 'roles' | 'policy' | 'people'>, role: string): string[] {
  const members = state.policy.roles[role]?.members ?? [];
  return members.filter((member) => state.people.get(member)?.kind === 'human' && canOpen(state, role, member));
}

/** True when a living device of this person was granted the newest key of the role, or made it. */
export function canOpen(state: Pick<PolicyState, 'roles' | 'people'>, role: string, person: string): boolean {
  const epoch = newestEpoch(state, role);
  if (!epoch) return false;
  const made = epoch.maker.person === person && !epoch.provisional ? [epoch.maker.key] : [];
  return [...(epoch.grants.get(person)?.devices ?? []), ...made].some((key) => livingDevice(state, person, key) !== undefined);
}
