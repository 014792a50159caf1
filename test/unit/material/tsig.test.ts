import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tsig } from '../../../packages/core/src/material/tsig.js';
import { formatTsigClause, parseTsigClause, type TsigAlgorithm, type TsigKey } from '../../../packages/core/src/material/tsig-clause.js';
import { canonicalKeyName, nextKeyName, sameKeySeries } from '../../../packages/core/src/material/tsig-name.js';
import { context, expectBound, generate, read, refused, take, textOf } from './helpers.js';

const SECRET = 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
const clause = (inside: string, name = '"k."'): string => `key ${name} { ${inside} };\n`;
const GOOD = `algorithm hmac-sha256; secret "${SECRET}";`;

describe('generate', () => {
  it.each([
    ['hmac-sha256', 32],
    ['hmac-sha384', 48],
    ['hmac-sha512', 64],
  ])('makes a full-length secret for %s', async (algorithm, size) => {
    const key = await generate(tsig, { key: 'External-DNS', algorithm });
    expect(key.public).toEqual({ keyname: 'external-dns.', algorithm, bits: size * 8 });
    expect(key.parameters).toEqual({ key: 'external-dns.', algorithm });
    expect(Buffer.from(read(tsig, key, 'secret'), 'base64')).toHaveLength(size);
    expect(textOf(key)).toBe(`key "external-dns." {\n\talgorithm ${algorithm};\n\tsecret "${read(tsig, key, 'secret')}";\n};\n`);
    expect(tsig.facts(key.public)).toBe(`${size * 8} bits`);
  });

  it('names the key after the secret where nobody named it', async () => {
    const key = await tsig.generate!(tsig.parameters({}), context('dns/rfc2136_tsig_secret'));
    expect(key.public['keyname']).toBe('dns-rfc2136_tsig_secret.');
  });

  it('never makes the same secret twice', async () => {
    const [a, b] = [await generate(tsig), await generate(tsig)];
    expect(read(tsig, a, 'secret')).not.toBe(read(tsig, b, 'secret'));
  });

  it.each(['hmac-md5', 'hmac-sha1', 'HMAC-SHA256', ''])('refuses the algorithm %j', async (algorithm) => {
    const error = await refused('BAD_VALUE', () => tsig.parameters({ algorithm }));
    expect(error.message).toContain('tsig: algorithm: expected one of hmac-sha256');
  });

  it.each(['a b', 'a..b', '.', 'ä', 'x'.repeat(64), `${'abcdefg.'.repeat(32)}abc`, 'a"b'])('refuses the key name %j', async (key) => {
    expect((await refused('BAD_VALUE', () => tsig.parameters({ key }))).message).toContain('tsig: key:');
  });
});

describe('rotate', () => {
  it('gives each key a new name', async () => {
    const first = await generate(tsig, { key: 'external-dns.' });
    const second = await tsig.generate!(first.parameters, context('x', { previous: first }));
    const third = await tsig.generate!(second.parameters, context('x', { previous: second }));
    expect([second, third].map((key) => key.public['keyname'])).toEqual(['external-dns-v2.', 'external-dns-v3.']);
    expect(read(tsig, second, 'secret')).not.toBe(read(tsig, first, 'secret'));
  });

  it('goes on from the version that is there, also when the parameters still name the first', async () => {
    const third = { kind: 'tsig', parameters: {}, public: { keyname: 'external-dns-v3.', algorithm: 'hmac-sha256', bits: 256 } };
    expect((await generate(tsig, { key: 'external-dns.' }, { previous: third })).public['keyname']).toBe('external-dns-v4.');
    expect((await generate(tsig, {}, { previous: third })).public['keyname']).toBe('external-dns-v4.');
    expect((await generate(tsig, { key: 'other.' }, { previous: third })).public['keyname']).toBe('other.');
  });

  it('says so where the name has no room', async () => {
    const long = `${'x'.repeat(63)}.`;
    const previous = { kind: 'tsig', parameters: {}, public: { keyname: long } };
    expect((await refused('BAD_VALUE', () => generate(tsig, { key: long }, { previous }))).hint).toContain('--set key=');
  });

  it.each([
    ['external-dns.', 'external-dns-v2.'],
    ['external-dns-v9.', 'external-dns-v10.'],
    ['key.example.org.', 'key-v2.example.org.'],
    ['key-v2.example.org.', 'key-v3.example.org.'],
    ['a-v0.', 'a-v0-v2.'],
    ['v2.', 'v2-v2.'],
    ['a.b-v2.', 'a-v2.b-v2.'],
  ])('%s is followed by %s', (name, next) => {
    expect(nextKeyName(name)).toBe(next);
    expect(sameKeySeries(name, next)).toBe(true);
  });

  it('any name is followed by another of its series', () => {
    const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 4 }), (labels) => {
        const name = canonicalKeyName(labels.join('.'))!;
        const next = nextKeyName(name)!;
        expect(next).not.toBe(name);
        expect(sameKeySeries(name, next)).toBe(true);
        expect(canonicalKeyName(next)).toBe(next);
      }),
    );
  });
});

