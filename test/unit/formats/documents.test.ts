import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { opened, streamed, streamedText, written } from './opened.js';

const BINARY = Uint8Array.of(0xff, 0x00, 0xfe, 0x0a);

describe('raw', () => {
  it('is the bytes, without a newline of its own', async () => {
    expect(await streamed('raw', [opened('a/b', BINARY)])).toEqual(BINARY);
    expect(await streamedText('raw', [opened('a/b', 'x')])).toBe('x');
    expect(await streamedText('raw', [opened('a/b', '\ufeffx\r\n\n')])).toBe('\ufeffx\r\n\n');
  });

  it('gives a copy: wiping the output leaves the secret whole', async () => {
    const secret = opened('a/b', 'value');
    (await streamed('raw', [secret])).fill(0);
    expect(await streamedText('raw', [secret])).toBe('value');
  });

  it('takes one secret to a stream and several to a directory', async () => {
    await expect(streamed('raw', [opened('a'), opened('b')])).rejects.toMatchObject({ code: 'USAGE' });
    const tree = await written('raw', [opened('b/c', 'two'), opened('a', 'one')]);
    expect([...tree.keys()]).toEqual(['a', 'b/c']);
    expect(tree.get('b/c')).toMatchObject({ mode: 0o600, bytes: new TextEncoder().encode('two') });
  });

  it('refuses a file where another needs a directory', async () => {
    await expect(written('raw', [opened('a/b/c'), opened('a')])).rejects.toMatchObject({ code: 'FORMAT_UNSUITABLE' });
    await expect(written('raw', [opened('a/b'), opened('a/b/c')])).rejects.toThrow(/a\/b and the directory of a\/b\/c/);
  });

  it.each(['../x', '/etc/passwd', 'a/../b', 'a//b', 'a/', 'A', 'a\\b', 'a\0b', ''])('writes no file for the name %j', async (name) => {
    await expect(written('raw', [opened(name)])).rejects.toMatchObject({ code: 'BAD_NAME' });
    await expect(written('files', [opened(name)])).rejects.toMatchObject({ code: 'BAD_NAME' });
  });
});

describe('json', () => {
  it('maps names to text in the order of the names, and to base64 what is not UTF-8', async () => {
    const text = await streamedText('json', [opened('b', BINARY), opened('a/x', 'é\n"'), opened('a-x', '')]);
    expect(text).toBe('{\n  "a-x": "",\n  "a/x": "é\\n\\"",\n  "b": {\n    "base64": "/wD+Cg=="\n  }\n}\n');
  });

  it('keeps every byte of text, a byte order mark too', async () => {
    const value = '\ufeff\0 \u2028 \u{1f600}';
    expect(JSON.parse(await streamedText('json', [opened('a', value)]))).toEqual({ a: value });
  });

  it('calls a field name#field', async () => {
    const secret = opened('a', 'text', { field: 'content' });
    expect(JSON.parse(await streamedText('json', [secret, opened('a')]))).toEqual({ 'a': 'value', 'a#content': 'text' });
  });

  it('refuses two versions of one name', async () => {
    const two = [opened('a'), opened('a', 'other', { version: 2 })];
    await expect(streamed('json', two)).rejects.toMatchObject({ code: 'USAGE', message: 'a is given twice (v1 and v2)' });
  });
});

describe('yaml', () => {
  it('quotes what YAML would read as something else, and writes lines as lines', async () => {
    const text = await streamedText('yaml', [opened('on', 'yes'), opened('n', '0123'), opened('pem', '-----A\n  b\n-----\n')]);
    expect(text).toBe('"n": "0123"\n"on": "yes"\npem: |\n  -----A\n    b\n  -----\n');
  });

  it('says the same as json', async () => {
    const secrets = [opened('b', BINARY), opened('a', 'text')];
    expect(parse(await streamedText('yaml', secrets))).toEqual(JSON.parse(await streamedText('json', secrets)));
  });

  it.each(['a\r\nb\n', '\n', ' \n', 'a\n ', '\ta\n\tb', ' a\nb', '# a\nb', '---\n', 'a\n\n\n', '\u0085\n', '\u2028\na', '\ufeffa\n', '\ufffe', '\u007f'])(
    'keeps %j',
    async (value) => {
      const text = await streamedText('yaml', [opened('a', value)]);
      expect(parse(text)).toEqual({ a: value });
      expect(text).not.toMatch(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/);
    },
  );

  it('keeps any text', async () => {
    const character = fc.constantFrom('\n', ' ', '\t', '\r', '#', ':', '-', '"', "'", 'a', '\\', '\u2028', '\u0085', '\ufeff', 'é', '\u{1f600}', '\0', '%', '&', '|', '>');
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: character })), async (value) => {
        expect(parse(await streamedText('yaml', [opened('a', value)]))).toEqual({ a: value });
      }),
      { numRuns: 500 },
    );
  });
});
