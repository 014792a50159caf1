/** What is a page and what is not: whoever can write to a store names any bytes under a checkpoint of their own. */
import { describe, expect, it } from 'vitest';
import { MAX_LEAF } from '../../../packages/core/src/audit/entry.js';
import { decodePage, encodePage, PAGE_SIZE } from '../../../packages/core/src/audit/page.js';
import { concatBytes, sha256Hex, utf8 } from '../../../packages/core/src/primitives/hash.js';
import { failure } from '../../support/vaults.js';

const HEAD = '{"previous":null}\n';
const read = (bytes: Uint8Array): number => decodePage(bytes, sha256Hex(bytes), 'log/p').lines.length;
const refused = async (bytes: Uint8Array): Promise<void> => {
  expect(await failure(() => read(bytes))).toMatchObject({ code: 'STORE_INCOMPLETE', message: 'log/p does not have the form of a page' });
};

describe('a page', () => {
  it('has 1 to 256 lines of at most 65,535 bytes', async () => {
    const longest = new Uint8Array(MAX_LEAF).fill(0x78);
    expect(read(encodePage({ previous: 'ab'.repeat(32), lines: Array.from({ length: PAGE_SIZE }, () => longest) }))).toBe(PAGE_SIZE);
    await refused(utf8(HEAD));
    await refused(encodePage({ previous: null, lines: Array.from({ length: PAGE_SIZE + 1 }, () => utf8('x')) }));
    await refused(encodePage({ previous: null, lines: [concatBytes(longest, utf8('x'))] }));
  });

  it('has one form of its first line', async () => {
    const rest = utf8(`${HEAD}x\n`);
    expect(read(rest)).toBe(1);
    await refused(concatBytes(Uint8Array.of(0xef, 0xbb, 0xbf), rest));
    await refused(utf8('{"previous": null}\nx\n'));
    await refused(utf8('x\n'));
  });

  it('of nothing but newlines does not fill the memory', async () => {
    await refused(concatBytes(utf8(HEAD), new Uint8Array(100 * 1024 * 1024).fill(0x0a)));
    await refused(concatBytes(utf8(HEAD), new Uint8Array(16 * 1024 * 1024).fill(0x0a)));
  });
});
