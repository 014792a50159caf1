import { describe, expect, it, vi } from 'vitest';
import { Document } from 'yaml';
import { openSops, plainText, SOPS_KEY, sopsText } from '../../support/sops.js';
import { codeOf, failure } from '../../support/vaults.js';
import { encryptValue, makeSopsJson } from '../../support/sops-file.js';

/** Replaces exactly one place; a test whose change changes nothing would prove nothing. */
function change(name: string, from: string | RegExp, to: string | ((...found: string[]) => string)): string {
  const text = sopsText(name);
  const changed = text.replace(from, to as string);
  if (changed === text) throw new Error(`${String(from)} is not in ${name}`);
  return changed;
}

const line = (name: string, key: string): string => new RegExp(`^.*\\b${key}.*\\n`, 'm').exec(sopsText(name))![0];

describe('what is encrypted', () => {
  it.each([
    ['a flipped bit of a value', change('types.yaml', /(user: ENC\[AES256_GCM,data:)(.)/, (_, head, first) => head + (first === 'A' ? 'B' : 'A'))],
    ['a flipped bit of a tag', change('types.yaml', /(password: .*,tag:)(.)/, (_, head, first) => head + (first === 'A' ? 'B' : 'A'))],
    ['a renamed key', change('types.yaml', '    user: ENC', '    loser: ENC')],
    ['a renamed key above', change('types.yaml', /^db:/m, 'dc:')],
    ['two values under each other’s keys', change('types.yaml', /(user: )(.*)\n(.*password: )(.*)\n/, '$1$4\n$3$2\n')],
    ['a value moved to another file’s place', change('types.json', /("big": )"[^"]*"/, `$1${JSON.stringify(/"text": "([^"]*)"/.exec(sopsText('types.json'))![1])}`)],
  ])('%s: refused, by name of the place and without the value', async (_, text) => {
    const name = text.startsWith('{') ? 'types.json' : 'types.yaml';
    const error = await failure(openSops(name, text));
    expect(error).toMatchObject({ code: 'DECRYPT_FAILED', exitCode: 5 });
    expect(JSON.stringify(error)).not.toMatch(/ENC\[|p@ss|app"/);
  });
});

describe('the MAC', () => {
  it.each([
    ['two items of a list swapped', 'types.yaml', change('types.yaml', /( {4}- ENC.*\n)( {4}- ENC.*\n)/, '$2$1')],
    ['an item of a list left out', 'types.yaml', change('types.yaml', / {4}- ENC.*\n/, '')],
    ['a value left out', 'types.yaml', change('types.yaml', line('types.yaml', 'unicode'), '')],
    ['two keys in another order', 'types.yaml', change('types.yaml', /( {4}user: .*\n)( {4}password: .*\n)/, '$2$1')],
    ['a value in clear changed', 'types.yaml', change('types.yaml', 'note_unencrypted: in clear', 'note_unencrypted: in the dark')],
    ['a value in clear added', 'types.yaml', change('types.yaml', 'note_unencrypted:', 'more_unencrypted: 1\nnote_unencrypted:')],
    ['a number in clear turned into text', 'types.json', change('types.json', '100.5', '"100.50"')],
    ['a value emptied', 'app.env', change('app.env', /^DB_USER=.*$/m, 'DB_USER=')],
    ['documents in another order', 'two.yaml', ((): string => {
      const [first = '', second = ''] = sopsText('two.yaml').split('\n---\n');
      return `${second}---\n${first}\n`;
    })()],
    ['of another time than the file says', 'types.yaml', change('types.yaml', /lastmodified: "2026-11-23/, 'lastmodified: "2026-11-24')],
    ['of another file', 'types.yaml', change('types.yaml', /mac: .*/, `mac: ${/sops_mac=(.*)/.exec(sopsText('app.env'))![1]}`)],
    ['that is a value of the same file', 'app.env', change('app.env', /sops_mac=.*/, `sops_mac=${/DB_USER=(.*)/.exec(sopsText('app.env'))![1]}`)],
    ['empty', 'types.yaml', change('types.yaml', /mac: .*/, 'mac: ""')],
    ['missing', 'types.yaml', change('types.yaml', / {4}mac: .*\n/, '')],
    ['missing from dotenv', 'app.env', change('app.env', /sops_mac=.*\n/, '')],
    ['in clear', 'types.json', change('types.json', /"mac": "[^"]*"/, '"mac": "00"')],
    ['only over encrypted values, where the file says all', 'mac-only.yaml', change('mac-only.yaml', / {4}mac_only_encrypted: true\n/, '')],
    ['over all values, where the file says only encrypted ones', 'types.yaml', change('types.yaml', /( {4}mac: .*\n)/, '$1    mac_only_encrypted: true\n')],
  ])('%s: refused', async (_, name, text) => {
    expect(await failure(openSops(name, text))).toMatchObject({ code: 'SOPS_MAC', exitCode: 5 });
  });

  it('in small letters is not the one that sops writes', async () => {
    const lower = await makeSopsJson({ a: 'x' }, SOPS_KEY, { mac: 'ab'.repeat(64) });
    expect(await codeOf(openSops('x.json', lower))).toBe('SOPS_MAC');
    expect(plainText(await openSops('x.json', await makeSopsJson({ a: 'x' }, SOPS_KEY)))).toContain('"a": "x"');
  });

  it('of only the encrypted values does not cover those in clear, as with sops, and these are counted', async () => {
    const opened = await openSops('mac-only.yaml', change('mac-only.yaml', 'port: 5432', 'port: 1'));
    expect(opened.inClear).toBeGreaterThan(0);
  });

  it('does not cover the name of a value in clear, as with sops, and these are counted', async () => {
    expect((await openSops('types.yaml', change('types.yaml', 'note_unencrypted', 'nota_unencrypted'))).inClear).toBe(6);
  });
});

describe('a value in clear where the rule says encrypted', () => {
  it.each([
    ['in place of an encrypted one', 'mac-only.yaml', change('mac-only.yaml', /password: .*/, 'password: chosen')],
    ['added', 'mac-only.yaml', change('mac-only.yaml', /password: /, 'key: chosen\n    password: ')],
    ['a number', 'types.yaml', change('types.yaml', /port: .*/, 'port: 1')],
  ])('%s: refused', async (_, name, text) => {
    const error = await failure(openSops(name, text));
    expect(error).toMatchObject({ code: 'BAD_MATERIAL' });
    expect(error.message).toContain('in clear');
    expect(error.message).not.toContain('chosen');
  });
});

describe('the metadata', () => {
  it.each([
    ['types.yaml', sopsText('types.yaml').replace(/^sops:[^]*/m, '')],
    ['types.json', JSON.stringify({ ...(JSON.parse(sopsText('types.json')) as object), sops: undefined })],
    ['app.env', sopsText('app.env').replace(/^sops_.*\n/gm, '')],
    ['raw.bin', JSON.stringify({ data: 'x' })],
    ['a.yaml', 'a: 1\n'],
    ['a.yaml', ''],
  ])('stripped from %s: refused', async (name, text) => {
    const error = await failure(openSops(name, text, name === 'raw.bin' ? { type: 'binary' } : {}));
    expect(error).toMatchObject({ code: 'BAD_MATERIAL', message: expect.stringContaining('no sops metadata') as string });
  });

  it.each([
    ['more than one rule', { encrypted_suffix: 'a', unencrypted_suffix: 'b' }, 'BAD_MATERIAL'],
    ['no recipient of age', { age: [], kms: [{ arn: 'x' }] }, 'UNSUPPORTED'],
    ['key groups', { key_groups: [{ age: [] }, { age: [] }] }, 'UNSUPPORTED'],
    ['a rule that is no regular expression', { encrypted_regex: '(' }, 'UNSUPPORTED'],
    ['keys that are no list', { age: 'x' }, 'BAD_MATERIAL'],
  ])('with %s: refused', async (_, metadata, code) => {
    expect(await codeOf(openSops('x.json', await makeSopsJson({ a: 'x' }, SOPS_KEY, { metadata })))).toBe(code);
  });

  it('with a data key of a wrong size: refused', async () => {
    const error = await failure(openSops('x.json', await makeSopsJson({ a: 'x' }, SOPS_KEY, { dataKey: new Uint8Array(16) })));
    expect(error).toMatchObject({ code: 'BAD_MATERIAL', message: 'the SOPS file has a data key of a wrong size' });
  });
});

describe('comments', () => {
  it('that were moved where they do not decrypt are left out, and counted', async () => {
    const other = encryptValue('of another file', new Uint8Array(32), 'db:', 'comment');
    const opened = await openSops('types.yaml', change('types.yaml', '    user: ENC', `    #${other}\n    user: ENC`));
    expect(opened.lostComments).toBe(1);
    expect(plainText(opened)).not.toContain('ENC[');
  });
});

describe('the form', () => {
  it.each([
    ['x.yaml', 'a: &x 1\nb: *x\nsops: {}\n'],
    ['x.yaml', '- a\n'],
    ['x.yaml', 'a: 1\na: 2\n'],
    ['x.yaml', 'a: "\n'],
    ['x.json', '{"a": 1, "a": 2, "sops": {}}'],
    ['x.json', '[1]'],
    ['x.json', '{"a": secret}'],
    ['x.json', '# comment\n{"a": 1}'],
    ['x.env', 'A=1\nA=2\nsops_mac=x\n'],
    ['x.env', 'secret\n'],
  ])('%s %j: refused without a word of it', async (name, text) => {
    const error = await failure(openSops(name, text));
    expect(error.code).toBe('BAD_MATERIAL');
    expect(error.message).not.toContain('secret');
  });

  it('that no text can have: refused', async () => {
    expect(await codeOf(openSops('x.yaml', Uint8Array.of(0xff, 0xfe)))).toBe('BAD_MATERIAL');
    const bytes = await makeSopsJson({ a: Uint8Array.of(0xff) }, SOPS_KEY);
    expect(await codeOf(openSops('x.json', bytes))).toBe('UNSUPPORTED');
  });

  it('that nests without end: refused', async () => {
    expect(await codeOf(openSops('x.yaml', '['.repeat(200_000)))).toBe('BAD_MATERIAL');
  });

  it('with an alias among its values: refused', async () => {
    const error = await failure(openSops('types.yaml', change('types.yaml', 'note_unencrypted: in clear', 'note_unencrypted: &x in clear\nmore_unencrypted: *x')));
    expect(error).toMatchObject({ code: 'BAD_MATERIAL', message: expect.stringContaining('alias') as string });
  });

  it.each([
    ['begin with a byte order mark', { a: '\uFEFFx' }],
    ['hold the replacement character', { a: 'a\uFFFDb' }],
    ['stand under a number', { '7': 'seven', b: 'x' }],
  ])('keeps values that %s', async (_, values) => {
    expect(JSON.parse(plainText(await openSops('x.json', await makeSopsJson(values, SOPS_KEY))))).toEqual(values);
  });

  it.each([[[0xff]], [[0xf0, 0x9f, 0x98]], [[0xe2, 0x82]], [[0xef, 0xbb, 0xbf, 0x00]]])('keeps bytes that are no text: %j', async (bytes) => {
    const data = Uint8Array.from(bytes);
    expect(await openSops('x', await makeSopsJson({ data }, SOPS_KEY))).toMatchObject({ type: 'binary', bytes: data });
  });

  it('that would be printed with a loss: refused', async () => {
    const print = vi.spyOn(Document.prototype, 'toString').mockReturnValue('db: other\n');
    const refused = await failure(openSops('types.yaml'));
    print.mockRestore();
    expect(refused).toMatchObject({ code: 'BAD_MATERIAL', message: expect.stringContaining('without loss') as string });
  });

  it('keeps values under names that objects have anyway', async () => {
    const text = await makeSopsJson(Object.fromEntries([['__proto__', 'x'], ['constructor', 'y'], ['a', 'z']]), SOPS_KEY);
    const opened = plainText(await openSops('x.json', text));
    expect(opened).toContain('"constructor": "y"');
    expect(opened).toContain('"__proto__": "x"');
  });
});
