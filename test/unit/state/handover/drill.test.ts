/** Drills: the newest of each person (docs/format.md, "Handover"). */
import { beforeEach, describe, expect, it } from 'vitest';
import { type HandoverLog, NOW } from '../../../support/handover-log.js';
import { handoverPeople } from '../../../support/handover-people.js';

const people = handoverPeople();
let log: HandoverLog;
beforeEach(() => {
  log = people.newLog();
});
const AB = 'ab'.repeat(32);

describe('vault.drill', () => {
  it('keeps the newest of each person, of versions that there are', () => {
    const one = log.newest('dns/key');
    expect(log.act('ci', 'vault.drill', { statements: [one], failed: [] })).toBe('MACHINE_NOT_ALLOWED');
    expect(log.act('carol', 'vault.drill', { statements: [AB], failed: [] })).toBe('VERSION_NOT_FOUND');
    expect(log.act('carol', 'vault.drill', { statements: [one], failed: [AB] })).toBe('VERSION_NOT_FOUND');
    expect(log.act('carol', 'vault.drill', { statements: [one], failed: [] })).toBeUndefined();
    expect(log.act('carol', 'vault.drill', { statements: [one], failed: [one] })).toBeUndefined();
    expect(log.state.handovers.drills.get('carol')).toMatchObject({ time: NOW, statements: [one], failed: [one] });
  });
});
