/** A vault in Git as teams use it: processes on several machines write at once, while people go on working in their own repository. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { entryBody, parseEntry } from '../../packages/core/src/audit/entry.js';
import { listQueued, type Queued } from '../../packages/core/src/engine/queue.js';
import { formatIdentity, fsLocalState, openSecrets, type Identity } from '../../packages/core/src/index.js';
import { sha256Hex } from '../../packages/core/src/primitives/hash.js';
import { person as owner } from '../cli/person.js';
import { bundle } from '../support/bundle.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { makeVault, openAs, person, readRawLog, seal } from '../support/vaults.js';
import { bareRemote, BRANCH, commitsOn, git, GIT_ENV, storeOn, urlOf } from '../unit/stores/git-support.js';
import type { Orders } from './git-vault-worker.js';

/** Eight machines of six people. */
const MACHINES = [['alice', 'laptop'], ['alice', 'desk'], ['bruno', 'laptop'], ['bruno', 'phone'], ['carol', 'laptop'], ['dora', 'laptop'], ['emil', 'laptop'], ['fritz', 'laptop']] as const;
const CONTESTED = ['shared/a', 'shared/b', 'shared/c'];
const OWN = 13;
/** Everybody rotates these, each time on what they have seen. */
const ROTATED = ['busy/a', 'busy/b', 'busy/a', 'busy/b'];
const EACH = CONTESTED.length + OWN + ROTATED.length;

interface Outcome {
  readonly code: number;
  readonly stderr: string;
  readonly signed: readonly string[];
  readonly left: number;
}

class Machine {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;
  readonly #ready: Promise<unknown>;
  #stdout = '';
  #stderr = '';

  constructor(worker: string, orders: Orders) {
    this.#child = spawn(process.execPath, [worker], { env: GIT_ENV, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text));
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.#closed = once(this.#child, 'close');
    this.#ready = once(this.#child, 'message');
    this.#child.send(orders);
  }

