import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MATERIAL_KINDS } from '../../packages/core/src/material/kinds.js';
import { sandbox } from '../support/sandbox.js';
import { mustRunMain, runMain } from './harness.js';

const makeable = Object.entries(MATERIAL_KINDS).filter(([kind, { importOnly }]) => !importOnly && kind !== 'pki-intermediate').map(([kind]) => kind);
const needed: Record<string, string[]> = { 'pki-root': ['--set', 'subject.CN=Test Root'], tsig: ['--set', 'key=external-dns.'] };

describe('generate', () => {
  it.each(makeable)('makes a %s into files, the private one for its owner alone, and shows none of it', async (kind) => {
    const alice = sandbox('alice');
    const made = await mustRunMain(alice, ['generate', kind, '--out', 'out', ...(needed[kind] ?? []), '--json']);
    const { files } = JSON.parse(made.text) as { files: { path: string; private: boolean }[] };
    expect(files.map((file) => file.path).toSorted()).toEqual(readdirSync(join(alice.work, 'out')).map((name) => join(alice.work, 'out', name)).toSorted());
    const secret = files.find((file) => file.private)!;
    expect(statSync(secret.path).mode & 0o777).toBe(0o600);
    const content = readFileSync(secret.path, 'utf8').trim().split('\n').filter((line) => line.length > 15 && !line.startsWith('-----'));
    for (const line of content) expect(made.text + made.stderr).not.toContain(line.trim());
  });

  it('makes an intermediate with the CA that it is given', async () => {
    const alice = sandbox('alice');
    const at = (name: string): string => join(alice.work, 'pki', name);
    await mustRunMain(alice, ['generate', 'pki-root', '--out', 'pki', '--name', 'root', '--set', 'subject.CN=Test Root']);
    writeFileSync(at('root.pem'), readFileSync(at('root.key'), 'utf8') + readFileSync(at('root.crt'), 'utf8'));
    await mustRunMain(alice, ['generate', 'pki-intermediate', '--out', 'pki', '--name', 'issuing', '--set', 'subject.CN=Test Issuing', '--issuer', 'pki/root.pem']);
    const [root, issuing] = ['root.crt', 'issuing.crt'].map((name) => new X509Certificate(readFileSync(at(name))));
    expect(issuing!.checkIssued(root!) && issuing!.verify(root!.publicKey)).toBe(true);
    expect(await runMain(alice, ['generate', 'pki-intermediate', '--out', 'pki', '--set', 'subject.CN=X', '--issuer', 'pki/root.crt'])).toMatchObject({ code: 2 });
  });

  it('asks of an issuer that is no root for the CAs above it, and takes it with them', async () => {
    const alice = sandbox('alice');
    const read = (name: string): string => readFileSync(join(alice.work, 'pki', name), 'utf8');
    const give = (name: string, ...parts: string[]): void => writeFileSync(join(alice.work, 'pki', name), parts.map(read).join(''));
    const below = (issuer: string, ...more: string[]): string[] =>
      ['generate', 'pki-intermediate', '--out', 'pki', '--set', 'subject.CN=Test', '--issuer', `pki/${issuer}`, ...more];
    await mustRunMain(alice, ['generate', 'pki-root', '--out', 'pki', '--name', 'root', '--set', 'subject.CN=Test Root', '--set', 'path-length=2']);
    give('root.pem', 'root.key', 'root.crt');
    await mustRunMain(alice, below('root.pem', '--name', 'middle', '--set', 'path-length=1'));
    give('alone.pem', 'middle.key', 'middle.crt');
    const refused = await runMain(alice, below('alone.pem', '--name', 'issuing'));
    expect(refused).toMatchObject({ code: 2, text: '' });
    expect(refused.stderr).toContain('has no issuer in the file');
    expect(refused.stderr).toContain('give every CA above it');
    give('whole.pem', 'middle.key', 'middle.crt', 'root.crt');
    await mustRunMain(alice, below('whole.pem', '--name', 'issuing'));
    const [middle, issuing] = ['middle.crt', 'issuing.crt'].map((name) => new X509Certificate(read(name)));
    expect(issuing!.checkIssued(middle!) && issuing!.verify(middle!.publicKey)).toBe(true);
  });

  it('never overwrites, and then writes nothing at all', async () => {
    const alice = sandbox('alice');
    await mustRunMain(alice, ['generate', 'ssh-key', '--out', 'out']);
    const key = join(alice.work, 'out', 'ssh-key');
    const before = readFileSync(key);
    expect((await runMain(alice, ['generate', 'ssh-key', '--out', 'out'])).stderr).toContain('OUTPUT_EXISTS');
    expect(readFileSync(key).equals(before)).toBe(true);
    writeFileSync(join(alice.work, 'out', 'other.pub'), 'mine');
    expect(await runMain(alice, ['generate', 'ssh-key', '--out', 'out', '--name', 'other'])).toMatchObject({ code: 2 });
    expect(existsSync(join(alice.work, 'out', 'other'))).toBe(false);
  });

  it.each([
    [['kubeconfig', '--out', 'out'], 'only taken in'],
    [['nonsense', '--out', 'out'], 'no such kind'],
    [['password', '--out', 'out', '--set', 'nonsense=1'], 'no such parameter'],
    [['password', '--out', 'out', '--name', '../up'], 'BAD_NAME'],
    [['password'], "required option '--out <dir>'"],
  ])('refuses %j', async (argv, why) => {
    const alice = sandbox('alice');
    const result = await runMain(alice, ['generate', ...argv]);
    expect(result).toMatchObject({ code: 2, text: '' });
    expect(result.stderr).toContain(why);
    expect(readdirSync(alice.work)).toEqual([]);
  });
});
