/** Exposure in a few numbers. */
import type { Knowledge } from './knowledge.js';
import type { Replacement } from './replaced.js';

/** How many secrets somebody could have known, and what has become of them since. */
export interface ExposureSummary {
  /** Secrets of which a version could have been seen by one person alone. */
  readonly known: number;
  readonly same: number;
  /** A new value is there, and an old one answers until it is retired. */
  readonly overlap: number;
  readonly replaced: number;
  /** Secrets of which they have but a share. */
  readonly shares: number;
}

/** Of several persons, a secret counts as the worst of them has it. */
export function summariseExposure(knowledge: readonly Knowledge[]): ExposureSummary {
  const worst = new Map<string, Replacement['status']>();
  const order: readonly Replacement['status'][] = ['replaced', 'overlap', 'same'];
  for (const { name, alone, replaced } of knowledge) {
    const before = worst.get(name);
    if (alone && (before === undefined || order.indexOf(replaced.status) > order.indexOf(before))) worst.set(name, replaced.status);
  }
  const of = (status: Replacement['status']): number => [...worst.values()].filter((each) => each === status).length;
  const shares = new Set(knowledge.map(({ name }) => name)).size - worst.size;
  return { known: worst.size, same: of('same'), overlap: of('overlap'), replaced: of('replaced'), shares };
}
