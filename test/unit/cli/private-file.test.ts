import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mustNotExist, replaceFile, writeNewFile } from '../../../packages/cli/src/files/private-file.js';
import { tempDir } from '../../support/tmp.js';

const bytes = Buffer.from('new');

describe('writeNewFile', () => {
  it('makes the file for its owner alone, and its directories too', async () => {
    const path = join(tempDir(), 'a', 'b', 'file');
    await writeNewFile(path, bytes);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect([path, join(path, '..'), join(path, '..', '..')].map((each) => statSync(each).mode & 0o777)).toEqual([0o600, 0o700, 0o700]);
  });

  it('refuses what is there, and leaves it as it is', async () => {
    const directory = tempDir();
    const path = join(directory, 'file');
    writeFileSync(path, 'old');
    await expect(writeNewFile(path, bytes)).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    expect(readFileSync(path, 'utf8')).toBe('old');
    symlinkSync(join(directory, 'target'), join(directory, 'link'));
    await expect(writeNewFile(join(directory, 'link'), bytes)).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    expect(readdirSync(directory).toSorted()).toEqual(['file', 'link']);
  });

  it('says what the system said where it cannot write', async () => {
    const directory = tempDir();
    writeFileSync(join(directory, 'file'), '');
    await expect(writeNewFile(join(directory, 'file', 'below'), bytes)).rejects.toMatchObject({ code: 'STORE_IO' });
  });
});

describe('replaceFile', () => {
  it('replaces the content, keeps it private, and leaves nothing else behind', async () => {
    const directory = tempDir();
    const path = join(directory, 'file');
    writeFileSync(path, 'old', { mode: 0o644 });
    await replaceFile(path, bytes);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory)).toEqual(['file']);
  });

  it('leaves nothing behind when it fails', async () => {
    const directory = tempDir();
    mkdirSync(join(directory, 'taken', 'x'), { recursive: true });
    await expect(replaceFile(join(directory, 'taken'), bytes)).rejects.toMatchObject({ code: 'STORE_IO' });
    expect(readdirSync(directory)).toEqual(['taken']);
  });
});

describe('mustNotExist', () => {
  it('lets nothing pass but nothing', async () => {
    const directory = tempDir();
    symlinkSync('/nowhere', join(directory, 'link'));
    await expect(mustNotExist(join(directory, 'none'))).resolves.toBeUndefined();
    for (const path of [directory, join(directory, 'link')]) await expect(mustNotExist(path)).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' });
    expect(lstatSync(join(directory, 'link')).isSymbolicLink()).toBe(true);
  });
});
