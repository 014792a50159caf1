/** Real processes that write to one directory at the same time: everything lands exactly once, and the log is sound. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { directoryStore, formatIdentity, openSecrets, type Identity } from '../../packages/core/src/index.js';
import { bundle } from '../support/bundle.js';
import { tempDir } from '../support/tmp.js';
import { makeVault, openAs, person, readRawLog } from '../support/vaults.js';

const WRITERS = ['alice', 'bob', 'carol', 'dora'];
const EACH = 6;

async function run(program: string, identity: Identity, args: readonly string[]): Promise<{ code: number; stderr: string }> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdout.resume();
  formatIdentity(identity).useText((text) => child.stdin.end(text));
  const [code] = (await once(child, 'close')) as [number];
  return { code, stderr };
}

it(`${WRITERS.length} processes seal ${EACH} secrets each`, async () => {
  const base = tempDir('race');
  const worker = await bundle(new URL('./race-worker.ts', import.meta.url), join(base, 'worker.mjs'));
  const dir = join(base, 'vault');
  const store = directoryStore(dir);
  const identities = await Promise.all(WRITERS.map((name) => person(name)));
  const { vault } = await makeVault({ people: identities, store });
  const before = vault.point.size;

  const results = await Promise.all(identities.map((identity) => run(worker, identity, [dir, join(base, `state-${identity.card.person}`), String(EACH)])));
  expect(results).toEqual(WRITERS.map(() => ({ code: 0, stderr: '' })));

  // From nothing: no cache, no pin.
  const reader = await openAs(store, identities[0]);
  const names = WRITERS.flatMap((name) => Array.from({ length: EACH }, (_, i) => `${name}/s${i}`));
  expect(reader.state.secrets.versions.sortedKeys()).toEqual([...names].sort());
  expect(reader.state.voids.size).toBe(0);
  expect(reader.log.strays).toEqual([]);
  const { lines } = await readRawLog(store);
  expect(lines).toHaveLength(before + names.length);
  expect(new Set(lines.map((line) => new TextDecoder().decode(line))).size).toBe(lines.length);
  const opened = await openSecrets(reader, { secrets: names.map((name) => ({ name })) });
  expect(opened.map((o) => o.file.useText((t) => t))).toEqual(names.map((name) => name.replace('/s', ' ')));
  expect(readdirSync(dir)).not.toContain('lock');
}, 180_000);
