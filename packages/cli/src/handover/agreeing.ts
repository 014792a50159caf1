/** The middle: consent to exactly what was shown, release once all have agreed, or stop it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { abortHandover, consentTo, type ConsentPlan, findHandover, isVaultError, planConsent, type Released, releaseDue, releaseTo, showHandover, type Vault, VaultError } from '@oxp-vault/core';
import type { CliContext } from '../context.js';
import { count, date } from '../render.js';
import { vaultForWriting } from '../writing.js';
import { awaited, headline, names, shortId, targetsInWords } from './words.js';

export interface ConsentOptions {
  readonly wait?: boolean;
  readonly expect?: string;
}

const MIN_DIGITS = 16;
/** Milliseconds between two looks: soon at first, as the others are often at their desks. */
const [FIRST_LOOK, LONGEST_LOOK] = [500, 10_000];

export async function consent(context: CliContext, id: string, options: ConsentOptions): Promise<void> {
  // `--expect` names what is consented to; which vault this must be is said by the environment or oxp-vault.yaml.
  const vault = await vaultForWriting(context.without('expect'));
  const plan = await planOrWait(vault, id, options);
  if (plan) {
    await show(context, plan);
    if (!(await agreed(context, plan, options.expect))) return;
    await consentTo(vault, plan);
  }
  const view = showHandover(vault, findHandover(vault, id).digest);
  const document = { handover: view.id, ...(plan ? { binds: plan.binds } : {}), targets: view.targets.map(({ name, consented, satisfied, needs }) => ({ name, consented, satisfied, needs })) };
  const lines = view.targets.map(({ name, consented, satisfied, needs }) => `  ${name}: ${satisfied ? 'enough' : `${consented.join(' ') || 'nobody yet'}; needs ${needs}`}`);
  await context.result(document, plan ? `consent logged.\n${lines.join('\n')}\n` : '');
  const released = await releaseAll(context, vault);
  if (released.some((each) => each.id === view.id)) return;
  if (options.wait) return waitAndRelease(context, vault, view.id);
  if (awaited(view).length > 0) await context.say(`Waiting for ${awaited(view).join(', ')}. What you hold leaves with your next command after they have consented.`);
}

/** Undefined where this person has consented before and only waits. */
async function planOrWait(vault: Vault, id: string, { wait }: ConsentOptions): Promise<ConsentPlan | undefined> {
  try {
    return await planConsent(vault, id);
  } catch (error) {
    if (wait && isVaultError(error, 'ALREADY_DONE')) return undefined;
    throw error;
  }
}

async function show(context: CliContext, { handover, shares, owned, receivers, lastJoined }: ConsentPlan): Promise<void> {
  const { mode, role, request, targets } = handover;
  const who = mode === 'use' ? request.person : `${request.person} (${role})`;
  const reason = request.reason === '' ? '' : ` Reason: ${request.reason}.`;
  await context.say(`${who} asks for ${targetsInWords(targets)}.${reason}`);
  const checked = [
    'these are the newest versions',
    ...(shares.length > 0 ? [`you hold a share of ${names(shares.map((target) => target.name))}`] : []),
    ...(owned.length > 0 ? [`you decide on ${names(owned.map((target) => target.name))} as an owner`] : []),
    ...(mode === 'use' ? [] : [`${receivers.join(', ')} will receive`, lastJoined ? `nobody has been added to ${role} since ${lastJoined.person} on ${date(lastJoined.time)}` : `nobody has been added to ${role} since it was made`]),
    ...(shares.length > 0 ? ['your share leaves only after all needed consents are in the log'] : []),
  ];
  await context.say(`Your client has checked: ${checked.join('; ')}.`);
  await context.say(mode === 'use' ? `If you agree, ${request.person} may use ${targets.length === 1 ? 'it' : 'them'} once; who owns what stays as it is.` : `If you agree, ${role} will own ${targets.length === 1 ? 'it' : `these ${targets.length}`}.`);
  const { afterwards } = await import('./words.js');
  if (mode !== 'use') await context.say(`Afterwards: ${afterwards(handover)}.`);
}

