/** Finishing: the policy comes to say what was handed over, keys turn, what can be rotated is; each run goes on where the last one had to wait. */
import { refusalToError, VaultError } from '../../errors.js';
import { leftBelow, pendingFault } from '../../handover/finalize.js';
import type { TransferRequest } from '../../handover/ops.js';
import { delivered, stageOf, type Handover } from '../../handover/state.js';
import { rotationOf } from '../../material/index.js';
import type { Missing } from '../../policy/agreement.js';
import { versionsOf, type SecretVersion } from '../../seal/state.js';
import type { Vault } from '../../vault.js';
import { toSortedSet } from '../../wire.js';
import { authorityNow, findHandover, versionByDigest } from './find.js';
import { openProposalOf, successorOf } from './policy.js';
import { describeHandover, type HandoverView } from './view.js';
import { custodyReport } from '../custody/report.js';
import { nextSteps } from './steps.js';
import { makeMissingKeys } from '../people/init.js';
import { grantMissing, turnDueKeys } from '../people/members.js';
import { destroySpent } from './one-time.js';
import { findVersion } from '../opening/open.js';
import { policyOutcome, proposePolicy } from '../people/policy-change.js';
import { planRotation } from '../sealing/rotate.js';
import { runSealPlan } from '../sealing/run.js';
import type { SealLine } from '../sealing/plan.js';

export interface Unrotated {
  readonly name: string;
  readonly version: number;
  readonly kind: string;
  /** What a person has to do for a new value, as an imperative. */
  readonly words: string;
}

export interface Finalization {
  readonly handover: HandoverView;
  /** True once `handover.finalize` is in the log. */
  readonly done: boolean;
  /** The policy that it comes to, while it waits for signatures: who types `oxp-vault policy sign`. */
  readonly waiting?: { readonly number: number; readonly digest: string } & Missing;
  readonly turned: readonly string[];
  /** What `rotate` has done now; empty without it. */
  readonly rotated: readonly SealLine[];
  /** What still has the value that the givers knew. */
  readonly unrotated: readonly Unrotated[];
}

/**
 * Goes as far as it can. `done: false` with `waiting` where signatures are missing (exit 6). Throws PENDING while a new version is not
 * acknowledged or something below a path is not handed over, NEEDS_SIGNATURES where an admin has to propose the policy, NOT_ALLOWED for who
 * has not received, ALREADY_DONE.
 */
export async function finalizeHandover(vault: Vault, id: string, options: { readonly rotate?: boolean } = {}): Promise<Finalization> {
  const { person } = vault.requireActor();
  const handover = findHandover(vault, id);
  const short = handover.digest.slice(0, 8);
  const request = requireFinalizable(vault, handover);
  await destroySpent(vault);
  const waiting = await movePolicy(vault, handover);
  const nothing = { handover: describeHandover(vault, handover), done: false, turned: [], rotated: [], unrotated: [] };
  if (waiting) return { ...nothing, waiting };
  if (!vault.policy.policy.roles[request.role]?.members.includes(person)) {
    throw new VaultError('NOT_ALLOWED', `the policy says all of handover ${short} now; a member of ${request.role} finishes it`, {
      hint: `They type: oxp-vault handover finalize ${short}`,
    });
  }
  const turned = [...(await turnDueKeys(vault)), ...(await makeMissingKeys(vault))];
  await grantMissing(vault);
  const rotated = options.rotate === true ? await rotateReceived(vault, handover) : [];
  const same = sameValue(vault, handover);
  const body = { request: handover.digest, policy: vault.policy.digest, unrotated: toSortedSet(same.map((version) => version.digest)) };
  await vault.append({ entries: [vault.sign('handover.finalize', body)], files: [] });
  return { handover: describeHandover(vault, findHandover(vault, handover.digest)), done: true, turned, rotated, unrotated: await Promise.all(same.map(unrotatedLine)) };
}

