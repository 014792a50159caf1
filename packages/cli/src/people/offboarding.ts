/** What a leaver still knows, and making it worthless: as a list, and as a run that does what its actor may. */
import { type Card, exposureOf, type Knowledge, type OffboardingPlan, type OffboardingTask, planOffboarding, rolesOf, rotateAll, type RotationRun, summariseExposure, type Vault } from '@oxp-vault/core';
import type { CliContext } from '../context.js';
import { howWords, summaryWords, versionWords } from '../exposure-view.js';
import { startProgress } from '../progress.js';
import { columns, count, wrappedTable } from '../render.js';
import { countLines, logWords, sealDocument, sealExitCode, sealLines } from '../sealing/report.js';
import { visible } from '../secret-words.js';

export interface Leaver {
  readonly person: string;
  /** The roles that they leave while they stay enrolled; empty for who leaves altogether. */
  readonly roles: readonly string[];
}

/** What is typed to go on with what is left. */
export function again({ person, roles }: Leaver): string {
  return ['oxp-vault member remove', person, ...roles.map((role) => `--role ${role}`), '--rotate'].join(' ');
}

/** What they could know; of whoever only leaves a role, what they know by it and will not go on reading by another. */
export async function knowledgeOf(vault: Vault, { person, roles }: Leaver): Promise<Knowledge[]> {
  const { knowledge } = await exposureOf(vault, { persons: [person] });
  if (roles.length === 0) return [...knowledge];
  const kept = rolesOf(vault.policy.policy, person).filter((role) => !roles.includes(role));
  return knowledge.filter(({ how, replaced: { newest } }) => {
    const by = (some: readonly string[]): typeof how => how.filter((each) => each.how === 'member' && each.role !== undefined && some.includes(each.role));
    return by(roles).length > 0 && !by(kept).some(({ versions }) => newest !== undefined && versions.includes(newest));
  });
}

export interface KnownList {
  readonly document: object;
  readonly text: string;
  readonly next?: string;
}

/** What there is to do, with nothing done yet. `wide`: columns of the terminal, where it is one; `me`: who asks, where no identity is unlocked. */
export function listKnown(vault: Vault, leaver: Leaver, knowledge: readonly Knowledge[], { wide, me }: { readonly wide: number | undefined; readonly me?: Card }): KnownList {
  const plan = planOffboarding(vault, knowledge, me);
  const summary = summariseExposure(knowledge);
  // Before they leave they still may.
  const gone = knowledge.map((known) => ({ ...known, entitled: false }));
  const todo = todoByName(plan);
  const now = vault.clock.now();
  const rows = gone.map((known) => [known.name, versionWords(known.versions), howWords(known, now), known.alone ? (todo.get(known.name) ?? 'replaced') : '-']);
  return {
    document: { summary, known: knowledge, plan },
    text: `${rows.length === 0 ? '' : '\n'}${wrappedTable(['NAME', 'VERSION', 'HOW', 'TO REPLACE IT'], rows, wide, 2)}${summaryWords(leaver.person, gone)}\n`,
    ...(plan.rotate.length > 0 ? { next: again(leaver) } : {}),
  };
}

function todoByName({ rotate, others, byHand, plans, retire }: OffboardingPlan): Map<string, string> {
  return new Map([
    ...rotate.map(({ name }) => [name, `oxp-vault rotate ${name}`] as const),
    ...others.map((task) => [task.name, othersWords(task)] as const),
    ...[...byHand, ...plans, ...retire].map(({ name, words }) => [name, visible(words)] as const),
  ]);
}

/** `owner infra` */
function ownersWords({ owners }: OffboardingTask): string {
  return owners.length === 0 ? 'nobody owns it' : `${owners.length === 1 ? 'owner' : 'owners'} ${owners.join(', ')}`;
}

function othersWords(task: OffboardingTask): string {
  const rotate = `oxp-vault rotate ${task.name}`;
  return task.why?.code === 'EPOCH_STALE' ? `once the key of its role is turned: ${rotate}` : `${ownersWords(task)}: ${rotate}`;
}

/** Rotates what its actor may, and says what others, or somebody at another place, must do. `code`: that of what went wrong first. */
export async function rotateKnown(context: CliContext, vault: Vault, leaver: Leaver, before: readonly Knowledge[]): Promise<KnownList & { readonly code: number }> {
  const names = planOffboarding(vault, before).rotate.map(({ name }) => name);
  const progress = startProgress(context.io.stderr, 'rotating');
  let run: RotationRun;
  try {
    run = await rotateAll(vault, names, (done, total) => progress.update(done, total));
  } finally {
    await progress.end();
  }
  const knowledge = await knowledgeOf(vault, leaver);
  const plan = planOffboarding(vault, knowledge);
  const summary = summariseExposure(knowledge);
  const { sealed, refused } = countLines(run.lines);
  const toRetire = plan.retire.filter(({ why }) => !why).map(({ name }) => name);
  return {
    document: { summary, known: knowledge, plan, rotated: { ...sealDocument(run.lines, vault, false), left: run.left, ...(run.stopped ? { stopped: run.stopped.toJSON() } : {}) } },
    text: [
      sealLines(run.lines, context.paint, false),
      `${sealed} rotated${refused === 0 ? '' : `, ${refused} not`}. ${logWords(vault)}\n`,
      ...stoppedWords(context, run),
      section('Others have to do', plan.others.map((task) => [task.name, othersWords(task)])),
      section('By hand', [...plan.byHand, ...plan.plans].map((task) => [task.name, visible(task.words), ownersWords(task)])),
      section('Deploy, then retire', plan.retire.map(({ name, inUse }) => [name, `${versionWords(inUse)} still ${inUse.length === 1 ? 'answers' : 'answer'}`])),
      `${summaryWords(leaver.person, knowledge.map((known) => ({ ...known, entitled: false })))}\n`,
    ].join(''),
    ...(run.left.length > 0 ? { next: again(leaver) } : toRetire.length > 0 ? { next: `deploy, then: oxp-vault retire ${toRetire.join(' ')}` } : {}),
    code: run.stopped?.exitCode ?? sealExitCode(run.lines),
  };
}

/** The store went away in the middle: what is in the log stays, the rest is named. */
function stoppedWords(context: CliContext, { stopped, left }: RotationRun): string[] {
  if (!stopped) return [];
  const hint = stopped.hint === undefined ? '' : `    ${stopped.hint}\n`;
  return [`${context.paint.mark('!')} stopped by ${stopped.code}: ${stopped.message}\n${hint}    ${count(left.length, 'secret')} left: oxp-vault rotate ${left.join(' ')}\n`];
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  return rows.length === 0 ? '' : `${title}\n${columns(rows, { indent: 2, gap: 3 })}`;
}
