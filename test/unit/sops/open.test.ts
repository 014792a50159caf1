import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { generateAgeIdentity } from '../../../packages/core/src/primitives/age.js';
import { openSops, plainText, SOPS_KEY, sopsText, sopsVector } from '../../support/sops.js';
import { codeOf, failure } from '../../support/vaults.js';

/** Data that no comment and no layout can make different. */
const lines = (text: string): string[] => text.split('\n').map((line) => line.trim());

describe('a SOPS file', () => {
  it.each(['two.yaml', 'types.json', 'app.env', 'raw.bin'])('%s opens to what sops itself decrypts, byte for byte', async (name) => {
    const opened = await openSops(name);
    expect(Buffer.from(opened.bytes)).toEqual(readFileSync(sopsVector(`${name}.plain`)));
    expect(opened.lostComments).toBe(0);
  });

  it.each(['types.yaml', 'mac-only.yaml', 'comment-rule.yaml'])('%s opens to what sops itself decrypts, save for quotes and where a comment stands', async (name) => {
    const opened = await openSops(name);
    const text = plainText(opened).replace('"p@ss: #1 \'x\'"', "'p@ss: #1 ''x'''").replace('😀', '\\U0001F600').replace(/^( *)(- name: carol) # inline$/m, '$1# inline\n$1$2');
    expect(lines(text)).toEqual(lines(sopsText(`${name}.plain`).replace(/^( *)(- name: carol) # inline$/m, '$1# inline\n$1$2')));
    expect(opened.lostComments).toBe(0);
  });

  it('in YAML keeps its comments, its indentation and the type of every value', async () => {
    const text = plainText(await openSops('types.yaml'));
    expect(text).toMatch(/^# of the platform\ndb:\n {4}# who may log in\n {4}user: app\n/);
    expect(text).toContain('    big: 9223372036854775807\n');
    expect(text).toContain('    looks_bool: "yes"\n    looks_int: "0777"\n');
    expect(text).toContain('key: |\n    -----BEGIN KEY-----\n    abc\n\n    def\n');
    expect(text).not.toMatch(/sops|ENC\[/);
  });

  it('tells its type by its ending, else by its form', async () => {
    for (const [name, type] of [['types.yaml', 'yaml'], ['types.json', 'json'], ['app.env', 'dotenv'], ['raw.bin', 'binary']] as const) {
      expect((await openSops('secret', sopsText(name))).type).toBe(type);
    }
    expect(await codeOf(openSops('f.ini'))).toBe('UNSUPPORTED');
  });

  it('comes apart at its top', async () => {
    const pieces = (await openSops('types.json')).pieces('top');
    expect(pieces.map(({ path, scalar, bytes }) => [path.join('.'), scalar, bytes && Buffer.from(bytes).toString().replace(/\s/g, '')])).toEqual([
      ['2', true, 'numerickey'], ['b', false, '{"x":[1,2.5,true,null,"z",{"10":"t"}]}'], ['big', true, '12345678901234567'], ['float', true, '1000'], ['1', true, 'one'],
      ['clear_unencrypted', true, '100.5'], ['e', true, undefined], ['text', true, 'line1line2é😀"q"'],
    ]);
    const yaml = (await openSops('types.yaml')).pieces('top');
    expect(Buffer.from(yaml.find(({ path }) => path[0] === '90')!.bytes!).toString()).toBe('"91": deep\n');
  });

  it('comes apart at its leaves', async () => {
    const pieces = (await openSops('types.yaml')).pieces('leaves');
    const at = (...path: (string | number)[]): string | undefined => {
      const { bytes } = pieces.find((piece) => piece.path.join('\0') === path.join('\0'))!;
      return bytes && Buffer.from(bytes).toString();
    };
    expect(at('db', 'password')).toBe(`p@ss: #1 'x'`);
    expect(at('users', 3, 'name')).toBe('carol');
    expect(at('key')).toBe('-----BEGIN KEY-----\nabc\n\ndef\n-----END KEY-----\n');
    expect([at('db', 'empty'), at('db', 'nothing')]).toEqual([undefined, undefined]);
  });

  it('counts what stands in clear', async () => {
    expect((await openSops('types.yaml')).inClear).toBe(6);
    expect((await openSops('raw.bin')).inClear).toBe(0);
  });
});

describe('identities', () => {
  it('any of several opens', async () => {
    await expect(openSops('two.yaml', undefined, { identities: [await generateAgeIdentity(), SOPS_KEY] })).resolves.toBeDefined();
  });

  it('none that fits: says for whom the file is, and nothing of the identities', async () => {
    const stranger = await generateAgeIdentity();
    const error = await failure(openSops('two.yaml', undefined, { identities: [stranger] }));
    expect(error).toMatchObject({ code: 'IDENTITY_NOT_FOUND', exitCode: 9 });
    expect(error.details).toHaveLength(2);
    expect(JSON.stringify(error)).not.toContain(stranger.slice(0, 20));
  });

  it('a post-quantum one opens what only it can', async () => {
    const { makeSopsJson } = await import('../../support/sops-file.js');
    const identity = await generateAgeIdentity({ pq: true });
    const text = await makeSopsJson({ a: 'one' }, identity);
    expect(JSON.parse(plainText(await openSops('x.json', text, { identities: [identity] })))).toEqual({ a: 'one' });
  });

  it('are never given to sops-age, which decrypts the values', async () => {
    const path = '../../../packages/core/node_modules/sops-age/dist/index.js';
    const seen: unknown[] = [];
    const opened: unknown[] = [];
    vi.doMock(path, async (original) => {
      const real = await original<{ decryptSops(input: string, options: object): Promise<unknown> }>();
      const decryptSops = async (input: string, options: object): Promise<unknown> => {
        seen.push(input, options);
        opened.push(await real.decryptSops(input, options));
        return opened[0];
      };
      return { ...real, decryptSops };
    });
    vi.resetModules();
    const { openSopsFile } = await import('../../../packages/core/src/material/sops/open.js');
    await openSopsFile({ bytes: readFileSync(sopsVector('app.env')), name: 'app.env', identities: [SOPS_KEY] });
    vi.doUnmock(path);
    expect(JSON.stringify(opened)).toContain('"DB_USER":"app"');
    expect(JSON.stringify(seen)).not.toContain(SOPS_KEY);
  });
});