/** A yes given beforehand is a yes to one text, not to whatever is asked by then. */
async function agreed(context: CliContext, { binds, handover }: ConsentPlan, expect: string | undefined): Promise<boolean> {
  if (expect !== undefined && (!/^[0-9a-f]+$/.test(expect) || expect.length < MIN_DIGITS || !binds.startsWith(expect))) {
    throw new VaultError('EXPECT_MISMATCH', `what handover ${shortId(handover)} asks for has the digest ${binds}, which is not the expected one`);
  }
  if (context.options.yes && expect === undefined) {
    throw new VaultError('USAGE', 'with --yes it must be said what is consented to', { hint: `If it is what was shown: --yes --expect ${binds}` });
  }
  const yes = await context.confirm(`Consent to ${shortId(handover)} (digest ${binds.slice(0, 8)} ${binds.slice(8, 16)}…)?`);
  if (!yes) await context.say('Nothing was signed.');
  return yes;
}

async function waitAndRelease(context: CliContext, vault: Vault, id: string): Promise<void> {
  let said = '';
  for (let pause = FIRST_LOOK; ; pause = Math.min(LONGEST_LOOK, pause * 1.5)) {
    const view = showHandover(vault, id);
    if (view.blocked) throw new VaultError('EXPIRED', `handover ${shortId(view)} cannot go on: ${view.blocked.message}`, { hint: 'Nothing of yours has left.' });
    if (view.stage !== 'open') return context.say(`Handover ${shortId(view)} is ${view.stage === 'aborted' ? 'aborted' : 'over'}: nothing more is asked of you.`);
    const released = await releaseAll(context, vault);
    if (released.some((each) => each.id === id)) return;
    if (view.targets.every((target) => target.released)) return context.say('Others have released enough: nothing more is asked of you.');
    const waiting = awaited(view).join(', ') || 'the others';
    if (waiting !== said) await context.say(`Waiting for ${waiting}. Ctrl-C is safe: what you hold then leaves with your next command.`);
    said = waiting;
    await sleep(pause);
    await vault.refresh();
  }
}

async function releaseAll(context: CliContext, vault: Vault): Promise<readonly Released[]> {
  const { released, faults } = await releaseDue(vault);
  for (const each of released) await context.say(`all consents are in the log; ${releasedWords(each)} released to ${each.to}. Done.`);
  for (const { code, message } of faults) await context.warn(`${code}: ${message}`);
  return released;
}

/** `your share of pki/root and 3 file keys were` */
function releasedWords({ shares, keys }: Released): string {
  const parts = [...(shares.length > 0 ? [`your share of ${names(shares)}`] : []), ...(keys.length > 0 ? [count(keys.length, 'file key')] : [])];
  return `${parts.join(' and ')} ${shares.length + keys.length === 1 ? 'was' : 'were'}`;
}

export async function release(context: CliContext, id: string): Promise<void> {
  // Without the house kept first: that would release it before anybody could say what.
  const vault = await context.vault({ write: true });
  const done = await releaseTo(vault, findHandover(vault, id));
  await context.result({ ...done }, `${releasedWords(done)} released to ${done.to}.\n`);
}

export async function abort(context: CliContext, id: string, { reason }: { readonly reason?: string }): Promise<void> {
  const vault = await context.vault({ write: true });
  const before = showHandover(vault, findHandover(vault, id).digest);
  await context.say(headline(before));
  const left = [...new Set(before.targets.flatMap((target) => (target.releasedBy.length > 0 ? [target.name] : [])))];
  if (!(await context.confirm(before.receipt ? 'Take back what its new custodians have not acknowledged?' : 'Abort it?'))) return context.say('Nothing was changed.');
  const view = await abortHandover(vault, before.id, reason ?? '');
  const withdrawn = view.targets.filter((target) => target.outcome?.withdrawn).map((target) => target.name);
  await context.result(view, view.receipt ? `handover ${shortId(view)}: ${names(withdrawn)} taken back\n` : `handover ${shortId(view)} is aborted\n`);
  if (!view.receipt && left.length > 0) await context.warn(`Something of ${names(left)} had been released: count it as known to ${view.request.person} until its value is made anew.`);
}
