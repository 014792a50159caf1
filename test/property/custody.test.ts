/** Over random trees: what satisfies the tree opens, and nothing else does. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combineShares, type GivenShare } from '../../packages/core/src/custody/combine.js';
import { dealShares, setsToTry } from '../../packages/core/src/custody/deal.js';
import { parseShareLine } from '../../packages/core/src/custody/share.js';
import { joinAlong, splitAlong } from '../../packages/core/src/custody/split.js';
import { generateAgeIdentity, identityToRecipient } from '../../packages/core/src/primitives/age.js';
import { minimalSets, minimalSetWith } from '../../packages/core/src/primitives/threshold-sets.js';
import { isSatisfied, treeLeaves } from '../../packages/core/src/primitives/threshold-tree.js';
import { arbTree, HUMANS } from '../support/policies.js';
import { isVaultError } from '../../packages/core/src/errors.js';

const NAMES = [...HUMANS, 'heidi', 'ivan'];
const VAULT = 'ab'.repeat(32);
const trees = arbTree(NAMES, 4);

describe('splitting along a tree', () => {
  it('gives the secret to every set of shares that satisfies it, and to no other', async () => {
    await fc.assert(fc.asyncProperty(trees, fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.subarray(NAMES), async (tree, secret, people) => {
      const shares = await splitAlong(tree, secret);
      const leaves = treeLeaves(tree);
      expect([...shares.keys()]).toEqual(leaves.map((leaf) => leaf.path));
      const given = new Map(leaves.filter((leaf) => people.includes(leaf.name)).map(({ path }) => [path, shares.get(path)!]));
      const joined = await joinAlong(tree, secret.length, given);
      expect(joined).toEqual(isSatisfied(tree, (name) => people.includes(name)) ? secret : undefined);
    }));
  });

  it('knows the minimal sets: each is enough, and none of its members can be left out', () => {
    fc.assert(fc.property(trees, (tree) => {
      const leaves = treeLeaves(tree);
      const satisfies = (paths: readonly string[]): boolean => isSatisfied(tree, (name) => leaves.some((leaf) => leaf.name === name && paths.includes(leaf.path)));
      const isMinimal = (set: readonly string[]): boolean => satisfies(set) && set.every((path) => !satisfies(set.filter((other) => other !== path)));
      const sets = [...minimalSets(tree)];
      for (const set of sets) expect(isMinimal(set)).toBe(true);
      expect(new Set(sets.map((set) => set.join())).size).toBe(sets.length);
      // All of them: every set of leaves that is minimal is among them.
      const found = new Set(sets.map((set) => set.join()));
      for (let bits = 0; bits < 2 ** leaves.length; bits++) {
        const set = leaves.filter((_, i) => (bits >> i) & 1).map((leaf) => leaf.path);
        if (isMinimal(set)) expect(found).toContain(set.join());
      }
      for (const { path } of leaves) {
        const set = minimalSetWith(tree, path);
        expect(set).toContain(path);
        expect(isMinimal(set)).toBe(true);
      }
      expect(new Set(setsToTry(tree).flat()).size).toBe(leaves.length);
    }), { numRuns: 60 });
  });
});

describe('dealing and combining', () => {
  it('opens with what satisfies the tree, fails with an error of its own otherwise, and names whose byte was flipped', async () => {
    const identity = await generateAgeIdentity();
    const recipient = await identityToRecipient(identity);
    await fc.assert(fc.asyncProperty(trees, fc.subarray(NAMES), fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), async (tree, people, who, at, mask) => {
      const dealt = await dealShares(VAULT, { name: 'a/b', version: 7, tree }, identity);
      const version = { name: 'a/b', version: 7, tree, recipient, leaves: dealt };
      const given: GivenShare[] = dealt.filter(({ person }) => people.includes(person)).map(({ path, line }) => ({ path, share: parseShareLine({ vault: VAULT, name: 'a/b', version: 7, path }, line) }));
      const outcome = await combineShares(VAULT, version, given).catch((error: unknown) => (isVaultError(error) ? error.code : 'no VaultError'));
      expect(outcome).toBe(isSatisfied(tree, (name) => people.includes(name)) ? identity : 'NEEDS_SHARES');
      if (given.length === 0) return;
      const victim = given[who % given.length]!;
      const spoilt = given.map((each) => (each === victim ? { ...each, share: each.share.map((byte, i) => (i === at % each.share.length ? byte ^ mask : byte)) } : each));
      const error: unknown = await combineShares(VAULT, version, spoilt).catch((thrown: unknown) => thrown);
      expect(isVaultError(error, 'SHARE_MISMATCH') && error.message).toContain(dealt.find((leaf) => leaf.path === victim.path)!.person);
    }), { numRuns: 60 });
  });
});
