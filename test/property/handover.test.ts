/** Acts of handovers in any order, honest and not: what must hold whatever people do. Judged here in words of its own, not by the code under test. */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { stageOf, type Consent, type Handover } from '../../packages/core/src/handover/state.js';
import type { Policy } from '../../packages/core/src/index.js';
import { isSatisfied } from '../../packages/core/src/primitives/threshold-tree.js';
import type { VaultState } from '../../packages/core/src/state.js';
import { handoverCast, HandoverLog, HUMANS, PKI_ROOT, UNTIL, type Cast, type Human } from '../support/handover-log.js';

let cast: Cast;
let fresh: string[];
beforeAll(async () => {
  ({ cast, fresh } = await handoverCast());
});

const KINDS = ['request', 'request', 'use', 'consent', 'consent', 'agree', 'agree', 'release', 'release', 'give', 'give', 'complete', 'complete', 'late', 'abort', 'finalize', 'finalize', 'through', 'ack', 'acks', 'seal', 'members', 'rules', 'back'] as const;
interface Step { readonly kind: (typeof KINDS)[number]; readonly who: Human; readonly a: number }
const steps = fc.array(fc.record({ kind: fc.constantFrom(...KINDS), who: fc.constantFrom(...HUMANS), a: fc.nat(60) }), { minLength: 15, maxLength: 40 });

const pick = <T>(list: readonly T[], i: number): T | undefined => list[i % Math.max(1, list.length)];

/** By chance alone so rare that a run might never see the end. */
const THROUGH = ['agree', 'give', 'complete', 'acks', 'finalize'] as const;
const oneByOne = (step: Step): Step[] => (step.kind === 'through' ? THROUGH.map((kind) => ({ ...step, kind, who: 'carol' })) : [step]);

/** Does one step, as somebody would who has the newest state, and now and then more than they may. */
function play(log: HandoverLog, { kind, who, a }: Step): void {
  const id = pick(log.state.handovers.handovers.sortedKeys(), a >> 2);
  const names = [['dns/key', 'pki/root'], ['dns/key'], ['pki/root'], ['kube/root']][a % 4]!;
  const platform = (members: string[]) => log.policy((base) => ({ roles: { ...base.roles, platform: { ...base.roles['platform']!, members } } }));
  switch (kind) {
    case 'request':
      if (log.state.handovers.handovers.size < 4) log.request(a % 5 === 0 ? who : 'carol', names);
      return;
    case 'use':
      if (log.state.handovers.handovers.size < 4) log.use(a % 3 === 0 ? who : 'bob', names);
      return;
    case 'seal':
      if (a % 4 === 0) log.seal(who, names[0]!);
      return;
    case 'members':
      // Somebody joins the receivers, or leaves them again.
      platform(a % 2 === 0 ? ['carol', 'dora', 'grace'] : ['carol', 'dora']);
      return;
    case 'rules':
      log.policy((base) => ({ rules: base.rules.map((r) => (r.path === 'dns/' ? { ...r, consents: 1 + (a % 2) } : r)) }));
      return;
    case 'back':
      log.policy((base) => ({ roles: { ...base.roles, infra: { members: a % 2 === 0 ? ['alice', 'ci'] : ['alice', 'bob', 'ci'] } } }));
      return;
    case 'ack':
      log.ack(who, 'pki/root');
      return;
    case 'acks':
      for (const each of HUMANS) log.ack(each, 'pki/root');
      return;
    default:
      if (id !== undefined) playOn(log, { kind, who, a }, id);
  }
}

function playOn(log: HandoverLog, { kind, who, a }: Step, id: string): void {
  const all = log.state.handovers.handovers;
  const names = log.handover(id).targets.map((t) => t.name);
  const by = log.handover(id).by.person as Human;
  switch (kind) {
    case 'consent':
      log.consent(who, id);
      return;
    case 'agree':
      for (const each of HUMANS) log.consent(each, id);
      return;
    case 'give': {
      const consents = log.handover(id).consents.filter((c) => c.binds === log.binds(id)).map((c) => c.digest).sort();
      for (const each of HUMANS) log.release(each, id, each === 'alice' ? names : [], { consents });
      return;
    }
    case 'release': {
      // All consents, some of them, or those of another handover as well.
      const others = a % 7 === 0 ? [...all.values()].flatMap((h) => h.consents.map((c) => c.digest)).sort() : undefined;
      const some = a % 5 === 0 ? log.consents(id).slice(0, 2) : undefined;
      const living = log.handover(id).consents.filter((c) => c.binds === log.binds(id)).map((c) => c.digest).sort();
      log.release(who, id, a % 2 === 0 ? names : [], { consents: others ?? some ?? living });
      return;
    }
    case 'complete':
      log.complete(id, {}, undefined, a % 6 === 0 ? who : by);
      return;
    case 'late':
      log.complete(id, {}, undefined, by, UNTIL + 1);
      return;
    case 'abort':
      if (a % 3 === 0) log.abort(who, id);
      return;
    case 'finalize':
      log.moved(id);
      log.finalize(id, {}, who);
      return;
    default:
  }
}

