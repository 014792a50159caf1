import { describe, expect, it } from 'vitest';
import { mismatch, parseSession } from '../../cli/script.js';

const names = (): Map<string, string> => new Map();

describe('a session', () => {
  it('is read as commands of persons with what they see', () => {
    const text = '# comment\nalice$ one\nout\n\n$ two <<END\n> here\n> END\n[exit 5]\n\nbruno$ three\n  indented\n\nlast\n';
    expect(parseSession(text)).toEqual([
      { line: 2, person: 'alice', command: 'one', expected: ['out'], exit: 0 },
      { line: 5, person: 'alice', command: 'two <<END\nhere\nEND', expected: [], exit: 5 },
      { line: 10, person: 'bruno', command: 'three', expected: ['  indented', '', 'last'], exit: 0 },
    ]);
  });

  it('begins with a command', () => expect(() => parseSession('lost\n$ x\n')).toThrow('line 1'));
});

describe('comparing what is shown', () => {
  it.each([
    [['a', 'b'], 'a\nb\n'],
    [['a…c'], 'abbbc  \n\n'],
    [['...'], ''],
    [['...', 'end'], 'x\ny\nend\n'],
    [['begin', '...', 'mid', '...'], 'begin\n1\nmid\n2\n3\n'],
    [['(nothing)'], '\n'],
    [[], 'whatever'],
    [['1+1 (ok) [x]'], '1+1 (ok) [x]\n'],
  ])('%j fits %j', (expected, output) => expect(mismatch(expected, output, names())).toBeUndefined());

  it.each([
    [['a'], 'b\n'],
    [['a'], ''],
    [['a'], 'a\nb\n'],
    [['a', 'b'], 'a\n'],
    [['...', 'end'], 'x\ny\n'],
    [['(nothing)'], 'x'],
    [['a.c'], 'abc'],
    [['  a'], 'a'],
  ])('%j does not fit %j', (expected, output) => expect(mismatch(expected, output, names())).toBeTypeOf('string'));

  it('remembers a word and holds later ones against it', () => {
    const known = names();
    expect(mismatch(['id ‹id› of ‹who›'], 'id 7c1f of alice', known)).toBeUndefined();
    expect(Object.fromEntries(known)).toEqual({ id: '7c1f', who: 'alice' });
    expect(mismatch(['...', 'again ‹id›'], 'x\nagain 7c1f', known)).toBeUndefined();
    expect(mismatch(['again ‹id›'], 'again 9999', known)).toBeTypeOf('string');
  });
});