describe('import', () => {
  it.each([
    ['as tsig-keygen prints it', `key "k." {\n\talgorithm hmac-sha256;\n\tsecret "${SECRET}";\n};\n`],
    ['other order', clause(`secret "${SECRET}"; algorithm hmac-sha256;`)],
    ['unquoted, upper case, no final dot', clause(`algorithm HMAC-SHA256; secret ${SECRET};`, 'K')],
    ['quoted algorithm', clause(`algorithm "hmac-sha256"; secret "${SECRET}";`)],
    ['comments', `# one\n// two\n/* three\n key "x" { */\nkey /* a */ "k" { // b\n${GOOD} # c\n};\n// end`],
    ['everything on one line without blanks', `key"k"{algorithm hmac-sha256;secret"${SECRET}";};`],
    ['CRLF', `key "k." {\r\n\t${GOOD}\r\n};\r\n`],
    ['JSON of fields', JSON.stringify({ key: 'k', algorithm: 'hmac-sha256', secret: SECRET })],
  ])('takes a key %s', async (_title, text) => {
    const key = await take(tsig, text);
    expect(textOf(key)).toBe(`key "k." {\n\talgorithm hmac-sha256;\n\tsecret "${SECRET}";\n};\n`);
    expect(key.public).toEqual({ keyname: 'k.', algorithm: 'hmac-sha256', bits: 256 });
    expect(key.parameters).toEqual({ key: 'k.', algorithm: 'hmac-sha256' });
  });

  it('takes a bare secret with the parameters around it', async () => {
    const key = await take(tsig, JSON.stringify({ secret: SECRET }), { key: 'ddns', algorithm: 'hmac-sha512' });
    expect(key.public).toEqual({ keyname: 'ddns.', algorithm: 'hmac-sha512', bits: 256 });
  });

  const bad: [string, string, RegExp][] = [
    ['two clauses', clause(GOOD) + clause(GOOD, '"other."'), /more than one/],
    ['no clause', '\n# nothing\n', /the word key/],
    ['another statement of named.conf', 'zone "example.org" { type primary; };', /the word key/],
    ['a clause within options', `options { ${clause(GOOD)} };`, /the word key/],
    ['no name', `key { ${GOOD} };`, /name is missing/],
    ['no final semicolon', `key "k" { ${GOOD} }`, /expected ;/],
    ['no semicolon inside', clause(`algorithm hmac-sha256 secret "${SECRET}";`), /expected ;/],
    ['not closed', `key "k" { ${GOOD}`, /expected }/],
    ['not opened', `key "k" ${GOOD} };`, /expected {/],
    ['no algorithm', clause(`secret "${SECRET}";`), /no algorithm/],
    ['no secret', clause('algorithm hmac-sha256;'), /no secret/],
    ['two secrets', clause(`${GOOD} secret "${SECRET}";`), /two secret/],
    ['a strange statement', clause(`${GOOD} server 127.0.0.1;`), /other than algorithm and secret/],
    ['MD5', clause(`algorithm hmac-md5; secret "${SECRET}";`), /too weak/],
    ['MD5 by its long name', clause(`algorithm hmac-md5.sig-alg.reg.int; secret "${SECRET}";`), /too weak/],
    ['SHA-1', clause(`algorithm hmac-sha1; secret "${SECRET}";`), /too weak/],
    ['truncated digests', clause(`algorithm hmac-sha256-128; secret "${SECRET}";`), /not supported/],
    ['a short secret', clause('algorithm hmac-sha256; secret "MDEyMzQ1Njc4OWFiY2Rl";'), /120 bits/],
    ['an empty secret', clause('algorithm hmac-sha256; secret "";'), /not base64/],
    ['base64 with stray characters', clause(`algorithm hmac-sha256; secret "${SECRET.slice(0, 20)}!${SECRET.slice(20)}";`), /not base64/],
    ['base64 with loose bits at its end', clause(`algorithm hmac-sha256; secret "${SECRET.slice(0, -2)}Z=";`), /not base64/],
    ['base64 without padding', clause(`algorithm hmac-sha256; secret "${SECRET.slice(0, -1)}";`), /not base64/],
    ['a name that is none', clause(GOOD, '"a b"'), /key name/],
    ['an open comment', `/* ${clause(GOOD)}`, /not a named.conf/],
    ['an open quote', `key "k { ${GOOD} };`, /not a named.conf|expected/],
    ['an escape', clause(GOOD, '"k\\"."'), /not a named.conf/],
  ];
  it.each(bad)('refuses %s', async (_title, text, message) => {
    const error = await refused('BAD_MATERIAL', () => take(tsig, text), SECRET.slice(0, 12));
    expect(error.message).toMatch(message);
  });

  it('refuses what is no text', async () => {
    await refused('BAD_MATERIAL', () => take(tsig, new Uint8Array([0xff, 0xfe])));
  });

  const anyKey: fc.Arbitrary<TsigKey> = fc
    .record({
      name: fc.array(fc.stringMatching(/^[a-z0-9_-]{1,12}$/), { minLength: 1, maxLength: 3 }).map((labels) => `${labels.join('.')}.`),
      algorithm: fc.constantFrom<TsigAlgorithm>('hmac-sha224', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512'),
      secret: fc.uint8Array({ minLength: 32, maxLength: 80 }),
    });
  const blank = fc.constantFrom(' ', '\n\t', ' # c; } "\n', ' // c {\n', '/* " ; */');

  it('reads back every key that it writes, however it is laid out', () => {
    fc.assert(
      fc.property(anyKey, fc.array(blank, { minLength: 9, maxLength: 9 }), fc.boolean(), (key, blanks, swap) => {
        expect(parseTsigClause(formatTsigClause(key))).toEqual(key);
        const [a, b, c, d, e, f, g, h, i] = blanks;
        const statements = [`algorithm ${key.algorithm.toUpperCase()}${a};`, `secret${b}"${Buffer.from(key.secret).toString('base64')}"${c};`];
        if (swap) statements.reverse();
        expect(parseTsigClause(`${d}key ${e}"${key.name}"${f}{${statements.join(g)}${h}}${i};`)).toEqual(key);
      }),
    );
  });

  it('never answers anything but a key or BAD_MATERIAL', () => {
    const piece = fc.constantFrom('key', '"k"', '{', '}', ';', 'algorithm', 'hmac-sha256', 'secret', SECRET, '#', '/*', '*/', '"', '\n', ' ');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        try {
          expect(parseTsigClause(pieces.join(' ')).name).toBe('k.');
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_MATERIAL' });
        }
      }),
    );
  });
});

describe('check', () => {
  it('binds the clause to its public parts', async () => {
    const key = await generate(tsig, { key: 'a' });
    await expectBound(tsig, key, await generate(tsig, { key: 'b' }));
    await expectBound(tsig, key, await generate(tsig, { key: 'a', algorithm: 'hmac-sha512' }));
  });

  it('says so of a file that is no clause', async () => {
    const key = await generate(tsig);
    const broken = { ...key, file: (await generate(tsig)).file };
    broken.file.use((content) => content.fill(0x20));
    expect(await tsig.check(broken, { now: 0 })).toEqual([{ check: 'clause parses', ok: false, detail: 'tsig: expected the word key in the key clause' }]);
  });
});

it('is a fixed point of its own parameters', () => {
  for (const raw of [{}, { key: 'A.b' }, { key: 'x', algorithm: 'hmac-sha512' }]) {
    const once = tsig.parameters(raw);
    expect(tsig.parameters(once)).toEqual(once);
  }
});
