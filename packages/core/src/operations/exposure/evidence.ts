/** What exposure is computed from: the state, the log that counts, and who was who at every leaf. Plain values; nothing here reads a store. */
import type { HandoversState } from '../../handover/state.js';
import { versionsOf, type SecretsState, type SecretVersion } from '../../seal/state.js';
import type { VaultState } from '../../vault-state.js';
import type { Vault } from '../../vault.js';
import { enrolmentsOf, readPolicies, type Enrolment } from '../people/enrolments.js';
import { walkLog, type WalkedLeaf } from '../log/walk.js';

/** How somebody could have seen a version. */
export type How =
  | 'generated' | 'imported' | 'resealed'
  | 'member' | 'steward'
  | 'standing'
  | 'custodian'
  | 'released' | 'received' | 'completed' | 'used'
  | 'opened';

/** One reason for which one person could have seen one version of one secret. */
export interface Exposure {
  readonly who: Enrolment;
  readonly version: SecretVersion;
  readonly how: How;
  /** In a few words that hold for several versions: `member of infra`. */
  readonly words: string;
  /** The role whose key it was. */
  readonly role?: string;
  /** False where it takes more than this person: one share of several. */
  readonly alone: boolean;
  /** Key ids of the devices by which; empty where the person as such is meant. */
  readonly keys: readonly string[];
}

/** One way of having seen, over the whole log. */
export type FindExposures = (evidence: Evidence) => Iterable<Exposure>;

export interface Evidence {
  readonly secrets: SecretsState;
  readonly handovers: HandoversState;
  /** The leaves that are not void, in order. */
  readonly walked: readonly WalkedLeaf[];
  readonly enrolments: readonly Enrolment[];
  /** The stay of this person that a leaf falls into. */
  readonly enrolled: (person: string, leaf: number) => Enrolment | undefined;
  /** Every version of every secret. */
  readonly versions: readonly SecretVersion[];
  /** By statement digest. */
  readonly version: (digest: string) => SecretVersion | undefined;
}

/** Reads the log once. Needs no private key. Throws STORE_INCOMPLETE, RACE_LOST. */
export async function gatherEvidence(vault: Vault): Promise<Evidence> {
  const walked = (await walkLog(vault)).filter((leaf) => !leaf.refused && leaf.entry && leaf.parsed);
  return evidenceOf(vault.state, walked, enrolmentsOf(await readPolicies(vault), walked));
}

export function evidenceOf(state: Pick<VaultState, 'secrets' | 'handovers'>, walked: readonly WalkedLeaf[], enrolments: readonly Enrolment[]): Evidence {
  const { secrets, handovers } = state;
  const stays = new Map<string, Enrolment[]>();
  for (const stay of enrolments) stays.set(stay.person, [...(stays.get(stay.person) ?? []), stay]);
  const versions = secrets.versions.sortedKeys().flatMap((name) => versionsOf(secrets, name));
  const byDigest = new Map(versions.map((version) => [version.digest, version]));
  return {
    secrets, handovers, walked, enrolments, versions,
    // The leaf by which somebody leaves may still be their own.
    enrolled: (person, leaf) => stays.get(person)?.find(({ since, until }) => since <= leaf && (until === undefined || leaf <= until)),
    version: (digest) => byDigest.get(digest),
  };
}
