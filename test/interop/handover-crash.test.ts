/**
 * A handover whose every act may be cut off by a power failure, before files of each kind get their name and around the commit, or with OXP_TEST_CRASH_ALL=1 at every
 * single one: typed again it gets to its end, with one entry, nothing lost, and no plaintext left behind.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { consentTo, directoryStore, finalizeHandover, findHandover, findProposal, formatIdentity, fsLocalState, planConsent, releaseDue, requestHandover, completeHandover, signPolicy, verifyVault, type Identity, type Vault } from '../../packages/core/src/index.js';
import { acknowledgeShares } from '../../packages/core/src/operations/custody/custodian.js';
import { hasOneTime } from '../../packages/core/src/operations/handover/one-time.js';
import { bundle } from '../support/bundle.js';
import { runCrashingAt, traceWrites, type Effect } from '../support/crash.js';
import { ALL, handoverWorld, valueOf, type HandoverWorld, type Who } from '../support/handover-world.js';
import { tempDir } from '../support/tmp.js';
import { NOW, openAs } from '../support/vaults.js';

/** Who does which act here, and what has to be so before it. */
const ACTS: Readonly<Record<string, Who>> = { request: 'carol', consent: 'alice', release: 'alice', complete: 'carol', finalize: 'carol' };

let worker: string;
let world: HandoverWorld;
let base: string;
let id: string;
let needles: string[];

/** Everything there is: the vault and the machines of its people. */
const as = (root: string, who: Who): Promise<Vault> => openAs(directoryStore(join(root, 'vault')), world.cast[who], { local: fsLocalState(join(root, `state-${who}`)) });

/** States of the world right before each act, by act. */
beforeAll(async () => {
  base = tempDir('handover');
  worker = await bundle(new URL('./handover-worker.ts', import.meta.url), join(base, 'worker.mjs'));
  const live = join(base, 'live');
  mkdirSync(live);
  world = await handoverWorld({ store: directoryStore(join(live, 'vault')), admins: ['alice', 'carol'], threshold: 2 });
  const keep = (act: string): void => cpSync(live, join(base, act), { recursive: true });
  const alice = await as(live, 'alice');
  needles = [await valueOf(alice, 'dns/key')].map((text) => /secret "([^"]+)"/.exec(text)![1]!);
  keep('request');
  id = (await requestHandover(await as(live, 'carol'), ALL)).digest;
  for (const who of ['bob', 'frank'] as const) {
    const vault = await as(live, who);
    await consentTo(vault, await planConsent(vault, id));
  }
  keep('consent');
  const consenting = await as(live, 'alice');
  await consentTo(consenting, await planConsent(consenting, id));
  keep('release');
  for (const who of ['alice', 'bob', 'frank'] as const) await releaseDue(await as(live, who));
  keep('complete');
  await completeHandover(await as(live, 'carol'), id);
  for (const who of ['carol', 'dora'] as const) await acknowledgeShares(await as(live, who));
  await finalizeHandover(await as(live, 'carol'), id);
  const admin = await as(live, 'alice');
  await signPolicy(admin, findProposal(admin));
  keep('finalize');
});

function args(root: string, act: string): string[] {
  return [act, join(root, 'vault'), join(root, `state-${ACTS[act]!}`), String(NOW), id];
}

const input = (act: string): string => textOf(world.cast[ACTS[act]!]);
const textOf = (identity: Identity): string => formatIdentity(identity).useText((text) => text);

/** A copy of the world before an act. */
function before(act: string): string {
  const root = tempDir('cut');
  cpSync(join(base, act), root, { recursive: true });
  return root;
}

/** The files of a kind are written alike: the first rename or removal of each, and what lies around the commit. */
function places(effects: readonly Effect[]): number[] {
  if (process.env['OXP_TEST_CRASH_ALL'] === '1') return effects.map((_, i) => i + 1);
  const kinds = new Set<string>();
  return effects.flatMap((effect, i) => {
    if (effect.call !== 'rename' && effect.call !== 'unlink') return [];
    const kind = `${effect.call} ${effect.path?.replace(/^.*\/(vault|state-\w+)\//, '$1/').replace(/[0-9a-f]{8,}|[^/]+$/g, '#') ?? ''}`;
    if (kinds.has(kind)) return [];
    kinds.add(kind);
    return effect.path?.endsWith('log/checkpoint') ? [i + 1, i + 2] : [i + 1];
  });
}

function filesBelow(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => (statSync(join(dir, name)).isDirectory() ? filesBelow(join(dir, name)) : [join(dir, name)]));
}

describe.each(Object.keys(ACTS))('%s, cut off', (act) => {
  it('gets to its end when it is typed again', { timeout: 900_000 }, async () => {
    const whole = before(act);
    const size = (await as(whole, 'grace')).point.size;
    const effects = traceWrites(process.execPath, [worker, ...args(whole, act)], { input: input(act) });
    const added = (await as(whole, 'grace')).point.size - size;
    const at = places(effects);
    expect(at.length).toBeGreaterThan(3);
    for (const n of at) {
      const root = before(act);
      const where = `${act}, before write ${n} (${effects[n - 1]!.call} ${effects[n - 1]!.path ?? ''})`;
      expect(runCrashingAt(n, process.execPath, [worker, ...args(root, act)], { input: input(act) }).crashed, where).toBe(true);
      // What lies there now is the old state or the new one, and says no secret.
      const cut = await as(root, 'grace');
      expect(await verifyVault(cut), where).toMatchObject({ ok: true, voids: [] });
      for (const path of filesBelow(root)) expect(needles.filter((needle) => readFileSync(path).includes(needle)), `${where}: ${path}`).toEqual([]);
      const asked = [...cut.state.handovers.handovers.keys()];
      for (const each of asked) if (!cut.state.handovers.handovers.get(each)!.receipt) expect(await hasOneTime(await as(root, 'carol'), each), where).toBe(true);

      const again = runCrashingAt(1e9, process.execPath, [worker, ...args(root, act)], { input: input(act) });
      expect([again.code, again.stderr], where).toEqual([0, '']);
      const vault = await as(root, 'carol');
      expect(await verifyVault(vault), where).toMatchObject({ ok: true, voids: [] });
      // A request that was cut off right after its commit is made a second time: nobody had seen the first one's id.
      if (act === 'request') expect([1, 2], where).toContain(vault.state.handovers.handovers.size);
      else expect(vault.point.size - size, where).toBe(added);
      if (act === 'complete') {
        expect(await hasOneTime(vault, id), where).toBe(true);
        for (const who of ['carol', 'dora'] as const) await acknowledgeShares(await as(root, who));
        const done = await as(root, 'carol');
        expect(await completeHandover(done, id), where).toMatchObject({ destroyed: true });
        expect(await valueOf(done, 'dns/key'), where).toContain(needles[0]);
      }
      if (act === 'finalize') expect(findHandover(vault, id).finalized, where).toBeDefined();
      rmSync(root, { recursive: true });
    }
  });
});
