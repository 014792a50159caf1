/** A secret under custody comes back with `age` and docs/recovery/combine.mjs alone: nothing of ours but that one file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it } from 'vitest';
import { formatShareLine } from '../../packages/core/src/custody/share.js';
import { directoryStore, type Identity } from '../../packages/core/src/index.js';
import { openShare, sharesOf } from '../../packages/core/src/operations/custody/own-shares.js';
import { ageDecrypt } from '../../packages/core/src/primitives/age.js';
import { treeLeaves, type ThresholdTree } from '../../packages/core/src/primitives/threshold-tree.js';
import { mustRun, run, type RunResult } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { makeVault, people, person, seal } from '../support/vaults.js';

const COMBINE = fileURLToPath(new URL('../../docs/recovery/combine.mjs', import.meta.url));
const README = fileURLToPath(new URL('../../docs/recovery/README.md', import.meta.url));
const VALUE = 'the value that must come back: ä\n';

const NESTED: ThresholdTree = { need: 2, of: [{ need: 2, of: ['alice', 'bruno', 'erin'] }, { need: 1, of: ['frank', 'grace'] }] };
const TREES: readonly [what: string, tree: ThresholdTree, enough: readonly string[][], tooFew: readonly string[][]][] = [
  ['2 of 3 AND 1 of 2', NESTED, [['alice', 'erin', 'grace'], ['bruno', 'erin', 'frank'], ['alice', 'bruno', 'erin', 'frank', 'grace']], [['alice', 'frank', 'grace'], ['alice', 'bruno', 'erin'], []]],
  ['all of 3', { need: 3, of: ['alice', 'bruno', 'erin'] }, [['alice', 'bruno', 'erin']], [['alice', 'erin']]],
  ['1 of 2', { need: 1, of: ['alice', 'bruno'] }, [['alice'], ['bruno']], [[]]],
  ['3 of 5', { need: 3, of: ['alice', 'bruno', 'erin', 'frank', 'grace'] }, [['alice', 'erin', 'grace'], ['bruno', 'frank', 'erin']], [['alice', 'grace']]],
  ['2 of 3, two of them groups', { need: 2, of: ['alice', { need: 2, of: ['bruno', 'erin'] }, { need: 2, of: ['frank', 'grace', 'heidi'] }] }, [['alice', 'bruno', 'erin'], ['bruno', 'erin', 'frank', 'heidi']], [['alice', 'bruno', 'frank'], ['frank', 'grace', 'heidi']]],
];

interface Room {
  readonly directory: string;
  /** With these custodians' shares. */
  combine(names: readonly string[]): Promise<RunResult>;
}

