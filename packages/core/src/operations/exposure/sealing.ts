/** Whoever seals a version has its value in hand: it was generated, taken in, or opened and sealed again. */
import type { Exposure, Evidence, How } from './evidence.js';

const HOW = {
  generated: ['generated', 'generated it'],
  imported: ['imported', 'imported it'],
  reseal: ['resealed', 'sealed it again'],
} as const satisfies Record<string, readonly [How, string]>;

export function* sealers(evidence: Evidence): Iterable<Exposure> {
  for (const version of evidence.versions) {
    const who = evidence.enrolled(version.sealer.person, version.leaf);
    const [how, words] = HOW[version.statement.origin.how];
    if (who) yield { who, version, how, words, alone: true, keys: [version.sealer.key] };
  }
}
