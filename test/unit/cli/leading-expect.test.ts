import { describe, expect, it } from 'vitest';
import { leadingExpect } from '../../../packages/cli/src/leading-expect.js';

describe('--expect before the command', () => {
  it.each([
    ['--expect LINE open x', 'open x', 'LINE'],
    ['--expect=LINE open x', 'open x', 'LINE'],
    ['--json --vault ./v --expect LINE open x', '--json --vault ./v open x', 'LINE'],
    ['--vault --expect open x', '--vault --expect open x', undefined],
    ['open x --expect LINE', 'open x --expect LINE', undefined],
    ['-- --expect LINE', '-- --expect LINE', undefined],
    ['', '', undefined],
  ])('%s', (line, rest, said) => {
    const found = leadingExpect(line.split(' '));
    expect([found.argv.join(' '), found.expect]).toEqual([rest, said]);
  });

  it.each([[['--expect']], [['--expect=', 'open']]])('that says nothing is a usage error: %s', (argv) => {
    expect(() => leadingExpect(argv)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});
