/** Custody and handovers: one share is not enough alone, but whoever has been given enough of them, or a file key, has the value. */
import { stageOf, type Handover } from '../../handover/state.js';
import { isSatisfied } from '../../primitives/threshold-tree.js';
import type { SecretVersion } from '../../seal/state.js';
import type { Enrolment } from '../people/enrolments.js';
import type { Exposure, Evidence } from './evidence.js';

/** Of a version under custody: whose shares each person has, their own and those that were released to them, in whichever handover. */
export type SharesHeld = ReadonlyMap<Enrolment, ReadonlySet<string>>;

export function sharesOf({ handovers, enrolled }: Evidence, { statement, digest, leaf }: SecretVersion): SharesHeld {
  const held = new Map<Enrolment, Set<string>>();
  if (!('custody' in statement)) return held;
  const give = (to: Enrolment | undefined, share: string): void => void (to && held.set(to, new Set([...(held.get(to) ?? []), share])));
  for (const { person } of statement.custody.leaves) give(enrolled(person, leaf), person);
  for (const { by, leaf: asked, releases } of handovers.handovers.values()) {
    for (const release of releases) if (release.shares.some((share) => share.statement === digest)) give(enrolled(by.person, asked), release.by.person);
  }
  return held;
}

/** True when these persons together have shares enough. */
export function enough({ statement }: SecretVersion, held: SharesHeld, persons: Iterable<Enrolment>): boolean {
  if (!('custody' in statement)) return false;
  const shares = new Set([...persons].flatMap((person) => [...(held.get(person) ?? [])]));
  return isSatisfied(statement.custody.tree, (person) => shares.has(person));
}

/** Who was given a share when the version was sealed. */
export function* custodians(evidence: Evidence): Iterable<Exposure> {
  for (const version of evidence.versions) {
    const held = sharesOf(evidence, version);
    for (const [who, shares] of held) {
      if (!shares.has(who.person)) continue;
      const alone = enough(version, held, [who]);
      const words = shares.size > 1 ? `its own share and ${shares.size - 1} released to it` : 'one share';
      yield { who, version, how: 'custodian', words: `${words} (${alone ? 'enough' : 'not enough'} alone)`, alone, keys: [] };
    }
  }
}

/** Who gave a share, or the file key of what they could read, to whoever asked for it. */
export function* releasers(evidence: Evidence): Iterable<Exposure> {
  for (const { handover, version, release, kind } of released(evidence)) {
    const who = evidence.enrolled(release.by.person, release.leaf);
    const alone = kind === 'file key' || (who !== undefined && enough(version, sharesOf(evidence, version), [who]));
    if (who) yield { who, version, how: 'released', words: `released ${kind === 'share' ? 'its share' : 'the file key'} in handover ${idOf(handover)}`, alone, keys: [release.by.key] };
  }
}

/** Who asked for it, and has been given what was released: before the receipt, without one, and of a handover that was aborted. */
export function* receivers(evidence: Evidence): Iterable<Exposure> {
  for (const { handover, version, kind } of released(evidence)) {
    const who = evidence.enrolled(handover.by.person, handover.leaf);
    if (!who) continue;
    const alone = kind === 'file key' || enough(version, sharesOf(evidence, version), [who]);
    const what = kind === 'file key' ? 'the file key' : alone ? 'enough shares' : 'shares (not enough)';
    const aborted = stageOf(handover) === 'aborted' ? ', aborted' : '';
    yield { who, version, how: 'received', words: `was given ${what} in handover ${idOf(handover)}${aborted}`, alone, keys: [handover.by.key] };
  }
}

/** Who has put the shares together, or opened the file key, and said so: the receipt of a transfer, or of a use without one. */
export function* completers(evidence: Evidence): Iterable<Exposure> {
  for (const handover of inOrder(evidence)) {
    const { receipt, request, targets } = handover;
    const who = receipt && evidence.enrolled(receipt.by.person, receipt.leaf);
    if (!who) continue;
    const use = request.mode === 'use';
    for (const { statement } of targets) {
      const version = evidence.version(statement);
      if (version) yield { who, version, how: use ? 'used' : 'completed', words: `${use ? 'used it' : 'completed'} in handover ${idOf(handover)}`, alone: true, keys: [receipt.by.key] };
    }
  }
}

interface Released {
  readonly handover: Handover;
  readonly release: Handover['releases'][number];
  readonly version: SecretVersion;
  readonly kind: 'share' | 'file key';
}

function* released(evidence: Evidence): Iterable<Released> {
  for (const handover of inOrder(evidence)) {
    for (const release of handover.releases) {
      const items = [...release.shares.map(({ statement }) => ({ statement, kind: 'share' as const })), ...release.keys.map(({ statement }) => ({ statement, kind: 'file key' as const }))];
      for (const { statement, kind } of items) {
        const version = evidence.version(statement);
        if (version) yield { handover, release, version, kind };
      }
    }
  }
}

function inOrder({ handovers }: Evidence): Handover[] {
  return [...handovers.handovers.values()].sort((a, b) => a.leaf - b.leaf);
}

function idOf({ digest }: Handover): string {
  return digest.slice(0, 8);
}