  async ready(): Promise<void> {
    await Promise.race([this.#ready, this.#closed]);
  }

  begin(): void {
    if (this.#child.connected) this.#child.send('begin');
  }

  async outcome(): Promise<Outcome> {
    const [code] = (await this.#closed) as [number];
    const { signed, left } = JSON.parse(this.#stdout || '{"signed":[],"left":-1}') as { signed: string[]; left: number };
    return { code, stderr: this.#stderr, signed, left };
  }
}

const identityText = (identity: Identity): string => formatIdentity(identity).useText((text) => text);

/** A repository of Terraform files whose origin is `remote`, as people clone it. */
function workTree(base: string, remote: string): string {
  const dir = join(base, 'infra');
  git(base, ['init', '-q', '-b', 'main', dir]);
  git(dir, ['config', 'gc.auto', '0']);
  writeFileSync(join(dir, 'main.tf'), '# ours\n'.repeat(20));
  writeFileSync(join(dir, 'oxp-vault.yaml'), 'vault: git+.\n');
  git(dir, ['add', '.']);
  git(dir, ['commit', '-q', '-m', 'ours']);
  git(dir, ['remote', 'add', 'origin', urlOf(remote)]);
  git(dir, ['push', '-q', '-u', 'origin', 'main']);
  return dir;
}

/** A day of somebody who never thinks of the vault. Afterwards the work tree is as it was, on main. */
function workOnce(dir: string, round: number): void {
  const topic = `topic-${round}`;
  git(dir, ['switch', '-q', '-c', topic]);
  writeFileSync(join(dir, `${topic}.tf`), `# ${topic}\n`);
  git(dir, ['add', '.']);
  git(dir, ['commit', '-q', '-m', topic]);
  writeFileSync(join(dir, 'main.tf'), '# changed\n');
  writeFileSync(join(dir, 'untracked'), 'new\n');
  git(dir, ['stash', '-q', '-u']);
  git(dir, ['switch', '-q', 'main']);
  writeFileSync(join(dir, `main-${round}.tf`), '# meanwhile\n');
  git(dir, ['add', '.']);
  git(dir, ['commit', '-q', '-m', `main ${round}`]);
  git(dir, ['rebase', '-q', 'main', topic]);
  git(dir, ['switch', '-q', 'main']);
  git(dir, ['merge', '-q', '--no-ff', '-m', `merge ${round}`, topic]);
  git(dir, ['stash', 'pop', '-q']);
  git(dir, ['checkout', '-q', '--', 'main.tf']);
  git(dir, ['clean', '-q', '-f']);
  git(dir, ['branch', '-q', '-D', topic]);
  git(dir, ['pull', '-q', '--rebase=false']);
  git(dir, ['push', '-q']);
}

describeWith(['git'], 'a vault in Git', () => {
  it(`takes ${EACH} writes of each of ${MACHINES.length} machines at once: what is allowed is there exactly once, the rest waits with its author; people's own work meets none of it`, { timeout: 600_000 }, async () => {
    const base = tempDir('git-vault');
    const worker = await bundle(new URL('./git-vault-worker.ts', import.meta.url), join(base, 'worker.mjs'));
    const remote = bareRemote(base);
    const identities = await Promise.all(MACHINES.map(([name, device]) => person(name, { device })));
    const { vault } = await makeVault({ people: identities, store: storeOn(remote, join(base, 'founder')) });
    await seal(vault, 'app/first', 'the first one');
    const before = { size: vault.point.size, commits: commitsOn(remote) };
    const dir = workTree(base, remote);

    // Alice and bruno stand in the repository, the others know its address; each machine has a mirror and a state of its own.
    const stateOf = (i: number): string => join(base, `state-${i}`);
    const machines = identities.map((identity, i) => new Machine(worker, {
      identity: identityText(identity), state: stateOf(i), mirrors: join(base, `mirrors-${i}`), expect: vault.expectLine, contested: CONTESTED,
      place: i < 4 ? { directory: dir } : { url: urlOf(remote) },
      inTurn: Array.from({ length: OWN }, (_, n) => [`own/m${i}/s${n}`, ...(n % 3 === 1 ? [ROTATED[(n - 1) / 3]!] : [])]).flat().slice(0, OWN + ROTATED.length),
    }));
    await Promise.all(machines.map((machine) => machine.ready()));
    for (const machine of machines) machine.begin();
    const ended = Promise.all(machines.map((machine) => machine.outcome()));

    // People work meanwhile, and somebody opens a secret.
    const reader = owner('alice');
    const identityFile = reader.write('identity.age', identityText(identities[0]!));
    const work = { done: false };
    void ended.then(() => (work.done = true));
    let rounds = 0;
    for (; !work.done || rounds < 2; rounds++) {
      workOnce(dir, rounds);
      const opened = await reader.ov(['open', 'app/first', '--identity', identityFile, '--expect', vault.expectLine, '--max-age', '0'], { cwd: dir });
      expect([opened.code, opened.text.trim()]).toEqual([0, 'the first one']);
      expect(opened.stderr).not.toMatch(/FORK|ROLLBACK|another history|older than/);
      expect(git(dir, ['status', '--porcelain'])).toBe('');
    }
    const outcomes = await ended;
    expect(outcomes.map(({ code, stderr, left, signed }) => [code, stderr, left, signed.length])).toEqual(MACHINES.map(() => [0, '', 0, EACH]));

    // From nothing: no mirror, no cache, no pin.
    const store = storeOn(remote, join(base, 'fresh'));
    const fresh = await openAs(store, identities[7]);
    const { lines } = await readRawLog(store);
    const entries = lines.map((line) => parseEntry(line));
    const landed = entries.slice(before.size).filter(({ payload }) => payload.op === 'secret.seal').map(({ digest }) => digest);
    expect(new Set(entries.map(({ digest }) => digest)).size).toBe(entries.length);
    expect([fresh.state.voids.size, fresh.log.strays]).toEqual([0, []]);

    // Of each machine, every entry is in the log or waits there, and none is both.
    const waiting: Queued[] = [];
    for (const [i, { signed }] of outcomes.entries()) {
      const rejected = await listQueued(fsLocalState(stateOf(i)), vault.id, 'rejected');
      const mine = new Set(signed);
      const inLog = landed.filter((digest) => mine.has(digest));
      expect([...inLog, ...rejected.map(({ digest }) => digest)].sort()).toEqual([...signed].sort());
      // In the order of signing.
      expect(inLog).toEqual(signed.filter((digest) => inLog.includes(digest)));
      waiting.push(...rejected);
    }
    expect(landed.length + waiting.length).toBe(MACHINES.length * EACH);
    const contested = waiting.filter(({ reason }) => /shared\/. has version 1 already/.test(reason ?? ''));
    expect(contested).toHaveLength((MACHINES.length - 1) * CONTESTED.length);
    for (const { files, entry } of waiting) {
      const { statement } = entryBody(parseEntry(entry.line), () => undefined) as unknown as { statement: { ciphertext: { sha256: string } } };
      expect(files.map(({ bytes }) => sha256Hex(bytes))).toEqual([statement.ciphertext.sha256]);
    }

    // Each version opens as its author sealed it; Git finds nothing amiss.
    const names = fresh.state.secrets.versions.sortedKeys();
    expect(names).toHaveLength(1 + MACHINES.length * OWN + CONTESTED.length + new Set(ROTATED).size);
    const versions = names.flatMap((name) => fresh.state.secrets.versions.get(name)!.map(({ statement, sealer }) => ({ name, version: statement.version, by: `${name} by ${sealer.person} on ${sealer.device}` })));
    expect(versions).toHaveLength(landed.length + 1);
    const opened = await openSecrets(fresh, { secrets: versions.map(({ name, version }) => ({ name, version })) });
    expect(opened.map(({ file }) => file.useText((text) => text))).toEqual(versions.map(({ name, by }) => (name === 'app/first' ? 'the first one' : by)));
    expect(git(remote, ['rev-list', '--merges', BRANCH])).toBe('');
    expect(git(remote, ['fsck', '--strict', '--no-dangling'])).toBe('');
    // The openings still wait with their readers.
    expect(entries.length - before.size).toBe(landed.length);
    expect(commitsOn(remote) - before.commits).toBeLessThanOrEqual(landed.length);

    // What people see of the vault in their own repository is a branch of the remote, if they fetch it.
    expect(git(dir, ['for-each-ref', '--format=%(refname)', 'refs/heads', 'refs/oxp-vault'])).toBe('refs/heads/main');
    expect([git(dir, ['stash', 'list']), git(dir, ['status', '--porcelain'])]).toEqual(['', '']);
    expect(Number(git(dir, ['rev-list', '--count', '--merges', 'main']))).toBe(rounds);
  });
});
