import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { generateAgeIdentity, identityToRecipient } from '../../packages/core/src/primitives/age.js';
import { openSopsFile, type SopsType } from '../../packages/core/src/index.js';
import { openSops, plainText, SOPS_KEY, sopsText } from '../support/sops.js';
import { mustRun, run, type RunResult } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';

const RUNS = 25;
/** Text as teams keep it: keys and values with every sort of character that one of the formats takes for its own. */
const word = fc.stringMatching(/^[a-df-z][a-z0-9_]{0,8}$/); // `e0` as a key is a number to some readers, and sops does not quote it
const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.constantFrom('yes', 'null', '~', '0777', '1e3', '2026-01-02', 'a\nb\n', '\n', ' x ', '- a', '#no', 'ENC[', "it's", '{{ x }}', 'a: b', '\t', '😀', 'x'.repeat(300), 'l1\n\n  l2\n'));
const scalar = fc.oneof(text, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null));
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof({ depthSize: 'small', withCrossShrink: true }, scalar, fc.array(tie('tree'), { maxLength: 4 }), fc.dictionary(word, tie('tree'), { maxKeys: 4 })),
}));
const object = fc.dictionary(word.filter((key) => key !== 'sops'), tree, { minKeys: 1, maxKeys: 5, noNullPrototype: true });

