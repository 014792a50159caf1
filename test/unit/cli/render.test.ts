import { describe, expect, it } from 'vitest';
import { ago, bytes, columns, count, paintFor, pathForEyes, short, table, thousands, wrappedTable } from '../../../packages/cli/src/render.js';

const NOW = 1_800_000_000;
const terminal = { isTTY: true, write: () => Promise.resolve() };

describe('columns and tables', () => {
  it('are as wide as their widest cell, without white space at the end', () => {
    expect(columns([['a', 'long cell', ''], ['longer', 'b', 'c']])).toBe('a       long cell\nlonger  b          c\n');
    expect(columns([['a', 'b']], { indent: 2, gap: 3 })).toBe('  a   b\n');
  });

  it('do not count colours or halves of surrogate pairs', () => {
    expect(columns([['\x1b[32m+\x1b[39m', 'x'], ['++', 'y']])).toBe('\x1b[32m+\x1b[39m   x\n++  y\n');
    expect(columns([['😀', 'x'], ['ab', 'y']])).toBe('😀   x\nab  y\n');
  });

  it('have no head without rows', () => {
    expect(table(['NAME'], [])).toBe('');
    expect(table(['NAME', 'VERSION'], [['app/password', 'v1']])).toBe('NAME          VERSION\napp/password  v1\n');
  });
});

describe('tables of words', () => {
  const rows = [['dns/tsig', 'v1', 'member of infra, which still reads; generated it', 'nothing yet'], ['pki/root', 'v12', 'one share', '-']];
  const head = ['NAME', 'VERSION', 'HOW', 'REPLACED BY'];

  it('are one line a row for a pipe, and where they fit', () => {
    expect(wrappedTable(head, rows, undefined, 2)).toBe(table(head, rows));
    expect(wrappedTable(head, rows, 120, 2)).toBe(table(head, rows));
  });

  it('are broken at words, in their own columns, where they would be wider than the terminal', () => {
    const text = wrappedTable(head, rows, 60, 2);
    expect(text).toBe([
      'NAME      VERSION  HOW                           REPLACED BY',
      'dns/tsig  v1       member of infra, which still  nothing yet',
      '                   reads; generated it',
      'pki/root  v12      one share                     -',
      '',
    ].join('\n'));
  });

  it('stay readable where there is no room for anything', () => expect(wrappedTable(head, rows, 20, 2).split('\n').length).toBeGreaterThan(4));
});

describe('numbers, digests and times', () => {
  it.each([[0, '0'], [999, '999'], [1204, '1,204'], [1_234_567, '1,234,567']])('%d is %s', (n, words) => expect(thousands(n)).toBe(words));
  it.each([[1, '1 entry'], [2, '2 entries']])('%d is %s', (n, words) => expect(count(n, 'entry', 'entries')).toBe(words));
  it.each([[1, '1 byte'], [1023, '1,023 bytes'], [1024, '1.0 KiB'], [5 * 1024 ** 2, '5.0 MiB']])('%d is %s', (n, words) => expect(bytes(n)).toBe(words));
  it.each([
    [0, 'just now'], [59, 'just now'], [60, '1 minute ago'], [7200, '2 hours ago'], [3 * 86_400, '3 days ago'], [65 * 86_400, '2 months ago'], [800 * 86_400, '2 years ago'],
    [-3600, '2027-01-15'],
  ])('%d seconds before is "%s"', (seconds, words) => expect(ago(NOW - seconds, NOW)).toBe(words));

  it('a digest is eight digits', () => expect(short('9b2c41d0ffff')).toBe('9b2c41d0'));
});

describe('paths', () => {
  const io = { cwd: '/home/alice/platform', env: { HOME: '/home/alice' } };
  it.each([
    ['/home/alice/platform', '.'],
    ['/home/alice/platform/vault', './vault'],
    ['/home/alice/.config/x', '~/.config/x'],
    ['/home/alicelike/x', '/home/alicelike/x'],
    ['/srv/vault', '/srv/vault'],
  ])('%s is typed %s', (path, typed) => expect(pathForEyes(path, io)).toBe(typed));

  it.each([
    ['/home/alice/.config/x', '~/.config/x'],
    ['/home/alice/vault', './vault'],
  ])('at home %s is typed %s', (path, typed) => expect(pathForEyes(path, { ...io, cwd: '/home/alice' })).toBe(typed));
});

describe('colours', () => {
  it('appear on a terminal only, and not where nobody wants them', () => {
    expect(paintFor(terminal, {}).mark('+')).toContain('\x1b[');
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) expect(paintFor(terminal, env).mark('+')).toBe('+');
    expect(paintFor({ ...terminal, isTTY: false }, {}).mark('!')).toBe('!');
  });
});
