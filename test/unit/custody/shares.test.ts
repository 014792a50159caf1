/** Shares of custody: the exact bytes, and every way in which what is given can be wrong. */
import { beforeAll, describe, expect, it } from 'vitest';
import { combineShares, type Combinable, type GivenShare } from '../../../packages/core/src/custody/combine.js';
import { dealShares, proveShares, setsToTry } from '../../../packages/core/src/custody/deal.js';
import { formatShareLine, parseShareLine, shareCommitment, type SharePlace } from '../../../packages/core/src/custody/share.js';
import { joinAlong, splitAlong } from '../../../packages/core/src/custody/split.js';
import { generateAgeIdentity, identityToRecipient } from '../../../packages/core/src/primitives/age.js';
import { identityOfBytes, identityToBytes } from '../../../packages/core/src/primitives/age-identity.js';
import { fromHex, utf8 } from '../../../packages/core/src/primitives/hash.js';
import { joinShares, shareFault, splitSecret } from '../../../packages/core/src/primitives/secret-sharing.js';
import { minimalSets } from '../../../packages/core/src/primitives/threshold-sets.js';
import { treeLeaves, type ThresholdTree } from '../../../packages/core/src/primitives/threshold-tree.js';
import { codeOf, failure } from '../../support/vaults.js';

const VAULT = 'ab'.repeat(32);
const hex = (text: string): Uint8Array => fromHex(text)!;
const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i);

describe('sharing one secret', () => {
  // Worked out with arithmetic of its own: polynomials over GF(2^8) modulo 0x11b whose coefficients are SHA-256 of "c1" and "c2".
  it.each([
    [2, 3, ['d0f733c919deaedc33c6c1950971d297c0268d08fa15f14d4c485db961b0c79d01', 'bbf6608c3ea84daa7e8c872c06f5ad24ab7f3725d315c3a3b0bb9444e65cb70002', 'b3544685fa15081710a1738a2261d5baa3616cd99115d59d1f306e498f3deb9fff']],
    [3, 5, ['df77f02a708393a5d29632a8c9968a9b0c1ca3c0fcfdb29c6f9a6e9d944f4b0907', 'caf74386337d9c04c21e91c79d207aaa33bb67ba548a87b4bf2591ff1c251e37c8', 'aee524de82bab79d73122956b34ce7df3d534d8c86929c24378466c40bbb34722a']],
  ])('joins %i of %i as any program does that knows the field', async (need, count, shares) => {
    const given = shares.slice(-need).map(hex);
    expect(await joinShares(given, 32, { need, count })).toEqual(SECRET);
    expect(await joinShares(given.toReversed(), 32, { need, count })).toEqual(SECRET);
  });

  it('all needed: the XOR of all; one needed: the secret itself; else one byte more, its index', async () => {
    const all = await splitSecret(SECRET, { need: 3, count: 3 });
    expect(all.map((share) => share.length)).toEqual([32, 32, 32]);
    expect(all[0]!.map((byte, i) => byte ^ all[1]![i]! ^ all[2]![i]!)).toEqual(SECRET);
    expect(await splitSecret(SECRET, { need: 1, count: 3 })).toEqual([SECRET, SECRET, SECRET]);
    expect(await splitSecret(SECRET, { need: 1, count: 1 })).toEqual([SECRET]);
    const shamir = await splitSecret(SECRET, { need: 2, count: 255 });
    expect(new Set(shamir.map((share) => share.at(-1)))).toEqual(new Set(Array.from({ length: 255 }, (_, i) => i + 1)));
  });

  it('refuses what cannot be shared', async () => {
    for (const threshold of [{ need: 0, count: 2 }, { need: 3, count: 2 }, { need: 2, count: 256 }, { need: 1.5, count: 2 }]) expect(await codeOf(splitSecret(SECRET, threshold))).toBe('BAD_VALUE');
    expect(await codeOf(splitSecret(new Uint8Array(), { need: 1, count: 2 }))).toBe('BAD_VALUE');
  });

  it('refuses too few, too many, one twice, index 0, and other lengths, which the library joins to garbage', async () => {
    const threshold = { need: 2, count: 3 };
    const [a, b, c] = (await splitSecret(SECRET, threshold)) as [Uint8Array, Uint8Array, Uint8Array];
    const join = (...shares: Uint8Array[]): Promise<string> => codeOf(joinShares(shares, 32, threshold));
    expect(await join(a)).toBe('NEEDS_SHARES');
    expect(await join()).toBe('NEEDS_SHARES');
    expect(await join(a, b, c)).toBe('BAD_VALUE');
    expect(await join(a, a)).toBe('BAD_VALUE');
    expect(await join(a, Uint8Array.from([...b.slice(0, -1), a.at(-1)!]))).toBe('BAD_VALUE');
    expect(await join(a, Uint8Array.from([...b.slice(0, -1), 0]))).toBe('BAD_VALUE');
    expect(await join(a.slice(1), b.slice(1))).toBe('BAD_VALUE');
    expect(await join(Uint8Array.from([0, ...a]), Uint8Array.from([0, ...b]))).toBe('BAD_VALUE');
    expect(shareFault(Uint8Array.from([...SECRET, 0]), 32, threshold)).toBe('its index is 0');
    // Of XOR shares and copies the last byte is no index.
    expect(shareFault(new Uint8Array(32), 32, { need: 3, count: 3 })).toBeUndefined();
  });
});

