/** What one person could know of one secret: of which versions, how, and what has become of that since. */
import type { Rotation } from '../../material/index.js';
import { rolesOf } from '../../policy/rules.js';
import { ruleInEffect } from '../../rule-in-effect.js';
import { newestVersion, type SecretVersion } from '../../seal/state.js';
import type { FoundedState } from '../../vault-state.js';
import type { Enrolment } from '../people/enrolments.js';
import type { Exposure, How } from './evidence.js';
import type { Opening } from './openings.js';
import { replacementOf, type Replacement } from './replaced.js';

export interface ExposureDevice {
  readonly device: string;
  /** Key id. */
  readonly key: string;
  readonly removed: boolean;
}

export interface ExposureHow {
  readonly how: How;
  /** `member of infra`. */
  readonly words: string;
  /** The role whose key it was. */
  readonly role?: string;
  readonly versions: readonly number[];
  /** False where it takes more than this person. */
  readonly alone: boolean;
  /** Devices by which; empty where the person as such is meant. */
  readonly devices: readonly ExposureDevice[];
}

export interface RecordedOpening {
  readonly version: number;
  readonly leaf: number;
  /** Claimed, whole seconds. */
  readonly time: number;
  readonly device: string;
  /** `session`: it may have been opened in a session that has not said what it opened. */
  readonly how: 'opened' | 'session' | 'drill';
  readonly purpose?: string;
  readonly online?: boolean;
}

/** What one person could know of one secret. */
export interface Knowledge {
  readonly name: string;
  /** Kind of material. */
  readonly kind: string;
  readonly person: string;
  readonly machine: boolean;
  /** Leaf at which they left, where it was before they left (and perhaps came back, with other keys). */
  readonly left?: number;
  /** Versions that they could have seen alone; where there are none, those of which they have a share. */
  readonly versions: readonly number[];
  /** False where they could not have seen any version alone. */
  readonly alone: boolean;
  readonly how: readonly ExposureHow[];
  readonly openings: readonly RecordedOpening[];
  /** True while they are enrolled, and read the newest version by their role, keep it as custodians, or seal it as writers. */
  readonly entitled: boolean;
  readonly replaced: Replacement;
  /** How the next value is made. */
  readonly rotation: Rotation;
}

/** What one stay of a person comes to for one secret. */
export function knowledgeOf(state: FoundedState, who: Enrolment, versions: readonly SecretVersion[], exposures: readonly Exposure[], openings: readonly Opening[], rotation: Rotation): Knowledge {
  const alone = exposures.some((exposure) => exposure.alone);
  const counted = exposures.filter((exposure) => exposure.alone || !alone).map((exposure) => exposure.version);
  const { name, kind } = versions[0]!.statement;
  return {
    name, kind: versions.at(-1)?.statement.kind ?? kind, person: who.person, machine: who.kind === 'machine',
    ...(who.until === undefined ? {} : { left: who.until }),
    versions: numbersOf(counted),
    alone,
    how: howOf(who, exposures),
    openings: openings.map(({ version, leaf, time, device, how, purpose, online }) => ({
      version: version.statement.version, leaf, time, device, how, ...(purpose === undefined ? {} : { purpose }), ...(online === undefined ? {} : { online }),
    })),
    entitled: who.until === undefined && (reads(state, who.person, versions) || seals(state, who.person, exposures, name)),
    replaced: replacementOf(versions, counted, state.custody),
    rotation,
  };
}

function numbersOf(versions: readonly SecretVersion[]): number[] {
  return [...new Set(versions.map((version) => version.statement.version))].sort((a, b) => a - b);
}

/** One line for what holds of several versions. That somebody opened what they could read anyway is told by the openings. */
function howOf(who: Enrolment, exposures: readonly Exposure[]): ExposureHow[] {
  const explained = new Set(exposures.filter(({ how, alone }) => how !== 'opened' && alone).map(({ version }) => version));
  const groups = new Map<string, Exposure[]>();
  for (const exposure of exposures) {
    if (exposure.how === 'opened' && explained.has(exposure.version)) continue;
    // What a device that is gone could open is told apart: it may be in other hands.
    const gone = devicesOf(who, exposure.keys).filter(({ removed }) => removed).map(({ key }) => key);
    const key = [exposure.alone, exposure.words, ...gone].join(' ');
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(exposure);
  }
  return [...groups.values()].map((group) => ({
    how: group[0]!.how,
    words: group[0]!.words,
    ...(group[0]!.role === undefined ? {} : { role: group[0]!.role }),
    versions: numbersOf(group.map(({ version }) => version)),
    alone: group[0]!.alone,
    devices: devicesOf(who, group.flatMap(({ keys }) => keys)),
  }));
}

function devicesOf({ devices }: Enrolment, keys: readonly string[]): ExposureDevice[] {
  return devices.filter(({ key }) => keys.includes(key)).map(({ device, key, until }) => ({ device, key, removed: until !== undefined }));
}

/** True for who reads the newest version by their role, or keeps a share of it. */
export function reads(state: FoundedState, person: string, versions: readonly SecretVersion[]): boolean {
  const own = rolesOf(state.policy.policy, person);
  const statement = newestVersion(versions)?.statement ?? versions.at(-1)!.statement;
  return 'readers' in statement ? statement.readers.some(({ role }) => own.includes(role)) : statement.custody.leaves.some((leaf) => leaf.person === person);
}

/** Writers need not be readers, and still make the values. */
function seals(state: FoundedState, person: string, exposures: readonly Exposure[], name: string): boolean {
  const own = rolesOf(state.policy.policy, person);
  return exposures.some(({ how }) => how === 'generated' || how === 'imported' || how === 'resealed') && (ruleInEffect(state, name)?.writers.some((role) => own.includes(role)) ?? false);
}
