/** Somebody who may push to the branch of a vault, and is nobody in it: what they put there is refused, and one command mends it. */
import { beforeAll, expect, it } from 'vitest';
import { person, type VaultOwner } from '../cli/person.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { bareRemote, BRANCH, CHECKPOINT, commitsOn, entriesOn, filesOn, git, plant, tipOf, urlOf, type Entry } from '../unit/stores/git-support.js';

interface Place {
  /** In a work tree whose origin is the remote. */
  readonly alice: VaultOwner;
  readonly remote: string;
  readonly base: string;
}

const COMMANDS = {
  open: ['open', 'app/one', '--max-age', '0'],
  status: ['status', '--max-age', '0'],
  seal: ['seal', 'app/three', '--kind', 'document', '--from', '-'],
} as const;
type Outcome = Record<keyof typeof COMMANDS, string>;

const all = (code: string): Outcome => ({ open: code, status: code, seal: code });
let versions = 0;

async function place(): Promise<Place> {
  const base = tempDir('push-rights');
  const remote = bareRemote(base);
  const alice = await member('alice', remote);
  await alice.must(['init', '--name', 'platform', '--role', 'team']);
  for (const name of ['app/one', 'app/two']) await alice.must(['seal', name, '--kind', 'document', '--from', '-'], { input: `value of ${name}` });
  return { alice, remote, base };
}

/** Somebody with an identity, in a repository whose origin is `remote`. */
async function member(name: string, remote: string): Promise<VaultOwner> {
  const somebody = person(name);
  git(somebody.work, ['init', '-q', '-b', 'main']);
  git(somebody.work, ['remote', 'add', 'origin', urlOf(remote)]);
  await somebody.must(['identity', 'create', '--device', 'laptop', '--no-passphrase']);
  return somebody;
}

/** The code that each command ends in; `done` where it does. What it refuses, it shows nothing of. */
async function outcomes({ alice }: Place, names: readonly (keyof Outcome)[] = ['open', 'status', 'seal']): Promise<Outcome> {
  const found = all('');
  versions += 1;
  for (const name of names) {
    const { code, text, stderr } = await alice.ov(COMMANDS[name], { input: `value ${versions}` });
    found[name] = code === 0 ? 'done' : (/^error ([A-Z_]+): /m.exec(stderr)?.[1] ?? `exit ${code}: ${stderr}`);
    if (code !== 0) expect(text).toBe('');
    if (code === 0 && name === 'open') expect(text).toBe('value of app/one');
  }
  return found;
}

const withoutPaths = (remote: string, ...paths: (string | RegExp)[]): Entry[] => entriesOn(remote).filter(({ path }) => !paths.some((each) => (typeof each === 'string' ? path === each || path.startsWith(`${each}/`) : each.test(path))));
const pathOf = (remote: string, shape: RegExp): string => entriesOn(remote).find(({ path }) => shape.test(path))!.path;
const PAGE = /^log\/.*\.jsonl$/;

/** One commit further, with these in the place of what has their path, or is below it. */
function put(remote: string, ...entries: Entry[]): void {
  plant(remote, [...withoutPaths(remote, ...entries.map(({ path }) => path)), ...entries], { parent: tipOf(remote) });
}

function huge(remote: string): Entry {
  return { path: CHECKPOINT, oid: git(remote, ['hash-object', '-w', '--stdin'], new Uint8Array(100 * 1024 * 1024 + 1)) };
}

/** An older checkpoint of this vault under the newest size, or anything else that mallory signs in the name of alice. */
function forged(remote: string): Entry {
  const text = git(remote, ['show', `${BRANCH}:${CHECKPOINT}`]);
  return { path: CHECKPOINT, content: `${text.replace(/(\S{4})(\S*)$/, (_, start: string, rest: string) => start + [...rest].reverse().join(''))}\n` };
}

