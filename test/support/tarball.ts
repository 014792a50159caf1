/** Reads what `npm pack` writes, so that the tests of the packages run on a machine with Node and npm alone. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const BLOCK = 512;

/** Unpacks the files of a .tgz below `target`, with their modes. Throws for what npm puts into no package: links, devices, long names. */
export function unpack(tarball: Uint8Array, target: string): void {
  const bytes = gunzipSync(tarball);
  for (let at = 0; bytes[at] !== 0; ) {
    const field = (from: number, length: number): string => bytes.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '');
    const [name, prefix, type] = [field(0, 100), field(345, 155), field(156, 1)];
    const [mode, size] = [parseInt(field(100, 8), 8), parseInt(field(124, 12), 8)];
    if (type !== '0') throw new Error(`${name} in the package is no plain file (${type})`);
    const path = join(target, prefix, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes.subarray(at + BLOCK, at + BLOCK + size), { mode });
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}
