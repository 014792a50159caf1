/** The middle: consent to exactly what was shown, release once all have agreed, or stop it. */
import { abortHandover, consentTo, type ConsentPlan, doHousekeeping, findHandover, type HandoverView, isVaultError, planConsent, type Released, releaseDue, releaseTo, showHandover, type Vault, VaultError } from '@oxp-vault/core';
import { isMeant } from '../beforehand.js';
import type { CliContext } from '../context.js';
import { columns, count, date } from '../render.js';
import { leftInWords, releasedWords, reportHousekeeping } from '../writing.js';
import { chosenHandover } from './choosing.js';
import { afterwards, awaitedInWords, consentsInWords, headline, names, shortId, targetsInWords } from './words.js';

export interface ConsentOptions {
  readonly wait?: boolean;
  readonly expect?: string;
}

/** So many secrets stand in a sentence; more of them line by line. */
const IN_A_SENTENCE = 6;

export async function consent(context: CliContext, id: string | undefined, options: ConsentOptions): Promise<void> {
  // `--expect` names what is consented to; which vault this must be is said by the environment or oxp-vault.yaml.
  const vault = await context.without('expect').vault({ write: true });
  const done = await doHousekeeping(vault);
  await reportHousekeeping(context, done);
  const { digest } = chosenHandover(vault, 'consent', id);
  const plan = await planOrGoOn(vault, digest, options, done.released);
  if (plan) {
    await show(context, plan);
    if (!(await agreed(context, plan, options.expect))) return;
    await consentTo(vault, plan);
    if (!context.json) await context.print(`consent logged: ${consentsInWords(showHandover(vault, digest))}.\n`);
  }
  const released = [...done.released, ...(await releaseAll(context, vault))].filter((each) => each.id === digest);
  const view = showHandover(vault, digest);
  if (context.json && !options.wait) await context.print(documentOf(view, plan, released));
  if (released.length > 0) return;
  if (options.wait) {
    const { waitAndRelease } = await import('./waiting.js');
    const left = await waitAndRelease(context, vault, digest, () => releaseAll(context, vault));
    if (context.json) await context.print(documentOf(showHandover(vault, digest), plan, left));
    return;
  }
  const waiting = awaitedInWords(view);
  if (waiting !== undefined) await context.say(`Waiting for ${waiting}. What you hold leaves with your next command after that which writes, whatever it is (oxp-vault sync is one); to stay for it: oxp-vault handover consent ${shortId(view)} --wait`);
}

function documentOf(view: HandoverView, plan: ConsentPlan | undefined, released: readonly Released[]): string {
  const targets = view.targets.map(({ name, consented, satisfied, needs, awaits }) => ({ name, consented, satisfied, needs, awaits }));
  return `${JSON.stringify({ handover: view.id, ...(plan ? { binds: plan.binds } : {}), targets, released }, null, 2)}\n`;
}

/** Undefined where this person has consented before, and only waits or has just released. */
async function planOrGoOn(vault: Vault, id: string, { wait }: ConsentOptions, released: readonly Released[]): Promise<ConsentPlan | undefined> {
  try {
    return await planConsent(vault, id);
  } catch (error) {
    if (isVaultError(error, 'ALREADY_DONE') && (wait || released.some((each) => each.id === id))) return undefined;
    throw error;
  }
}