/** The rule that decides for a name: found in another way than the fold finds it. */
function ruleOf(state: VaultState, name: string): Policy['rules'][number] {
  const standIn = state.handovers.standIns.get(name)?.at(-1)?.rule;
  const matching = state.policy!.policy.rules.filter((r) => r.path === '/' || r.path === name || (r.path.endsWith('/') && name.startsWith(r.path)));
  return standIn ?? matching.sort((x, y) => y.path.length - x.path.length)[0]!;
}

/** What a consent was given to, as of a state: recorded when it was given, compared when it is relied on. */
function matter(state: VaultState, handover: Handover): string {
  const { policy } = state.policy!;
  const rules = handover.targets.map(({ name }) => {
    const { path: _, ...rule } = ruleOf(state, name);
    return rule;
  });
  return JSON.stringify([rules, handover.request.mode === 'use' ? handover.by.person : [policy.roles['platform']!.members, policy.custody['platform-root']]]);
}

function enough(state: VaultState, handover: Handover, consents: readonly Consent[]): boolean {
  return handover.targets.every(({ name, statement }) => {
    const persons = new Set(consents.filter((c) => [...c.ownership, ...c.leaves.map((l) => l.statement)].includes(statement)).map((c) => c.by.person));
    persons.delete(handover.by.person);
    if (name === 'pki/root') return isSatisfied(PKI_ROOT, (p) => persons.has(p));
    const rule = ruleOf(state, name);
    const owners = rule.owners.flatMap((role) => state.policy!.policy.roles[role]!.members);
    return [...persons].filter((p) => owners.includes(p)).length >= rule.consents;
  });
}

it('nothing leaves before enough living consents, nothing is received twice, and what is withdrawn never counts', () => {
  const seen = { releases: 0, receipts: 0, finalized: 0, dead: 0, aborted: 0 };
  fc.assert(fc.property(steps, (list) => {
    // Enough fresh recipients for every request and custody version of a run.
    const log = new HandoverLog(cast, fresh);
    const givenTo = new Map<string, string>();
    for (const step of list.flatMap(oneByOne)) {
      const before = log.state;
      try {
        play(log, step);
      } catch (error) {
        // A step that cannot even be written, as the successor policy of a use.
        if (!(error instanceof Error) || !error.message.includes('moves nothing')) throw error;
      }
      for (const [id, handover] of log.state.handovers.handovers) {
        const was = before.handovers.handovers.get(id);
        for (const consent of handover.consents.slice(was?.consents.length ?? 0)) givenTo.set(consent.digest, matter(before, handover));
        for (const release of handover.releases.slice(was?.releases.length ?? 0)) {
          seen.releases++;
          const consents = was!.consents.filter((c) => release.consents.includes(c.digest));
          expect(consents).toHaveLength(release.consents.length);
          expect(consents.filter((c) => givenTo.get(c.digest) !== matter(before, handover))).toEqual([]);
          expect(enough(before, handover, consents)).toBe(true);
          expect(stageOf(was!)).toBe('open');
          // Who asked could ask now.
          const { roles } = before.policy!.policy;
          const owned = handover.targets.every(({ name }) => ruleOf(before, name).owners.some((role) => roles[role]!.members.includes(handover.by.person)));
          expect(handover.request.mode === 'use' ? owned : roles['platform']!.members.includes(handover.by.person)).toBe(true);
        }
        if (was && was.consents.some((c) => givenTo.get(c.digest) !== matter(log.state, handover))) seen.dead++;
        if (handover.receipt && !was?.receipt) {
          seen.receipts++;
          expect(handover.receipt.by.person).toBe(handover.by.person);
          expect(handover.receipt.time).toBeLessThanOrEqual(UNTIL);
          for (const { statement, name, version } of handover.targets) {
            expect(before.secrets.versions.get(name)!.findLast((v) => !v.pending)!.statement.version).toBe(version);
            const gone = new Set(was!.releases.flatMap((r) => [...r.shares, ...r.keys].filter((item) => item.statement === statement).map(() => r.by.person)));
            expect(name === 'pki/root' ? isSatisfied(PKI_ROOT, (p) => gone.has(p)) : gone.size > 0).toBe(true);
          }
        }
        // A receipt never changes but by what is withdrawn, and nothing comes back.
        if (was?.receipt) {
          expect(handover.receipt!.digest).toBe(was.receipt.digest);
          expect(handover.releases).toHaveLength(was.releases.length);
          expect(handover.receipt!.targets.filter((t, i) => was.receipt!.targets[i]!.withdrawn && !t.withdrawn)).toEqual([]);
        }
        if (was?.aborted && !was.receipt) expect(handover).toEqual(was);
        if (was?.finalized) expect(handover).toEqual(was);
        if (handover.finalized && !was?.finalized) seen.finalized++;
        if (handover.aborted && !was?.aborted) seen.aborted++;
        for (const outcome of handover.receipt?.targets ?? []) {
          if (!outcome.withdrawn || outcome.new === null) continue;
          const at = log.state.secrets.statements.get(outcome.new)!;
          expect(log.state.secrets.versions.get(at.name)![at.version - 1]!.pending).toBe(true);
        }
      }
    }
  }), { numRuns: 80 });
  // A generator whose acts are always refused would prove nothing.
  expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(0);
});
