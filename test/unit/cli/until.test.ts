import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseUntil, untilInWords } from '../../../packages/cli/src/until.js';
import { failure } from '../../support/vaults.js';

const NOW = Date.UTC(2027, 0, 15, 12) / 1000;
const at = (text: string): number => Date.parse(text) / 1000;

afterEach(() => void vi.unstubAllEnvs());

describe('--not-after', () => {
  it.each([
    ['90d', NOW + 90 * 86_400],
    ['12h', NOW + 12 * 3600],
    ['2w', NOW + 14 * 86_400],
    ['2027-01-31T18:00+01:00', at('2027-01-31T17:00:00Z')],
    ['2027-01-31 18:00:30Z', at('2027-01-31T18:00:30Z')],
    ['2028-02-29T00:00Z', at('2028-02-29T00:00:00Z')],
  ])('%s', (text, time) => expect(parseUntil(text, NOW)).toBe(time));

  it.each([['UTC', '2027-01-31T23:59:59Z'], ['Europe/Berlin', '2027-01-31T22:59:59Z'], ['America/New_York', '2027-02-01T04:59:59Z']])('a date is that whole day in %s', (zone, end) => {
    vi.stubEnv('TZ', zone);
    expect(parseUntil('2027-01-31', NOW)).toBe(at(end));
  });

  it.each([
    '', ' ', 'tomorrow', '90', '90m', '0d', '-1d', '1.5d', '9999999d', '90d ', '90D', 'never', '1e9', '1801414800', '2027-02-29', '2027-13-01', '2027-00-10', '27-01-31', '2027-1-31',
    '2027-01-31T25:00Z', '2027-01-31T18:60Z', '2027-01-31T18:00:61Z', '2027-02-31T18:00Z', '2027-01-31T18:00+99:99', '2027-01-31T18:00', '2027-01-31 18:00', '31.01.2027', '2027-01-31T18:00 CET',
  ])('refuses %j', async (text) => {
    const { code, message } = await failure(() => parseUntil(text, NOW));
    expect(code).toBe('USAGE');
    if (text.trim() !== '') expect(message).not.toContain(text);
  });

  it('says what a time without a zone lacks', async () => {
    expect((await failure(() => parseUntil('2027-01-31T18:00', NOW))).message).toContain('zone');
  });

  it.each(['2027-01-14', '2027-01-15T12:00Z', '1970-01-01', '2027-01-15T13:00+01:00'])('refuses %s, which is past', async (text) => {
    expect((await failure(() => parseUntil(text, NOW))).message).toContain('past');
  });
});

it.each([
  ['UTC', 'Sunday 31 January 2027, 17:00 UTC'],
  ['Europe/Berlin', /^Sunday 31 January 2027, 18:00 (CET|GMT\+1) \(2027-01-31 17:00 UTC\)$/],
  ['Asia/Tokyo', /^Monday 1 February 2027, 02:00 \S+ \(2027-01-31 17:00 UTC\)$/],
])('is shown as people in %s and the log have it', (zone, words) => {
  vi.stubEnv('TZ', zone);
  const shown = untilInWords(at('2027-01-31T17:00:00Z'));
  if (typeof words === 'string') expect(shown).toBe(words);
  else expect(shown).toMatch(words);
});
