/** How things look to a person: columns, marks, short digests, times. Nothing here decides anything. */
import { count, entries, homeDirectory, isRemote, thousands } from '@oxp-vault/core';
import { relative, sep } from 'node:path';
import pc from 'picocolors';
import type { Io, Output } from './io.js';

export { count, entries, thousands };

/** `+` new, `~` changed, `-` gone, `!` look here. They carry their meaning without colour. */
export type Mark = '+' | '~' | '-' | '!';

export interface Paint {
  mark(mark: Mark): string;
  error(text: string): string;
  strong(text: string): string;
  faint(text: string): string;
}

/** Colours on a terminal that wants them (https://no-color.org). */
export function paintFor(output: Output, env: Io['env']): Paint {
  const colours = pc.createColors(output.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb');
  const marks: Record<Mark, (text: string) => string> = { '+': colours.green, '~': colours.yellow, '-': colours.red, '!': (text) => colours.bold(colours.yellow(text)) };
  return { mark: (mark) => marks[mark](mark), error: (text) => colours.bold(colours.red(text)), strong: colours.bold, faint: colours.dim };
}

/** Between two columns. */
const GAP = 2;

/** Rows in columns, each as wide as its widest cell. The last cell of a row is not padded. */
export function columns(rows: readonly (readonly string[])[], { indent = 0, gap = GAP }: { indent?: number; gap?: number } = {}): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, width(cell))));
  return rows
    .map((row) => `${' '.repeat(indent)}${row.map((cell, i) => (i === row.length - 1 ? cell : cell + ' '.repeat(widths[i]! - width(cell) + gap))).join('')}`.trimEnd() + '\n')
    .join('');
}

/** Narrower than this a column of words cannot be read. */
const NARROWEST = 16;

/**
 * A table whose last `wrapped` columns, which hold words, are broken into lines so that it fits a terminal of `wide` columns. Without a
 * terminal every row is one line, for grep.
 */
export function wrappedTable(head: readonly string[], rows: readonly (readonly string[])[], wide: number | undefined, wrapped: number): string {
  if (rows.length === 0) return '';
  const all = [head, ...rows];
  const widest = head.map((_, i) => Math.max(...all.map((row) => width(row[i] ?? ''))));
  const fixed = widest.slice(0, -wrapped).reduce((sum, each) => sum + each + GAP, 0);
  const wanted = widest.slice(-wrapped);
  const room = (wide ?? Infinity) - fixed - GAP * (wrapped - 1);
  if (wanted.reduce((sum, each) => sum + each, 0) <= room) return columns(all);
  const limits = shareOut(wanted, room);
  return columns(all.flatMap((row) => {
    const cells = row.map((cell, i) => (i < row.length - wrapped ? [cell] : wrap(cell, limits[i - (row.length - wrapped)]!)));
    return Array.from({ length: Math.max(...cells.map((lines) => lines.length)) }, (_, n) => cells.map((lines) => lines[n] ?? ''));
  }));
}

/** Who needs less than an equal part gets that; the others share the rest. */
function shareOut(wanted: readonly number[], room: number): number[] {
  const part = Math.floor(room / wanted.length);
  const modest = wanted.filter((each) => each <= part);
  if (modest.length === 0 || modest.length === wanted.length) return wanted.map((each) => Math.max(NARROWEST, Math.min(each, part)));
  const rest = shareOut(wanted.filter((each) => each > part), room - modest.reduce((sum, each) => sum + each, 0));
  return wanted.map((each) => (each <= part ? each : rest.shift()!));
}

/** Lines of whole words; a word that is longer than a line stands alone. */
function wrap(text: string, limit: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && width(last) + 1 + width(word) <= limit) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A table with a head. Nothing at all for no rows. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : columns([head, ...rows]);
}

const ESCAPES = /\x1b\[[0-9;]*m/g;

function width(text: string): number {
  return [...text.replace(ESCAPES, '')].length;
}

/** The first eight hex digits: for eyes. Machines get the whole digest with --json. */
export function short(digest: string): string {
  return digest.slice(0, 8);
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS: readonly (readonly [number, string])[] = [[365 * DAY, 'year'], [30 * DAY, 'month'], [DAY, 'day'], [HOUR, 'hour'], [MINUTE, 'minute']];

/** `3 days ago`; both in whole seconds since 1970. Times are claims, so one from the future is shown as its date. */
export function ago(time: number, now: number): string {
  const seconds = now - time;
  if (seconds < -MINUTE) return date(time);
  const unit = UNITS.find(([size]) => seconds >= size);
  return unit ? `${count(Math.floor(seconds / unit[0]), unit[1])} ago` : 'just now';
}

/** `2026-11-30 12:00 UTC` */
export function dateTime(time: number): string {
  return `${new Date(time * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** `2026-11-30` */
export function date(time: number): string {
  return new Date(time * 1000).toISOString().slice(0, 10);
}

export function bytes(n: number): string {
  if (n < 1024) return count(n, 'byte');
  const [size, unit] = n < 1024 ** 2 ? [1024, 'KiB'] : n < 1024 ** 3 ? [1024 ** 2, 'MiB'] : [1024 ** 3, 'GiB'];
  return `${(n / size).toFixed(1)} ${unit}`;
}

/** As a person at this place would type it: `./vault`, `~/.config/oxp-vault/alice.card`. */
export function pathForEyes(path: string, io: Pick<Io, 'cwd' | 'env'>): string {
  if (isRemote(path)) return path;
  const home = homeDirectory(io.env);
  const near = relative(io.cwd, path);
  if (near === '') return '.';
  const below = near !== path && !near.startsWith(`..${sep}`) && near !== '..' && !near.startsWith(sep);
  // From home itself, too, ~/.config is what everybody calls it.
  const dotted = io.cwd === home && near.startsWith('.');
  if (below && !dotted) return `.${sep}${near}`;
  return home !== undefined && path.startsWith(home + sep) ? `~${path.slice(home.length)}` : path;
}
