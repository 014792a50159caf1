/** Who must do what next in a handover: one line a person, the same for `handover show` and for `status`. */
import { canAct, custodyOf } from '../../custody/state.js';
import type { HandoverAuthority } from '../../handover/authority.js';
import { policyFault } from '../../handover/finalize.js';
import { openFault } from '../../handover/liveness.js';
import { consentersOf, coverageOf, isConsented, isReleased, livingConsents, mayConsent, releasesBy, type Coverage } from '../../handover/satisfied.js';
import { delivered, stageOf, type Handover, type Target } from '../../handover/state.js';
import { deviceKeys } from '../../policy/state.js';
import { compareText } from '../../primitives/compare.js';
import { isSatisfied, type ThresholdTree } from '../../primitives/threshold-tree.js';
import type { Vault } from '../../vault.js';
import { authorityNow, versionByDigest } from './find.js';
import { policyOutcome } from '../people/policy-change.js';
import { openProposalOf } from './policy.js';

export interface NextStep {
  readonly person: string;
  /** In words, as an imperative. */
  readonly words: string;
  /** The command line to type. */
  readonly next: string;
}

/** At most one for each person, in order of their names. Empty where the handover is over. */
export function nextSteps(vault: Vault, handover: Handover): NextStep[] {
  const steps = new Map<string, NextStep>();
  for (const step of stepsOf(vault, handover)) if (!steps.has(step.person)) steps.set(step.person, step);
  return [...steps.values()].sort((a, b) => compareText(a.person, b.person));
}

function* stepsOf(vault: Vault, handover: Handover): Iterable<NextStep> {
  const authority = authorityNow(vault);
  const id = handover.digest.slice(0, 8);
  const stage = stageOf(handover);
  if (stage === 'completed') yield* stepsAfter(vault, handover, authority, id);
  if (stage !== 'open') return;
  if (openFault(handover, { time: vault.clock.now(), authority })) {
    yield { person: handover.by.person, words: 'ask anew: it is too late for this one, or a newer version is there', next: `oxp-vault handover abort ${id}` };
    return;
  }
  const living = livingConsents(handover, authority);
  const coverage = coverageOf(handover, living);
  const open = handover.targets.filter((target) => !isConsented(target, coverage, authority));
  for (const target of open) {
    for (const person of useful(handover, target, consentersOf(target, coverage, authority), authority)) {
      const again = handover.consents.some((consent) => consent.by.person === person);
      yield { person, words: again ? 'look at it again: what you consented to has changed' : 'look at it, and consent or abort', next: `oxp-vault handover consent ${id} --wait` };
    }
  }
  if (open.length > 0) return;
  const released = releasesBy(handover.releases);
  const held = handover.targets.filter((target) => !isReleased(target, released, authority));
  const consenters = living.map((consent) => consent.by.person);
  for (const target of held) for (const person of releasers(target, consenters, released, authority)) yield { person, words: 'release what you have consented to', next: `oxp-vault handover release ${id}` };
  if (held.length === 0 || canReleaseAll(handover, held, authority)) yield { person: handover.by.person, words: 'receive it', next: `oxp-vault handover complete ${id}` };
}

/** Persons who could consent and have not, as far as one of them would bring it nearer. */
function useful(handover: Handover, target: Target, given: readonly string[], authority: HandoverAuthority): string[] {
  const custody = authority.version(target.statement)?.custody;
  const owners = (authority.rule(target.name)?.owners ?? []).flatMap((role) => authority.role(role)?.members ?? []);
  const can = (person: string): boolean => person !== handover.by.person && mayConsent(person, target, authority);
  const candidates = custody ? awaitedIn(custody.tree, given, can) : owners;
  return [...new Set(candidates)].filter((person) => can(person) && !given.includes(person));
}

/** Names below the nodes of a tree that are not satisfied yet, and can be. */
function awaitedIn(tree: ThresholdTree, given: readonly string[], can: (name: string) => boolean): string[] {
  const has = (name: string): boolean => given.includes(name);
  if (isSatisfied(tree, has) || !isSatisfied(tree, (name) => has(name) || can(name))) return [];
  return tree.of.flatMap((child) => (typeof child === 'string' ? (has(child) ? [] : [child]) : awaitedIn(child, given, can)));
}

/** Who can open the target for the receiver: custodians who have consented; of a plain one those who read it, consenters first. */
function releasers(target: Target, consenters: readonly string[], released: Coverage, authority: HandoverAuthority): string[] {
  const version = authority.version(target.statement);
  const left = (persons: readonly string[]): string[] => [...new Set(persons)].filter((person) => authority.isMachine(person) === false && !released.get(target.statement)?.includes(person));
  if (version?.custody) return left(version.custody.leaves.map((leaf) => leaf.person).filter((person) => consenters.includes(person)));
  const readers = (version?.readers ?? []).flatMap((role) => authority.role(role)?.members ?? []);
  const both = readers.filter((person) => consenters.includes(person));
  return left(both.length > 0 ? both : readers);
}

/** True where the receiver reads all that is not released yet: they need nobody else. */
function canReleaseAll(handover: Handover, held: readonly Target[], authority: HandoverAuthority): boolean {
  return held.every((target) => {
    const version = authority.version(target.statement);
    return version !== undefined && !version.custody && version.readers.some((role) => authority.role(role)?.members.includes(handover.by.person));
  });
}

function* stepsAfter(vault: Vault, handover: Handover, authority: HandoverAuthority, id: string): Iterable<NextStep> {
  if (handover.request.mode === 'use') return;
  let waits = false;
  for (const outcome of delivered(handover)) {
    const { pending, statement } = versionByDigest(vault, outcome.new!);
    const record = pending ? custodyOf(vault.state.custody, outcome.new!) : undefined;
    if (!record) continue;
    waits = true;
    for (const leaf of record.leaves) {
      if (!leaf.acknowledged && canAct(leaf, (person) => deviceKeys(vault.policy.people, person))) {
        yield { person: leaf.person, words: `say that your share of ${statement.name} v${statement.version} opens`, next: 'oxp-vault custody ack' };
      }
    }
  }
  if (waits) return;
  const proposal = policyFault(vault.state.handovers, handover, handover.request, authority) ? openProposalOf(vault, handover) : undefined;
  if (proposal) {
    for (const person of policyOutcome(vault, proposal.number, proposal.digest).waiting.of) {
      yield { person, words: `sign policy ${proposal.number}, which it comes to`, next: `oxp-vault policy sign ${proposal.digest.slice(0, 8)}` };
    }
    return;
  }
  const due = policyFault(vault.state.handovers, handover, handover.request, authority);
  const persons = due ? vault.policy.policy.admins.of : (authority.role(handover.request.role)?.members ?? []);
  for (const person of persons) {
    if (authority.isMachine(person) === false) yield { person, words: due ? 'propose the policy that it comes to' : 'finish it', next: `oxp-vault handover finalize ${id}` };
  }
}
