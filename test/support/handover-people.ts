/** The people of a handover, made once for a file of tests, and a log of theirs for each test. */
import { beforeAll } from 'vitest';
import { recipientDigest } from '../../packages/core/src/handover/release.js';
import type { Policy } from '../../packages/core/src/policy/policy.js';
import { handoverCast, HandoverLog, type Cast } from './handover-log.js';

export interface HandoverPeople {
  readonly cast: Cast;
  /**
   * A log as it is before anybody has asked for anything: of `own`, where a test lets people change their devices, and with `change` in its
   * first policy.
   */
  newLog(own?: Cast, change?: Partial<Policy>): HandoverLog;
}

/** Call it at the top of a file: the people are there once its tests run. */
export function handoverPeople(): HandoverPeople {
  let made: { cast: Cast; fresh: string[] };
  beforeAll(async () => {
    made = await handoverCast();
  });
  return {
    get cast() {
      return made.cast;
    },
    newLog: (own = made.cast, change = {}) => new HandoverLog(own, made.fresh, change),
  };
}

/** Digest of the one-time recipient of a request, which releases name. */
export function recipientIn(log: HandoverLog, id: string): string {
  return recipientDigest(log.handover(id).request.recipient);
}