describe('the bytes of a share', () => {
  const place: SharePlace = { vault: VAULT, name: 'pki/root', version: 3, path: '0.2' };
  const share = Uint8Array.from({ length: 33 }, (_, i) => i);
  const line = `oxp-share/v1 ${VAULT} pki/root 3 0.2 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g\n`;

  it('are a line of five words and base64, and a commitment to all of them', () => {
    expect(new TextDecoder().decode(formatShareLine(place, share))).toBe(line);
    expect(parseShareLine(place, utf8(line))).toEqual(share);
    expect(shareCommitment(place, share)).toBe('4de13b5429bee404d5692e5a0c1e198e94336517e0f19340749ea51cac6fdb4b');
  });

  it.each([
    ['another vault', line.replace('abab', 'cdcd')],
    ['another secret', line.replace('pki/root', 'pki/boot')],
    ['another version', line.replace(' 3 ', ' 4 ')],
    ['another place', line.replace('0.2', '0.1')],
    ['another word', line.replace('share/v1', 'share/v2')],
    ['no line end', line.trimEnd()],
    ['two line ends', `${line}\n`],
    ['two lines', `${line}${line}`],
    ['base64 without padding rules', line.replace('HR8g', 'HR8h').replace('8g\n', '8g=\n')],
    ['nothing', ''],
    ['bytes that are no text', '\ud800'],
  ])('of %s are refused, and not repeated', async (_, text) => {
    const error = await failure(() => parseShareLine(place, utf8(text)));
    expect(error.code).toBe('SHARE_MISMATCH');
    expect(JSON.stringify(error)).not.toContain('AAEC');
  });

  it.each([
    ['vault', { vault: 'cd'.repeat(32) }], ['name', { name: 'pki/roo' }], ['version', { version: 33 }], ['path', { path: '0.20' }],
  ])('are committed to with their %s', (_, other) => {
    expect(shareCommitment({ ...place, ...other }, share)).not.toBe(shareCommitment(place, share));
  });
});

describe('an identity as bytes', () => {
  it.each([false, true])('is the identity again (post-quantum: %s)', async (pq) => {
    const identity = await generateAgeIdentity({ pq });
    const bytes = identityToBytes(identity);
    expect(bytes).toHaveLength(32);
    expect(identityOfBytes(bytes, { pq })).toBe(identity);
  });

  it('is nothing else', async () => {
    for (const text of ['', 'AGE-SECRET-KEY-1', await identityToRecipient(await generateAgeIdentity()), (await generateAgeIdentity()).toLowerCase()]) {
      expect(await codeOf(() => identityToBytes(text))).toBe('IDENTITY_INVALID');
    }
    expect(await codeOf(() => identityOfBytes(new Uint8Array(31), { pq: false }))).toBe('IDENTITY_INVALID');
  });
});

describe('which sets are tried', () => {
  it('all minimal ones, of up to 256', () => {
    const tree: ThresholdTree = { need: 2, of: [{ need: 2, of: ['a', 'b', 'c'] }, { need: 1, of: ['d', 'e'] }] };
    expect([...minimalSets(tree)].map((set) => set.join(' '))).toEqual(['0.0 0.1 1.0', '0.0 0.1 1.1', '0.0 0.2 1.0', '0.0 0.2 1.1', '0.1 0.2 1.0', '0.1 0.2 1.1']);
    expect(setsToTry(tree)).toHaveLength(6);
    const names = Array.from({ length: 256 }, (_, i) => `p${i}`).slice(0, 255);
    expect(setsToTry({ need: 1, of: names })).toHaveLength(255);
  });

  it('beyond that, every leaf at least once', () => {
    const team = (name: string): ThresholdTree => ({ need: 1, of: Array.from({ length: 20 }, (_, i) => `${name}${i}`) });
    const tree: ThresholdTree = { need: 2, of: [team('a'), team('b'), { need: 1, of: [{ need: 2, of: ['x', 'y', 'z'] }] }] };
    const sets = setsToTry(tree);
    const first = [...minimalSets(tree)].slice(0, 256);
    expect(new Set(first.flat()).size).toBeLessThan(treeLeaves(tree).length);
    expect(sets.slice(0, 256)).toEqual(first);
    expect(sets.length).toBeLessThan(256 + 20);
    expect(new Set(sets.flat()).size).toBe(treeLeaves(tree).length);
  });
});