async function show(context: CliContext, { handover, shares, owned, receivers, lastJoined }: ConsentPlan): Promise<void> {
  const { mode, role, request, targets } = handover;
  const use = mode === 'use';
  const who = use ? request.person : `${request.person} (${role})`;
  const reason = request.reason === '' ? '' : ` Reason: ${request.reason}.`;
  const few = targets.length <= IN_A_SENTENCE;
  await context.say(`${who} asks for ${use ? 'one use of ' : ''}${few ? targetsInWords(targets) : count(targets.length, 'secret')}.${reason}`);
  if (!few) await context.say(columns(targets.map(({ name, version, needs }) => [name, `v${version}`, `needs ${needs}`]), { indent: 2 }));
  const checked = [
    targets.length === 1 ? 'this is the newest version' : 'these are the newest versions',
    ...(shares.length > 0 ? [`you hold a share of ${names(shares.map((target) => target.name))}`] : []),
    ...(owned.length > 0 ? [`you decide on ${names(owned.map((target) => target.name))} as an owner`] : []),
    ...(use ? [] : [`${receivers.join(', ')} will receive`, lastJoined ? `nobody has been added to ${role} since ${lastJoined.person}, ${date(lastJoined.time)}` : `nobody has been added to ${role} since it was made`]),
    ...(shares.length > 0 ? ['your share leaves only after all needed consents are in the log'] : []),
  ];
  await context.say(`Your client has checked: ${checked.join('; ')}.`);
  const them = targets.length === 1 ? 'it' : 'them';
  await context.say(use ? `If you agree, ${request.person} may use ${them} once; who owns what stays as it is, and ${them} should be made anew afterwards.` : `If you agree: ${afterwards(handover)}.`);
}

async function agreed(context: CliContext, { binds, handover }: ConsentPlan, expect: string | undefined): Promise<boolean> {
  const id = shortId(handover);
  if (expect !== undefined && !isMeant(binds, expect)) {
    throw new VaultError('EXPECT_MISMATCH', `what handover ${id} asks for has another digest than the one you agreed to: it has changed since, or is another`, {
      hint: `Nothing was signed. Read what it is now, above. If you agree to that: --expect ${binds}`,
    });
  }
  if (context.options.yes && expect === undefined) {
    throw new VaultError('USAGE', 'with --yes it must be said what is consented to', { hint: `If it is what was shown: --yes --expect ${binds}` });
  }
  const yes = await context.confirm(`Consent to ${id} (digest ${binds.slice(0, 8)} ${binds.slice(8, 16)}…)?`, `--yes --expect ${binds}`);
  if (!yes) await context.say(`Nothing was signed. If it should go no further, tell ${handover.request.person}.`);
  return yes;
}

async function releaseAll(context: CliContext, vault: Vault): Promise<readonly Released[]> {
  const { released, faults } = await releaseDue(vault);
  for (const each of released) await context.say(`${leftInWords(each)}. Done.`);
  for (const { code, message, hint } of faults) await context.warn(`${code}: ${message}${hint === undefined ? '' : `. ${hint}`}`);
  return released;
}

export async function release(context: CliContext, id: string | undefined): Promise<void> {
  // Without the house kept first: that would release it before anybody could say what.
  const vault = await context.vault({ write: true });
  const done = await releaseTo(vault, chosenHandover(vault, 'release', id));
  await context.result({ ...done }, `${releasedWords(done)} released to ${done.to}.\n`);
}

export async function abort(context: CliContext, id: string, { reason }: { readonly reason?: string }): Promise<void> {
  const vault = await context.vault({ write: true });
  const before = showHandover(vault, findHandover(vault, id).digest);
  await context.say(headline(before));
  if (!(await context.confirm(before.receipt ? 'Take back what its new custodians have not acknowledged?' : 'Abort it?'))) return context.say('Nothing was changed.');
  const view = await abortHandover(vault, before.id, reason ?? '');
  const withdrawn = view.targets.filter((target) => target.outcome?.withdrawn).map((target) => target.name);
  await context.result(view, view.receipt ? `handover ${shortId(view)}: ${names(withdrawn)} taken back; the version before counts, and its givers keep it\n` : `handover ${shortId(view)} is aborted: nothing moves\n`);
  const left = view.targets.filter((target) => target.releasedBy.length > 0 && (!view.receipt || target.outcome?.withdrawn)).map((target) => target.name);
  if (left.length > 0) await context.warn(`Something of ${names(left)} had been released: count it as known to ${view.request.person} until its value is made anew.`);
  if (view.stage === 'completed') await context.next(`oxp-vault handover finalize ${shortId(view)} --rotate, for the rest`);
}