describeWith(['age', 'jq'], 'a secret under custody without oxp-vault', ({ age, jq }) => {
  let cast: Record<'alice' | 'bruno' | 'erin' | 'frank' | 'grace' | 'heidi', Identity>;
  beforeAll(async () => {
    cast = await people('alice', 'bruno', 'erin', 'frank', 'grace', 'heidi');
  });

  async function room(tree: ThresholdTree): Promise<Room> {
    const identities = Object.values(cast);
    const directory = tempDir('room');
    const vault = join(directory, 'vault');
    const made = await makeVault({
      people: identities, admins: ['alice'], roles: { infra: ['alice'] }, custody: { root: tree }, store: directoryStore(vault),
      rules: [{ path: '/', owners: ['infra'], writers: ['infra'], custody: 'root', consents: 1 }],
    });
    await seal(made.vault, 'pki/root', VALUE);
    // The commands of docs/recovery/README.md, which are tested to stand there below.
    await mustRun('bash', ['-c', `${jq} 'select(.payload) | .payload | @base64d | fromjson | select(.op == "secret.seal") | .body.statement // empty | select(.name == "pki/root" and .version == 1)' vault/log/*.jsonl > statement.json`], { cwd: directory });
    for (const { name } of treeLeaves(tree)) {
      writeFileSync(join(directory, `${name}.age`), identities.find((each) => each.card.person === name)!.age.useText((line) => `${line}\n`), { mode: 0o600 });
      await mustRun('bash', ['-c', `${age} -d -i ${name}.age vault/secrets/pki/root/0001-shares/${name}-????????.age > ${name}.share`], { cwd: directory });
    }
    return { directory, combine: (names) => run(process.execPath, [COMBINE, 'statement.json', ...names.map((name) => `${name}.share`)], { cwd: directory }) };
  }

  async function value({ directory }: Room, identity: string): Promise<string> {
    writeFileSync(join(directory, 'identity.txt'), identity);
    return (await mustRun('bash', ['-c', `${age} -d -i identity.txt vault/secrets/pki/root/0001-????????.age`], { cwd: directory })).text;
  }

  it.each(TREES)('comes back from %s, and not with fewer', async (_, tree, enough, tooFew) => {
    const made = await room(tree);
    for (const set of enough) expect(await value(made, (await made.combine(set)).text), set.join()).toBe(VALUE);
    for (const set of tooFew) {
      const { code, text, stderr } = await made.combine(set);
      expect([code, text], set.join()).toEqual([1, '']);
      expect(stderr).toContain('are not enough');
    }
  });

  it('names the custodian of a share with one byte flipped', async () => {
    const made = await room(NESTED);
    const path = join(made.directory, 'bruno.share');
    const line = readFileSync(path, 'utf8');
    const at = line.length - 10;
    writeFileSync(path, line.slice(0, at) + (line[at] === 'A' ? 'B' : 'A') + line.slice(at + 1));
    const { code, text, stderr } = await made.combine(['alice', 'bruno', 'frank']);
    expect([code, text]).toEqual([1, '']);
    expect(stderr).toBe('combine: the share of bruno (bruno.share) is not the one that was dealt\n');
    expect((await made.combine(['alice', 'erin', 'frank'])).code).toBe(0);
  });

  it('writes a post-quantum identity for what was sealed to one', async () => {
    const tree: ThresholdTree = { need: 2, of: ['alice', 'bruno'] };
    const identities = await Promise.all(['alice', 'bruno'].map((name) => person(name, { suite: 'hybrid' })));
    const directory = tempDir('hybrid');
    const made = await makeVault({
      people: identities, suite: 'hybrid', admins: ['alice'], roles: { infra: ['alice'] }, custody: { root: tree }, store: directoryStore(join(directory, 'vault')),
      rules: [{ path: '/', owners: ['infra'], writers: ['infra'], custody: 'root', consents: 1 }],
    });
    await seal(made.vault, 'pki/root', VALUE);
    await mustRun('bash', ['-c', `${jq} 'select(.payload) | .payload | @base64d | fromjson | select(.op == "secret.seal") | .body.statement // empty' vault/log/*.jsonl > statement.json; [ -s statement.json ] || ${jq} '.statement // empty' vault/objects/*.json > statement.json`], { cwd: directory });
    for (const identity of identities) {
      const vault = await made.as(identity);
      const [held] = sharesOf(vault, identity.card.person);
      const share = await openShare(vault, held!);
      writeFileSync(join(directory, `${identity.card.person}.share`), share.use((raw) => formatShareLine({ vault: vault.id, name: 'pki/root', version: 1, path: held!.leaf.path }, raw)));
    }
    const { text } = await mustRun(process.execPath, [COMBINE, 'statement.json', 'alice.share', 'bruno.share'], { cwd: directory });
    const [sealed] = (await made.store.list('secrets/pki/root/')).filter((path) => !path.includes('-shares/'));
    expect(new TextDecoder().decode(await ageDecrypt((await made.store.get(sealed!))!, [text.trim()]))).toBe(VALUE);
  });

  it('is what the README says', () => {
    const readme = readFileSync(README, 'utf8');
    expect(readme).toContain(`jq 'select(.payload) | .payload | @base64d | fromjson | select(.op == "secret.seal") | .body.statement // empty | select(.name == "pki/root" and .version == 1)' vault/log/*.jsonl > statement.json`);
    expect(readme).toContain('age -d -i identity.age vault/secrets/pki/root/0001-shares/alice-????????.age > alice.share');
    expect(readme).toContain('age -d -i identity.txt vault/secrets/pki/root/0001-????????.age');
    expect(readme).toContain('node combine.mjs statement.json');
    // It stands on nothing but Node.
    expect(readFileSync(COMBINE, 'utf8').match(/from '[^']+'/g)).toEqual(["from 'node:crypto'", "from 'node:fs'"]);
  });
});