/** What has to be there before anything of it is proposed or asked. Gives the request. Throws PENDING, with who is awaited, and ALREADY_DONE. */
export function requireFinalizable(vault: Vault, handover: Handover): TransferRequest {
  const { request } = handover;
  const short = handover.digest.slice(0, 8);
  if (request.mode === 'use' || stageOf(handover) !== 'completed') {
    throw stageOf(handover) === 'open'
      ? new VaultError('PENDING', `handover ${short} has no receipt yet`, { details: awaitedSteps(vault, handover), hint: `See how far it is: oxp-vault handover show ${short}` })
      : new VaultError('ALREADY_DONE', `there is nothing left to finalize in handover ${short}`, { hint: `See: oxp-vault handover show ${short}` });
  }
  const authority = authorityNow(vault);
  const pending = pendingFault(handover, authority);
  if (pending) {
    const { code, message, hint } = refusalToError(pending);
    throw new VaultError(code, message, { details: awaitedCustodians(vault, handover), ...(hint === undefined ? {} : { hint }) });
  }
  const left = leftBelow(vault.state.handovers, handover, authority);
  if (left) throw refusalToError(left);
  return request;
}

/** `pki/root v2: 2 of carol dora frank; awaited: carol dora` */
function awaitedCustodians(vault: Vault, handover: Handover): string[] {
  const received = delivered(handover).map((outcome) => outcome.new);
  const waiting = custodyReport(vault).filter((report) => report.pending && received.includes(report.statement));
  return waiting.map(({ name, version, tree, awaited }) => `${name} v${version}: ${tree}; awaited: ${awaited.join(' ') || 'nobody who can'}`);
}

function awaitedSteps(vault: Vault, handover: Handover): string[] {
  return nextSteps(vault, handover).map(({ person, next }) => `${person}  ${next}`);
}

/** Proposes the policy that the handover comes to, once. What it waits for, or undefined where it is in effect. */
async function movePolicy(vault: Vault, handover: Handover): Promise<Finalization['waiting']> {
  const next = successorOf(vault, handover);
  if (!next) return undefined;
  const open = openProposalOf(vault, handover);
  if (open) return { number: open.number, digest: open.digest, ...policyOutcome(vault, open.number, open.digest).waiting };
  const { person } = vault.requireActor();
  const { admins } = vault.policy.policy;
  if (!admins.of.includes(person) && !next.admins.of.includes(person)) {
    const short = handover.digest.slice(0, 8);
    throw new VaultError('NEEDS_SIGNATURES', `an admin has to propose the policy that handover ${short} comes to`, {
      hint: `${admins.of.join(' or ')} types: oxp-vault handover finalize ${short}`,
    });
  }
  const { number, digest, inEffect, waiting } = await proposePolicy(vault, next);
  return inEffect ? undefined : { number, digest, ...waiting };
}

/** Makes the next version of what was received and not rotated yet, as far as it can be made here. */
async function rotateReceived(vault: Vault, handover: Handover): Promise<SealLine[]> {
  const names: string[] = [];
  for (const { statement } of sameValue(vault, handover)) {
    if ((await rotationOf(statement)).how === 'generate') names.push(statement.name);
  }
  return names.length === 0 ? [] : runSealPlan(vault, await planRotation(vault, names.sort()));
}

/** The received versions of which no newer one with a value of its own has been sealed, pending or not. */
function sameValue(vault: Vault, handover: Handover): SecretVersion[] {
  return delivered(handover).flatMap((outcome) => {
    const { statement } = versionByDigest(vault, outcome.new!);
    const later = versionsOf(vault.state.secrets, statement.name).filter((ver) => ver.statement.version > statement.version);
    return later.some((ver) => ver.statement.origin.how !== 'reseal') ? [] : [findVersion(vault, statement.name)];
  });
}

async function unrotatedLine({ statement }: SecretVersion): Promise<Unrotated> {
  const { name, version, kind } = statement;
  return { name, version, kind, words: (await rotationOf(statement)).words };
}