/** Trees that hold one another: a thousand million files, of a few hundred bytes. */
function bomb(remote: string): Entry {
  const tree = (mode: string, oid: string): string => git(remote, ['hash-object', '-t', 'tree', '-w', '--stdin'], Buffer.concat([...'abcdefghij'].flatMap((name) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')])));
  let oid = tree('100644', git(remote, ['hash-object', '-w', '--stdin'], 'x'));
  for (let depth = 1; depth < 9; depth++) oid = tree('40000', oid);
  return { mode: '40000', path: 'secrets', oid };
}

function crowd(remote: string): Entry {
  const blob = git(remote, ['hash-object', '-w', '--stdin'], 'x');
  const rows = Array.from({ length: 10_001 }, (_, i) => [Buffer.from(`100644 X${String(i).padStart(5, '0')}\0`), Buffer.from(blob, 'hex')]);
  return { mode: '40000', path: 'objects', oid: git(remote, ['hash-object', '-t', 'tree', '-w', '--stdin'], Buffer.concat(rows.flat())) };
}

async function anotherVault({ alice, remote, base }: Place): Promise<void> {
  const elsewhere = bareRemote(base, 'elsewhere.git');
  const mallory = await member('mallory', elsewhere);
  await mallory.must(['init', '--name', 'platform', '--role', 'team', '--member', `team=${alice.at('.config', 'oxp-vault', 'alice.card')}`]);
  await mallory.must(['seal', 'app/one', '--kind', 'document', '--from', '-'], { input: 'what mallory wants alice to use' });
  git(elsewhere, ['push', '-q', '--force', urlOf(remote), BRANCH]);
}

const IN_PLACE: readonly (readonly [what: string, attack: (place: Place) => Promise<void> | void, expected: Outcome])[] = [
  ['a garbage tip', ({ remote }) => void plant(remote, [{ path: 'README', content: 'pwned' }]), all('VAULT_NOT_FOUND')],
  ['an empty tip', ({ remote }) => void plant(remote, [], { parent: tipOf(remote) }), all('VAULT_NOT_FOUND')],
  ['a deleted branch', ({ remote }) => void git(remote, ['update-ref', '-d', `refs/heads/${BRANCH}`]), all('VAULT_NOT_FOUND')],
  ['an older tip, forced', ({ remote }) => void git(remote, ['update-ref', `refs/heads/${BRANCH}`, `${BRANCH}~1`]), all('ROLLBACK')],
  ['an older state, as a commit on the tip', ({ remote }) => void git(remote, ['update-ref', `refs/heads/${BRANCH}`, git(remote, ['commit-tree', '-m', 'x', '-p', tipOf(remote), `${BRANCH}~1^{tree}`])]), all('ROLLBACK')],
  ['another vault, made with the card of the victim', anotherVault, all('WRONG_VAULT')],
  ['a checkpoint that is garbage', ({ remote }) => put(remote, { path: CHECKPOINT, content: 'garbage' }), all('BAD_CHECKPOINT')],
  ['a checkpoint with another signature', ({ remote }) => put(remote, forged(remote)), all('BAD_CHECKPOINT')],
  ['a link for a checkpoint', ({ remote }) => put(remote, { mode: '120000', path: CHECKPOINT, content: '/etc/passwd' }), all('LINK_REFUSED')],
  ['a submodule for a checkpoint', ({ remote }) => put(remote, { mode: '160000', path: CHECKPOINT }), all('LINK_REFUSED')],
  ['an executable checkpoint', ({ remote }) => put(remote, { ...entriesOn(remote).find(({ path }) => path === CHECKPOINT)!, mode: '100755' }), all('STORE_REMOTE')],
  ['a huge checkpoint', ({ remote }) => put(remote, huge(remote)), all('STORE_REMOTE')],
  ['more files than a machine could list', ({ remote }) => put(remote, bomb(remote)), all('STORE_REMOTE')],
  ['more files of no vault than are worth naming', ({ remote }) => put(remote, crowd(remote)), all('STORE_REMOTE')],
  ['a link for the directory of the log', ({ remote }) => put(remote, { mode: '120000', path: 'log', content: '/etc' }), all('LINK_REFUSED')],
  ['a submodule for the directory of the log', ({ remote }) => put(remote, { mode: '160000', path: 'log' }), all('LINK_REFUSED')],
  ['a file for the directory of the policies', ({ remote }) => put(remote, { path: 'policy' }), all('STORE_INCOMPLETE')],
  ['a page taken away', ({ remote }) => void plant(remote, withoutPaths(remote, PAGE), { parent: tipOf(remote) }), all('STORE_INCOMPLETE')],
  ['a link for a page', ({ remote }) => put(remote, { mode: '120000', path: pathOf(remote, PAGE), content: 'checkpoint' }), all('LINK_REFUSED')],
  ['a policy taken away', ({ remote }) => void plant(remote, withoutPaths(remote, /^policy\//), { parent: tipOf(remote) }), all('STORE_INCOMPLETE')],
  // What is missing is said by whoever needs it. Sealing what is there already needs the key, to compare.
  ['a sealed file taken away', ({ remote }) => void plant(remote, withoutPaths(remote, 'secrets/app/one'), { parent: tipOf(remote) }), { open: 'BLOB_MISSING', status: 'done', seal: 'done' }],
  ['a sealed file changed', ({ remote }) => put(remote, { path: pathOf(remote, /^secrets\/app\/one\//), content: 'x' }), { open: 'HASH_MISMATCH', status: 'done', seal: 'done' }],
  ['a link for a sealed file', ({ remote }) => put(remote, { mode: '120000', path: pathOf(remote, /^secrets\/app\/one\//), content: '../two/x' }), { open: 'LINK_REFUSED', status: 'done', seal: 'done' }],
  ['a grant taken away', ({ remote }) => void plant(remote, withoutPaths(remote, 'roles'), { parent: tipOf(remote) }), { open: 'BLOB_MISSING', status: 'done', seal: 'BLOB_MISSING' }],
];

const BESIDE: readonly Entry[] = [
  { mode: '120000', path: 'secrets/app/link', content: '/etc/passwd' }, { mode: '160000', path: 'secrets/app/submodule' }, { mode: '100755', path: 'objects/run', content: '#!/bin/sh\n' },
  { path: '.git/config', content: '[core]\n\tsshCommand = touch /tmp/pwned\n' }, { path: 'a/.git/hooks/post-checkout' }, { path: '.gitmodules' }, { path: '.gitattributes', content: '* filter=x\n' },
  { path: 'Log/checkpoint' }, { path: 'LOG/CHECKPOINT' }, { path: 'objects/huge', content: '\0'.repeat(100 * 1024 * 1024 + 1) }, { path: 'git~1/config' }, { path: 'log/checkpoinT' }, { path: 'a b' }, { path: 'a\u001b[31m\nb' }, { path: 'é' }, { path: '-x' }, { path: 'log/..x' },
];

describeWith(['git'], 'somebody with push rights puts', () => {
  let here: Place;
  beforeAll(async () => {
    here = await place();
  });

  it.each(IN_PLACE)('%s in the place of the vault: refused, and mended by one command', async (_, attack, expected) => {
    const { alice, remote } = here;
    const before = filesOn(remote);
    await attack(here);
    const planted = git(remote, ['for-each-ref', '--format=%(objectname)', `refs/heads/${BRANCH}`]);
    expect(await outcomes(here)).toEqual(expected);

    const { code, stderr } = await alice.ov(['sync', '--restore']);
    expect([code, stderr]).toEqual([0, expected.status === 'done' ? '' : expect.stringContaining(`It was ${expected.status}: `)]);
    // Exactly the vault's files again, on top of what was there: nobody has to force anything.
    if (expected.seal !== 'done') expect(filesOn(remote)).toEqual(before);
    if (planted !== '') expect(git(remote, ['merge-base', '--is-ancestor', planted, BRANCH])).toBe('');
    expect(git(remote, ['rev-list', '--merges', BRANCH])).toBe('');
    expect(await outcomes(here, ['open', 'seal'])).toMatchObject({ open: 'done', seal: 'done' });
    expect(git(alice.work, ['status', '--porcelain', '--untracked-files=no'])).toBe('');
  });

  it.each(['seal', 'sync --restore'] as const)('anything else beside it: nothing of it is read, and the commit of the next %s does not have it', async (command) => {
    const { alice, remote } = here;
    const before = filesOn(remote);
    put(remote, ...BESIDE);
    const foreign = filesOn(remote).filter((file) => !before.includes(file));
    expect(foreign).toHaveLength(BESIDE.length);
    expect((await alice.ov(COMMANDS.open)).text).toBe('value of app/one');
    const verified = await alice.ov(['audit', 'verify', '--strict']);
    expect(verified.code).toBe(5);
    for (const { path } of BESIDE) expect(verified.text).toContain(path.replace('é', '\\u00e9').replace('\u001b', '\\u001b').replace('\n', '\\n'));
    expect(verified.text).not.toMatch(/\u001b|é/);
    const commits = commitsOn(remote);
    const done = await alice.must(command === 'seal' ? COMMANDS.seal : ['sync', '--restore'], { input: `value ${(versions += 1)}` });
    if (command !== 'seal') expect([done.text, done.stderr]).toEqual([expect.stringMatching(/^cleared up at .*, and all its files\n$/), expect.stringContaining('no file of a vault: ')]);
    expect(commitsOn(remote)).toBeGreaterThan(commits);
    const after = filesOn(remote);
    expect(after.filter((file) => foreign.includes(file))).toEqual([]);
    if (command !== 'seal') expect(after).toEqual(before);
    expect((await alice.ov(['audit', 'verify', '--strict'])).code).toBe(0);
  });

  it('a vault in the place of one that is gone: nobody makes another there by mistake', async () => {
    const { alice, remote } = here;
    git(remote, ['update-ref', '-d', `refs/heads/${BRANCH}`]);
    const { stderr } = await alice.ov(COMMANDS.status);
    expect(stderr).toContain('sync --restore');
    expect(stderr).not.toContain('oxp-vault init');
    const again = await alice.ov(['init', '--name', 'platform', '--vault', `git+${urlOf(remote)}`], { cwd: alice.home });
    expect([again.code, again.stderr]).toEqual([5, expect.stringContaining('error WRONG_VAULT: ')]);
    expect(git(remote, ['for-each-ref', `refs/heads/${BRANCH}`])).toBe('');
    await alice.must(['sync', '--restore']);
  });
});
