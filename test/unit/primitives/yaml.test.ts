/** The strict reader of YAML that people write: what it takes, where it says things are, and each thing that it refuses. */
import { describe, expect, it } from 'vitest';
import { isVaultError } from '../../../packages/core/src/errors.js';
import { readYaml } from '../../../packages/core/src/primitives/yaml.js';

const FILE = 'dir/some.yaml';

function refusal(text: string): string {
  try {
    readYaml(text, FILE);
  } catch (error) {
    if (isVaultError(error)) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'taken';
}

describe('what it takes', () => {
  it('is what JSON can hold, read by the rules of YAML 1.2', () => {
    const text = '# of us\n---\na: [1, 2.5, -3, 0x10, 1e3, true, null, ~, no, 010, 2001-01-01]\n"b c": { d: "x\\ny", e: }\n1: |\n  two\n  lines\n"q!": it is & is not *\n';
    expect(readYaml(text, FILE).value).toEqual({
      a: [1, 2.5, -3, 16, 1000, true, null, null, 'no', 10, '2001-01-01'], 'b c': { d: 'x\ny', e: null }, '1': 'two\nlines\n', 'q!': 'it is & is not *',
    });
  });

  it('may be no map', () => {
    expect(readYaml('- x\n', FILE).value).toEqual(['x']);
    expect(readYaml('---\n', FILE).value).toBeNull();
  });

  it('may begin with a byte order mark, and have lines as Windows ends them', () => {
    const yaml = readYaml('\ufeffa: 1\r\nb: 2\r\n', FILE);
    expect([yaml.value, yaml.lineOf(['b'])]).toEqual([{ a: 1, b: 2 }, 2]);
  });

  it('may be as deep as 90 levels, and have a map of 20,000 keys', () => {
    expect(refusal(`${'['.repeat(90)}${']'.repeat(90)}`)).toBe('taken');
    expect(Object.keys(readYaml(Array.from({ length: 20_000 }, (_, i) => `k${i}: x\n`).join(''), FILE).value as object)).toHaveLength(20_000);
  });
});

describe('where it says things are', () => {
  const yaml = readYaml('# comment\n\na:\n  - x\n  - b: 1\n    c:\n      2\n"1": y\n', FILE);

  it.each<[(string | number)[], number]>([
    [[], 3], [['a'], 3], [['a', 0], 4], [['a', '0'], 4], [['a', 1], 5], [['a', 1, 'c'], 6], [['1'], 8],
    [['a', 1, 'none'], 5], [['a', 7], 3], [['a', 0, 'deeper'], 4], [['none', 'at', 'all'], 3],
  ])('%j is in line %i, or the innermost part of it that is there', (path, line) => {
    expect([yaml.lineOf(path), yaml.place(path)]).toEqual([line, `${FILE}, line ${line}`]);
  });
});

describe('what it refuses', () => {
  const alias = 'an alias (*name), which is not allowed: write it out';
  const anchor = 'an anchor (&name), which is not allowed';
  const tag = 'a tag (!name), which is not allowed';
  const merge = 'a merge key (<<), which is not allowed: write it out';
  const directive = 'a directive (%NAME), which is not allowed';
  const number = 'a number that cannot be kept exactly: if it is a text, put it in quotes';
  const deep = 'nested too deeply';
  const twice = 'the same key twice in one map';
  const half = 'a text with half a character (\\ud800 to \\udfff alone)';

  it.each<[string, string, number, string]>([
    ['nothing', '', 1, 'the file is empty'],
    ['a comment only', '\n# hunter2\n', 1, 'the file is empty'],
    ['a second document', 'a: 1\n---\nb: hunter2\n', 2, 'a second document: a file holds one'],
    ['a second document after the end of the first', 'a: 1\n...\n---\nb: 1\n', 3, 'a second document: a file holds one'],
    ['a key twice', 'a: 1\n\na: hunter2\n', 3, twice],
    ['a key twice, once in quotes', 'hunter2: 1\n"hunter2": 2\n', 2, twice],
    ['a key twice after one without a value', 'a:\n  b:\na: 1\n', 3, twice],
    ['a key twice deep inside', '- x:\n    - { y: 1,\n        y: 2 }\n', 3, twice],
    ['keys that are one as text', '1: a\n"1": b\n', 2, twice],
    ['an alias', 'a: 1\nb: [*hunter2]\n', 2, alias],
    ['an alias as a key', '*hunter2 : 1\n', 1, 'a key that is no plain word'],
    ['an anchor', 'a: 1\nb: &hunter2 x\n', 2, anchor],
    ['an anchor on a map, which begins a line below', 'a: &hunter2\n  b: 1\n', 1, anchor],
    ['an anchor on nothing', 'a: &hunter2\n', 1, anchor],
    ['an anchor on a key', '&hunter2 a: 1\n', 1, anchor],
    ['a tag of its own', 'a: 1\nb: !hunter2 x\n', 2, tag],
    ['a tag that is known', 'a: !!str 5\n', 1, tag],
    ['a tag that says nothing', 'a: ! 5\n', 1, tag],
    ['a tag on a list, which begins a line below', 'a: !!seq\n  - x\n', 1, tag],
    ['a merge key', 'a: 1\nb:\n  <<: { c: hunter2 }\n', 3, merge],
    ['a merge key of several', '<<: [{ a: 1 }, { b: 2 }]\n', 1, merge],
    ['a directive that makes it another YAML', '%YAML 1.1\n---\na: no\n', 1, directive],
    ['the same after a byte order mark', '\ufeff%YAML 1.1\n---\na: no\n', 1, directive],
    ['a directive below a comment', '# x\n%TAG ! tag:hunter2,2000:\n---\na: 1\n', 2, directive],
    ['a directive that nobody knows', '%HUNTER2\n---\na: 1\n', 1, directive],
    ['infinity', 'a: 1\nb: -.inf\n', 2, number],
    ['no number', 'a: [.nan]\n', 1, number],
    ['a number that would be rounded', 'a: 12345678901234567890\n', 1, number],
    ['a number that would be infinite', 'a: 1e999\n', 1, number],
    ['half a character', 'a: "\\ud800hunter2"\n', 1, half],
    ['half a character in a key', 'a: 1\n"\\udc00": 1\n', 2, half],
    ['a list as a key', '? [hunter2]\n: 1\n', 1, 'a key that is no plain word'],
    ['__proto__', 'a:\n  __proto__: { b: 1 }\n', 2, '__proto__ cannot be a key or a name'],
    ['constructor', '"constructor": 1\n', 1, 'constructor cannot be a key or a name'],
    ['prototype', '{ prototype: 1 }\n', 1, 'prototype cannot be a key or a name'],
    ['a tab', 'a:\n\tb: hunter2\n', 2, 'a tab where blanks must indent'],
    ['an open quote', 'a: "hunter2\n', 2, 'a character is missing, such as a comma, a closing quote or a bracket'],
    ['an open bracket', 'a: [hunter2\nb: 1\n', 2, 'wrong indentation, or a bracket that is not closed'],
    ['a map where none can be', 'a: b: hunter2\n', 1, 'a map where only one line can stand'],
    ['what a plain value cannot begin with', 'a: @hunter2\n', 1, 'not valid YAML'],
    ['more than a million characters', `a: ${'x'.repeat(1024 * 1024)}\n`, 1, 'the file is larger than 1048576 characters'],
    ['lists in lists', `a: 1\nb: ${'['.repeat(101)}${']'.repeat(101)}\n`, 2, deep],
    ['maps in maps', Array.from({ length: 102 }, (_, i) => `${' '.repeat(i)}a:\n`).join(''), 100, deep],
    ['what would exhaust the parser', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, 1, deep],
    ['what would exhaust the parser, in keys', `${'? '.repeat(100_000)}a\n`, 1, deep],
    ['what would exhaust the parser, never closed', '{a: '.repeat(100_000), 1, deep],
  ])('%s', (_what, text, line, fault) => {
    const message = refusal(text);
    expect(message).toBe(`BAD_YAML ${FILE}, line ${line}: ${fault}`);
    expect(message.toLowerCase()).not.toContain('hunter2');
  });

  it('with a hint of the caller', () => {
    expect(() => readYaml('a: [', FILE, { hint: 'do this' })).toThrow(expect.objectContaining({ code: 'BAD_YAML', hint: 'do this' }));
    expect(() => readYaml('a: *b', FILE, { hint: 'do this' })).toThrow(expect.objectContaining({ hint: 'do this' }));
  });
});