describeWith(['sops'], 'files made by the real sops', ({ sops }) => {
  const directory = tempDir('sops');
  const encrypt = async (type: SopsType, plain: string | Uint8Array, recipient: string, options: readonly string[] = []): Promise<Uint8Array> => {
    const path = join(directory, 'plain');
    writeFileSync(path, plain);
    return (await mustRun(sops, ['--config', '/dev/null', 'encrypt', '--age', recipient, '--input-type', type, '--output-type', type, ...options, path])).stdout;
  };
  const decrypt = (type: SopsType, file: string): Promise<RunResult> => {
    const path = join(directory, 'encrypted');
    writeFileSync(path, file);
    return run(sops, ['decrypt', '--input-type', type, '--output-type', type, path], { env: { PATH: process.env['PATH'], HOME: directory, SOPS_AGE_KEY: SOPS_KEY } });
  };
  const open = async (type: SopsType, bytes: Uint8Array): Promise<string> => plainText(await openSopsFile({ bytes, name: 'x', type, identities: [SOPS_KEY] }));

  it('in JSON hold what went in', async () => {
    const recipient = await identityToRecipient(SOPS_KEY);
    await fc.assert(fc.asyncProperty(object, async (data) => {
      expect(JSON.parse(await open('json', await encrypt('json', JSON.stringify(data), recipient)))).toEqual(JSON.parse(JSON.stringify(data)));
    }), { numRuns: RUNS });
  });

  it('in YAML hold what went in, for readers of both versions of YAML', async () => {
    const recipient = await identityToRecipient(SOPS_KEY);
    await fc.assert(fc.asyncProperty(object, async (data) => {
      const plain = await open('yaml', await encrypt('yaml', JSON.stringify(data), recipient));
      const expected: unknown = JSON.parse(JSON.stringify(data));
      for (const version of ['1.1', '1.2'] as const) expect(parseAllDocuments(plain, { version }).map((document): unknown => document.toJS())).toEqual([expected]);
    }), { numRuns: RUNS });
  });

  it('in dotenv hold what went in', async () => {
    const recipient = await identityToRecipient(SOPS_KEY);
    const values = fc.dictionary(word.filter((key) => !key.startsWith('sops_')), fc.string({ unit: 'grapheme', maxLength: 30 }).filter((value) => !/[\\\n]/.test(value)), { minKeys: 1, maxKeys: 6 });
    await fc.assert(fc.asyncProperty(values, async (data) => {
      const plain = Object.entries(data).map(([key, value]) => `${key}=${value}\n`).join('');
      expect(await open('dotenv', await encrypt('dotenv', plain, recipient))).toBe(plain);
    }), { numRuns: RUNS });
  });

  it('in the binary form hold what went in', async () => {
    const recipient = await identityToRecipient(SOPS_KEY);
    await fc.assert(fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (data) => {
      const opened = await openSopsFile({ bytes: await encrypt('binary', data, recipient), name: 'x', identities: [SOPS_KEY] });
      expect(opened).toMatchObject({ type: 'binary', bytes: data });
    }), { numRuns: RUNS });
  });

  it.each([['--encrypted-regex', '^(?i)PASSWORD$'], ['--encrypted-suffix', '_secret'], ['--unencrypted-regex', '^clear'], ['--unencrypted-suffix', '_clear']])('with %s %s hold what went in', async (flag, rule) => {
    const recipient = await identityToRecipient(SOPS_KEY);
    const data = { password: 'a', Password: 'b', db: { password: 'c', n: 1.5, clear: { deep: [1, true, null] } }, x_secret: 'd', x_clear: 1e21, clearly: '2026-01-02' };
    for (const type of ['json', 'yaml'] as const) {
      const plain = await open(type, await encrypt(type, JSON.stringify(data), recipient, [flag, rule.replace('^(?i)', '(?i)^')]));
      expect(parseAllDocuments(plain, { version: '1.2' })[0]!.toJS()).toEqual(data);
    }
  });

  it('for a post-quantum recipient open', async () => {
    const identity = await generateAgeIdentity({ pq: true });
    const file = await encrypt('yaml', 'a: one\n', await identityToRecipient(identity));
    expect(plainText(await openSopsFile({ bytes: file, name: 'x.yaml', identities: [identity] }))).toBe('a: one\n');
  });

  describe('after a change', () => {
    const yaml = sopsText('types.yaml');
    const onlyEncrypted = sopsText('mac-only.yaml');
    it.each<[string, SopsType, string, boolean]>([
      ['none', 'yaml', yaml, true],
      ['a line of it gone', 'yaml', yaml.replace(/ {4}user: .*\n/, ''), false],
      ['a key renamed', 'yaml', yaml.replace('user:', 'loser:'), false],
      ['two items swapped', 'yaml', yaml.replace(/( {4}- ENC.*\n)( {4}- ENC.*\n)/, '$2$1'), false],
      ['a comment gone', 'yaml', yaml.replace(/^#ENC.*\n/, ''), true],
      ['a value in clear changed', 'yaml', yaml.replace('in clear', 'changed'), false],
      ['a value in clear renamed', 'yaml', yaml.replace('note_unencrypted', 'nota_unencrypted'), true],
      ['a number in clear written otherwise', 'yaml', yaml.replace('    - 7\n', '    - 0x7\n'), true],
      ['another time', 'yaml', yaml.replace('lastmodified: "2026', 'lastmodified: "2027'), false],
      ['no MAC', 'yaml', yaml.replace(/mac: .*/, 'mac: ""'), false],
      ['a value outside the rule changed', 'yaml', onlyEncrypted.replace('port: 5432', 'port: 1'), true],
      ['a value inside the rule in clear', 'yaml', onlyEncrypted.replace(/password: .*/, 'password: chosen'), false],
      ['the other sort of MAC', 'yaml', onlyEncrypted.replace(/ {4}mac_only_encrypted.*\n/, ''), false],
      ['a value emptied', 'dotenv', sopsText('app.env').replace(/^DB_USER=.*$/m, 'DB_USER='), false],
      ['keys in another order', 'json', sopsText('types.json').replace(/(\t"big".*\n)(\t"float".*\n)/, '$2$1'), false],
    ])('%s (%s): sops and this agree', async (_, type, file, good) => {
      expect((await decrypt(type, file)).code === 0).toBe(good);
      expect(await openSops('x', file, { type }).then(() => true, () => false)).toBe(good);
    });
  });
});
