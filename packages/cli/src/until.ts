/** `--not-after`: a moment to come, as people write it, and as both they and the log understand it. */
import { VaultError } from '@oxp-vault/core';
import { dateTime } from './render.js';

/** Seconds. */
const HOUR = 3600;
const UNITS: Readonly<Record<string, number>> = { h: HOUR, d: 24 * HOUR, w: 7 * 24 * HOUR };

/**
 * Whole seconds since 1970 of a date (its last second here), a date-time with its zone, or a duration from `now`. Throws USAGE for
 * anything else, and for what is past; the text is not repeated.
 */
export function parseUntil(text: string, now: number): number {
  const time = duration(text, now) ?? localDate(text) ?? dateTimeWithZone(text);
  if (time === undefined || !Number.isSafeInteger(time)) {
    const zoneless = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?$/.test(text);
    throw new VaultError('USAGE', zoneless ? '--not-after has a time without its zone' : '--not-after takes a date, a date and time with a zone, or a duration', {
      hint: zoneless ? 'Add it: 2027-01-31T18:00+01:00, or 2027-01-31T17:00Z.' : 'Such as 2027-01-31, 2027-01-31T18:00+01:00, 90d, 12h or 2w.',
    });
  }
  if (time <= now) throw new VaultError('USAGE', `--not-after is past: it is ${dateTime(now)} now`, { hint: 'Name a moment to come, such as 90d.' });
  return time;
}

function duration(text: string, now: number): number | undefined {
  const [, amount, unit] = /^([1-9]\d{0,5})([hdw])$/.exec(text) ?? [];
  return amount === undefined ? undefined : now + Number(amount) * UNITS[unit!]!;
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;

/** Whoever names a day means all of it. */
function localDate(text: string): number | undefined {
  const match = DATE.exec(text);
  if (!match) return undefined;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  if (!isDay(year, month, day)) return undefined;
  return Math.floor(new Date(year, month - 1, day, 23, 59, 59).getTime() / 1000);
}

const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d))?(Z|[+-]\d\d:\d\d)$/;

function dateTimeWithZone(text: string): number | undefined {
  const match = DATE_TIME.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute] = match.slice(1, 6).map(Number) as [number, number, number, number, number];
  // Date takes 31 February for 3 March.
  if (!isDay(year, month, day) || hour > 23 || minute > 59 || Number(match[6] ?? 0) > 59) return undefined;
  const time = Date.parse(text.replace(' ', 'T'));
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
}

function isDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return year >= 1970 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** `Sunday 31 January 2027, 18:00 CET (2027-01-31 17:00 UTC)`; where the clock here shows UTC, only that. */
export function untilInWords(time: number): string {
  const date = new Date(time * 1000);
  const part = (options: Intl.DateTimeFormatOptions): string => new Intl.DateTimeFormat('en-GB', options).format(date);
  const two = (n: number): string => String(n).padStart(2, '0');
  const here = `${part({ weekday: 'long' })} ${date.getDate()} ${part({ month: 'long' })} ${date.getFullYear()}, ${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.getTimezoneOffset() === 0) return `${here} UTC`;
  const zone = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' }).formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  return `${here} ${zone} (${dateTime(time)})`;
}
