import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { plainLines } from '../../packages/core/src/surroundings/plain-lines.js';

const yaml = (text: string): unknown => {
  try {
    return parse(text) as unknown;
  } catch {
    return undefined; // no YAML at all: plainLines must not have an opinion either
  }
};

/** Words that mean something else to YAML, and pieces of which more of them can be made. */
const word = fc.oneof(
  fc.constantFrom('git+.', './vault', '/srv/vault', 'git+https://git.example.org/p.git#main', 'null', '~', 'True', '12', '1e5', '0x1f', '0o17', '.5', '.inf', '-', 'a:', 'a #b', '1_000', '2026-01-01', 'y'),
  fc.stringMatching(/^[0-9a-fox.+:#~"' e_-]{1,12}$/),
  fc.stringMatching(/^[0-9a-f]{16}@[0-9]{1,4}:[0-9a-f]{16}$/),
  fc.stringMatching(/^[0-9e]{1,16}$/),
);
const value = fc.oneof(word, word.map((text) => `"${text}"`), word.map((text) => `'${text}'`));
const line = fc.oneof(
  fc.tuple(fc.constantFrom('vault: ', 'expect: ', 'vault:  ', 'vault:', ' vault: ', 'more: ', '- vault: '), value, fc.constantFrom('', '', '', ' ', ' # why', '\r')).map((parts) => parts.join('')),
  fc.constantFrom('', '# a remark', '---', '...', '%YAML 1.1', '\t', '  more'),
);

describe('an oxp-vault.yaml that is read without a YAML parser', () => {
  it('says what a YAML parser says it does', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 4 }), (lines) => {
        const text = lines.join('\n');
        const plain = plainLines(text);
        if (plain !== undefined) expect(plain).toEqual(yaml(text));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['# How commands find the vault.\nvault: "git+."\nexpect: 0cd8280b25d2682849f8508d8f22b46d1f6462f18ed5e2ffd2f4d5c6106bb5e0\n', { vault: 'git+.', expect: '0cd8280b25d2682849f8508d8f22b46d1f6462f18ed5e2ffd2f4d5c6106bb5e0' }],
    ['vault: git+ssh://git@example.org/p.git#live\n', { vault: 'git+ssh://git@example.org/p.git#live' }],
    ['vault: ./vault\nexpect: 0cd8@12:0cd8', { vault: './vault', expect: '0cd8@12:0cd8' }],
  ])('is one as init writes it, and as people do: %j', (text, meant) => {
    expect(plainLines(text)).toEqual(meant);
  });

  it.each(['vault: 12', 'vault: a\nvault: b', 'vault: [a]', "vault: 'a'", 'vault: a # why', 'vault: a\n  b', 'more: a', 'vault: null', ''])('is none with anything else in it: %j', (text) => {
    expect(plainLines(text)).toBeUndefined();
  });
});
