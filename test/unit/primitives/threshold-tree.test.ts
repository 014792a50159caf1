import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSatisfied, missingInWords, type ThresholdTree } from '../../../packages/core/src/primitives/threshold-tree.js';
import { arbTree, HUMANS } from '../../support/policies.js';

const two: ThresholdTree = { need: 2, of: ['alice', 'bruno', 'erin'] };
const both: ThresholdTree = { need: 2, of: [two, { need: 1, of: ['frank', 'grace'] }] };
const glass: ThresholdTree = { need: 1, of: [{ need: 2, of: ['alice', 'bruno'] }, { need: 2, of: ['north', 'south'] }] };
const anybody = (): boolean => true;

describe('who is still needed', () => {
  it.each<[ThresholdTree, string, string]>([
    [two, '', '2 of alice bruno erin'],
    [two, 'alice', 'bruno or erin'],
    [two, 'alice erin', ''],
    [both, '', '2 of alice bruno erin, and frank or grace'],
    [both, 'alice', 'bruno or erin, and frank or grace'],
    [both, 'alice bruno', 'frank or grace'],
    [both, 'grace erin', 'alice or bruno'],
    [glass, '', '(alice and bruno) or (north and south)'],
    [glass, 'alice', 'bruno or (north and south)'],
  ])('%j with "%s": %s', (tree, given, words) => expect(missingInWords(tree, (name) => given.split(' ').includes(name), anybody)).toBe(words));

  it('does not name who cannot, nor a branch that will never be enough', () => {
    expect(missingInWords(glass, () => false, (name) => name !== 'alice')).toBe('north and south');
    expect(missingInWords(both, (name) => name === 'alice', (name) => name !== 'bruno' && name !== 'grace')).toBe('erin and frank');
    expect(missingInWords(both, () => false, (name) => name !== 'frank' && name !== 'grace')).toBeUndefined();
  });

  it('is empty just where it is enough, undefined just where it never will be, and names none but those who can', () => {
    fc.assert(fc.property(arbTree(HUMANS, 4), fc.subarray([...HUMANS] as string[]), fc.subarray([...HUMANS] as string[]), (tree, given, able) => {
      const has = (name: string): boolean => given.includes(name);
      const can = (name: string): boolean => able.includes(name) && !has(name);
      const words = missingInWords(tree, has, can);
      expect(words === '').toBe(isSatisfied(tree, has));
      expect(words === undefined).toBe(!isSatisfied(tree, (name) => has(name) || can(name)));
      for (const name of HUMANS) if (words?.split(/[ ,()]+/).includes(name)) expect(can(name)).toBe(true);
    }));
  });
});