describe('a version under custody', () => {
  const TREE: ThresholdTree = { need: 2, of: [{ need: 2, of: ['alice', 'bruno', 'erin'] }, { need: 1, of: ['frank', 'grace'] }] };
  let identity: string;
  let version: Combinable;
  let shares: Record<string, GivenShare>;

  beforeAll(async () => {
    identity = await generateAgeIdentity();
    const dealt = await dealShares(VAULT, { name: 'pki/root', version: 1, tree: TREE }, identity);
    version = { name: 'pki/root', version: 1, tree: TREE, recipient: await identityToRecipient(identity), leaves: dealt };
    shares = Object.fromEntries(dealt.map(({ path, person, line }) => [person, { path, share: parseShareLine({ vault: VAULT, name: 'pki/root', version: 1, path }, line) }]));
  });

  const combine = (given: readonly GivenShare[], change: Partial<Combinable> = {}): Promise<string> => combineShares(VAULT, { ...version, ...change }, given);
  const from = (...names: string[]): GivenShare[] => names.map((name) => shares[name]!);
  const flipped = (name: string, at = 5): GivenShare => {
    const { path, share } = shares[name]!;
    return { path, share: share.map((byte, i) => (i === at ? byte ^ 1 : byte)) };
  };

  it('opens with every set that is enough, and with more', async () => {
    for (const set of [['alice', 'bruno', 'frank'], ['erin', 'grace', 'alice'], ['alice', 'bruno', 'erin', 'frank', 'grace']]) expect(await combine(from(...set))).toBe(identity);
  });

  it('does not open with fewer, and says whose shares there are', async () => {
    const error = await failure(combine(from('alice', 'frank', 'grace')));
    expect(error).toMatchObject({ code: 'NEEDS_SHARES', message: 'pki/root v1 needs shares of 2 of alice bruno erin AND 1 of frank grace, and there are those of alice frank grace' });
    expect(await codeOf(combine([]))).toBe('NEEDS_SHARES');
    expect(await codeOf(combine(from('alice', 'bruno')))).toBe('NEEDS_SHARES');
  });

  it('names the custodian of a share with one byte flipped, even where the others would be enough', async () => {
    const error = await failure(combine([...from('alice', 'erin', 'frank'), flipped('bruno')]));
    expect(error.code).toBe('SHARE_MISMATCH');
    expect(error.message).toContain('bruno');
    expect(JSON.stringify(error)).not.toContain(Buffer.from(shares['bruno']!.share).toString('base64').slice(0, 8));
  });

  it('refuses index 0, other lengths, a share twice or of another place, a leaf that is not there', async () => {
    const { path, share } = shares['bruno']!;
    const others = from('alice', 'frank');
    expect((await failure(combine([...others, { path, share: Uint8Array.from([...share.slice(0, -1), 0]) }]))).message).toMatch(/bruno is none: its index is 0/);
    expect((await failure(combine([...others, { path, share: share.slice(1) }]))).message).toMatch(/bruno is none: it has 32 bytes instead of 33/);
    expect((await failure(combine([...others, ...from('alice')]))).message).toMatch(/given twice/);
    expect((await failure(combine([...others, { path, share: shares['erin']!.share }]))).message).toMatch(/bruno is not the one that was dealt/);
    expect((await failure(combine([...others, { path: '2', share }]))).message).toMatch(/no share 2/);
    expect((await failure(combine([...others, { path: '0', share }]))).message).toMatch(/no share 0/);
  });

  it('does not open as another vault, secret or version', async () => {
    const enough = from('alice', 'bruno', 'frank');
    expect(await codeOf(combineShares('cd'.repeat(32), version, enough))).toBe('SHARE_MISMATCH');
    expect(await codeOf(combine(enough, { name: 'pki/other' }))).toBe('SHARE_MISMATCH');
    expect(await codeOf(combine(enough, { version: 2 }))).toBe('SHARE_MISMATCH');
  });

  it('tells a sealer who signed another recipient, or dealt shares that do not fit together', async () => {
    expect(await codeOf(combine(from('alice', 'bruno', 'frank'), { recipient: await identityToRecipient(await generateAgeIdentity()) }))).toBe('SEALER_FAULT');
    const twin = shares['alice']!.share;
    const leaves = version.leaves.map((leaf) => (leaf.person === 'bruno' ? { ...leaf, commitment: shareCommitment({ vault: VAULT, name: 'pki/root', version: 1, path: leaf.path }, twin) } : leaf));
    expect(await codeOf(combine([...from('alice', 'frank'), { path: shares['bruno']!.path, share: twin }], { leaves }))).toBe('SEALER_FAULT');
  });

  it('is proved before it is relied on', async () => {
    const raw = identityToBytes(identity);
    const good = await splitAlong(TREE, raw);
    await proveShares(TREE, good, raw);
    for (const path of good.keys()) {
      const bad = new Map(good).set(path, good.get(path)!.map((byte, i) => (i === 0 ? byte ^ 1 : byte)));
      expect(await codeOf(proveShares(TREE, bad, raw)), path).toBe('INTERNAL');
    }
    expect(await joinAlong(TREE, 32, new Map([...good].slice(0, 2)))).toBeUndefined();
  });
});
