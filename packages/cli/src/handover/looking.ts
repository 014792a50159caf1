/** Handovers looked at: which there are, how far one is, and whether all of it was right. */
import { type HandoverView, listHandovers, listOffers, showHandover, type TargetView, verifyHandover } from '@oxp-vault/core';
import type { CliContext } from '../context.js';
import { EXIT_VERIFICATION } from '../exit-codes.js';
import { ago, columns, dateTime, entries, short, table, thousands } from '../render.js';
import { untilInWords } from '../until.js';
import { afterwards, headline, names, shortId } from './words.js';

export async function list(context: CliContext): Promise<void> {
  // Whoever looks was told a moment ago that somebody has done their part.
  const vault = await context.vault({ news: true, look: true });
  const handovers = listHandovers(vault);
  const offers = listOffers(vault).filter((offer) => offer.open);
  const now = context.clock.now();
  const rows = [
    ...offers.map((offer) => [short(offer.digest), 'offer', `-> ${offer.role}`, names(offer.names), `${offer.person}, ${ago(offer.time, now)}`, offer.role]),
    ...handovers.map((view) => [shortId(view), view.blocked ? 'blocked' : view.stage, view.mode === 'use' ? `use by ${view.request.person}` : `-> ${view.role}`, names(view.targets.map((target) => target.name)), `${view.request.person}, ${ago(view.request.time, now)}`, view.next.map((step) => step.person).join(' ') || '-']),
  ];
  await context.result({ offers, handovers }, rows.length === 0 ? 'no handovers\n' : table(['ID', 'STAGE', 'TO', 'SECRETS', 'BY', 'WAITS FOR'], rows));
}

export async function show(context: CliContext, id: string): Promise<void> {
  const vault = await context.vault({ news: true, look: true });
  const view = showHandover(vault, id);
  const me = (await context.whoami())?.person;
  await context.result(view, textOf(context, view));
  const mine = view.next.find((step) => step.person === me);
  if (mine) await context.next(`${mine.words}: ${mine.next}`);
  else if (view.next.length > 0) await context.say('Nothing of it waits for you.');
}

function textOf(context: CliContext, view: HandoverView): string {
  const { request, receipt, finalized, aborted, blocked, next } = view;
  const now = context.clock.now();
  const by = (act: { person: string; time: number; leaf: number }): string => `${act.person}, ${ago(act.time, now)}, entry ${thousands(act.leaf)}`;
  const rows = [
    ['asked by', `${by(request)}${request.reason === '' ? '' : `: ${request.reason}`}`],
    ['afterwards', afterwards(view)],
    ...(view.stage === 'open' ? [['until', untilInWords(request.notAfter)]] : []),
    ...diedOf(view).map((person) => ['!', `the consent of ${person} no longer counts: what it was given to has changed`]),
    ...(receipt ? [['receipt', by(receipt)]] : []),
    ...(finalized ? [['finalized', by(finalized)]] : []),
    ...(aborted ? [['aborted', `${by(aborted)}${aborted.reason === '' ? '' : `: ${aborted.reason}`}`]] : []),
    ...(blocked ? [['blocked', blocked.message]] : []),
    ...next.map((step) => [step.person, `${step.words}: ${step.next}`]),
  ];
  const targets = view.targets.map((target) => [target.name, `v${target.version}`, progressOf(target)]);
  return `${headline(view)}, ${view.stage}\n${columns(targets, { indent: 2 })}${columns(rows, { indent: 2, gap: 3 })}`;
}

/** Who has consented to something else than what it is now. */
function diedOf({ stage, consents }: HandoverView): string[] {
  if (stage !== 'open') return [];
  const living = consents.filter((each) => each.living).map((each) => each.person);
  return [...new Set(consents.map((each) => each.person))].filter((person) => !living.includes(person));
}

function progressOf({ needs, consented, satisfied, awaits, releasedBy, released, outcome }: TargetView): string {
  if (outcome) {
    const failed = outcome.checks.filter((check) => !check.ok);
    if (failed.length > 0) return `not handed over: failed ${failed.map((check) => check.check).join(', ')}`;
    if (outcome.version === undefined) return 'used, nothing moved';
    return `received as v${outcome.version}${outcome.withdrawn ? ', taken back' : outcome.pending ? ', pending: waits for its custodians' : ''}`;
  }
  if (!satisfied) return `needs ${needs}; ${consented.length === 0 ? 'nobody has consented yet' : `consented by ${consented.join(' ')}`}, waits for ${awaits}`;
  return released ? `consented by ${consented.join(' ')}; released` : `consented by ${consented.join(' ')}; released by ${releasedBy.join(' ') || 'nobody yet'}`;
}

export async function verify(context: CliContext, id: string): Promise<number | void> {
  const vault = await context.vault();
  const report = await verifyHandover(vault, id);
  const steps = report.steps.map(({ leaf, op, person, device, time, digest }) => [thousands(leaf), dateTime(time), op, `${person} (${device})`, short(digest)]);
  const checks = report.checks.map(({ check, ok, detail }) => `${context.paint.mark(ok ? '+' : '!')} ${check}${detail === undefined ? '' : `: ${detail}`}\n`);
  const verdict = report.ok ? 'All of it holds.' : 'It does NOT hold: see above.';
  if (!vault.confirmed) await context.warn('freshness unknown: nobody has said that this is the right vault and not an old copy: --expect VAULT@SIZE:ROOT');
  await context.result(report, `${headline(report.handover)}, ${report.handover.stage}\n${columns(steps, { indent: 2 })}${checks.join('')}${verdict} Judged on ${entries(report.entries)}, root ${short(report.root)}.\n`);
  return report.ok ? undefined : EXIT_VERIFICATION;
}
