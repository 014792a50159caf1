/** `policy show | propose | sign | withdraw | log`: the rules, and how they change. */
import { lstat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import {
  compileDraft, findProposal, formatDraft, grantMissing, makeMissingKeys, parseDraft, policyDigest, policyHistory, type PolicyOutcome, proposePolicy, signPolicy, turnDueKeys, type Vault, VaultError, withdrawPolicy,
} from '@oxp-vault/core';
import type { Command } from 'commander';
import { readCardFile } from '../people/card-file.js';
import { digestOption, isMeant } from '../beforehand.js';
import { type Act, collect, examples, readOptions, vaultOptions } from '../command.js';
import type { CliContext } from '../context.js';
import { DRAFT_FILE, draftPath, renewDraft } from '../drafts/policy-file.js';
import { mustBeNew, outcomeInWords, showDifference, showPreview, tellKeys, tellWaiting } from '../people/policy-view.js';
import { readIfThere } from '../files/own-file.js';
import { errnoOf, ioError, writeNewFile } from '../files/private-file.js';
import { ago, short, table } from '../render.js';
import { vaultForWriting } from '../writing.js';

interface SignOptions {
  readonly expect?: string;
  readonly out?: string;
}
interface ProposeOptions extends Pick<SignOptions, 'expect'> {
  readonly card: readonly string[];
  readonly dryRun?: boolean;
}

const DIGEST_OPTION = digestOption('of the policy you mean');

export function define(command: Command, act: Act): void {
  examples(
    readOptions(command.command('show')).summary('print the policy in effect as a draft').description('Prints the policy in effect, as policy.yaml would say it. With --json: the signed file.').action(act(show)),
    'oxp-vault policy show',
    'oxp-vault policy show > policy.yaml',
  );
  examples(
    command
      .command('propose')
      .summary('propose a draft, which counts as your signature')
      .description('Compiles a draft, shows in words what it changes, and proposes it. It takes effect once enough admins of the old and of the new policy have signed.')
      .argument('[file]', 'the draft (default: the policy.yaml beside oxp-vault.yaml, or here)')
      .option('--card <file>', 'the card of somebody new that the draft names; repeat', collect, [])
      .option('--dry-run', 'only show the difference, and the digest that --expect takes')
      .option(...DIGEST_OPTION)
      .action(act(propose)),
    'oxp-vault policy propose',
    'oxp-vault policy propose --card dora.card',
    'oxp-vault policy propose --dry-run',
  );
  examples(
    command.command('sign').summary('sign what somebody has proposed').description('Shows in words what a proposal changes, and signs it. Somebody whom it enrols may sign it too: what then cannot go into the log by itself is written to a file for somebody who is enrolled.').argument('[digest]', 'which proposal, where several are open').option(...DIGEST_OPTION).option('--out <file>', 'where the signature of somebody not enrolled yet goes (default: policy-DIGEST-PERSON.jsonl here)').action(act(sign)),
    'oxp-vault policy sign',
    'oxp-vault policy sign 3f9a2c1b',
  );
  examples(
    vaultOptions(command.command('withdraw')).summary('withdraw your own proposal').argument('[digest]', 'which one, by the first digits of its digest; not needed for a single one').action(act(withdraw)),
    'oxp-vault policy withdraw 3f9a2c1b',
  );
  examples(
    readOptions(command.command('log')).summary('all policies, and what waits for signatures').action(act(log)),
    'oxp-vault policy log',
  );
}

async function show(context: CliContext): Promise<void> {
  const { policy } = (await context.vault({ news: true, look: true })).policy;
  await context.result(policy, formatDraft(policy));
}

async function propose(context: CliContext, file: string | undefined, options: ProposeOptions): Promise<void> {
  const path = file === undefined ? ((await draftPath(context)) ?? (await draftHere(context))) : resolve(context.io.cwd, file);
  if (path === undefined) throw new VaultError('USAGE', 'no draft is named, and none belongs to this vault', { hint: `Write one with: oxp-vault policy show > ${DRAFT_FILE}` });
  const draft = parseDraft(await readDraft(context, path), context.path(path));
  const cards = await Promise.all(options.card.map((card) => readCardFile(context.io, card)));
  // `--expect` names a policy here. A dry run leaves also what is due to be done.
  const unexpecting = context.without('expect');
  const vault = options.dryRun ? await unexpecting.vault({ news: true }) : await vaultForWriting(unexpecting);
  const before = vault.policy.policy;
  const next = compileDraft(draft, { policy: before, digest: vault.policy.digest, people: vault.policy.people }, cards);
  const digest = policyDigest(next);
  if (options.dryRun) return showPreview(context, vault, next, { forAll: true, command: `oxp-vault policy propose${file === undefined ? '' : ` ${file}`}` });
  await showDifference(context, vault, next);
  mustBeNew(vault, next);
  if (!(await agreed(context, digest, options, 'Propose this?'))) return;
  await concluded(context, vault, await proposePolicy(vault, next));
}

async function sign(context: CliContext, digest: string | undefined, options: SignOptions): Promise<void> {
  // `--expect` names a policy here; which vault this must be is said by the environment or oxp-vault.yaml.
  const vault = await context.without('expect').vault({ write: true });
  const proposal = findProposal(vault, digest);
  if (!proposal.policy) throw new VaultError('UPGRADE_REQUIRED', `policy ${proposal.number} has format ${proposal.format}, which this release does not know`, { hint: 'Install a newer oxp-vault before you sign it.' });
  await context.say(`proposed by ${proposal.proposer.person}, signed by ${[...new Set(proposal.signers.map((s) => s.person))].join(' ')}`);
  await showDifference(context, vault, proposal.policy);
  if (!(await agreed(context, proposal.digest, options, 'Sign this?'))) return;
  const { handOver, ...outcome } = await signPolicy(vault, proposal);
  if (handOver) return handItOver(context, outcome, handOver, options.out);
  await concluded(context, vault, outcome);
}

/** A newcomer's signature counts once somebody who is enrolled has put it into the log. */
async function handItOver(context: CliContext, outcome: PolicyOutcome, signed: Uint8Array, out: string | undefined): Promise<void> {
  const { person } = (await context.identity()).card;
  const path = resolve(context.io.cwd, out ?? `policy-${short(outcome.digest)}-${person}.jsonl`);
  await writeNewFile(path, signed, 0o644);
  await context.result({ policy: outcome, handOver: path }, `your signature of policy ${outcome.number} (${short(outcome.digest)}) is in ${context.path(path)}, and not in the log: you are not enrolled yet\n`);
  await context.next(`send that file, which holds no secret, to ${outcome.waiting.of.filter((each) => each !== person).join(' or ') || 'anybody who is enrolled'}, who types: oxp-vault sync --from ${basename(path)}`);
}

async function agreed(context: CliContext, digest: string, { expect }: SignOptions, question: string): Promise<boolean> {
  if (expect !== undefined && !isMeant(digest, expect)) {
    throw new VaultError('EXPECT_MISMATCH', `this policy has the digest ${digest}, which is not the expected one`);
  }
  if (context.options.yes && expect === undefined) {
    throw new VaultError('USAGE', 'with --yes it must be said which policy is meant', { hint: `If it is the one shown: --yes --expect ${digest}` });
  }
  const yes = await context.confirm(`${question} Digest ${digest.slice(0, 8)} ${digest.slice(8, 16)}…`, `--yes --expect ${digest}`);
  if (!yes) await context.say('Nothing was signed.');
  return yes;
}

async function concluded(context: CliContext, vault: Vault, outcome: PolicyOutcome): Promise<void> {
  const enrolled = vault.policy.people.has(vault.identity?.card.person ?? '');
  const keys = outcome.inEffect && enrolled ? { turned: await turnDueKeys(vault), made: await makeMissingKeys(vault), granted: await grantMissing(vault) } : undefined;
  await renewDraft(context, vault);
  await context.result({ policy: outcome, ...keys }, outcomeInWords(outcome));
  for (const role of keys?.turned ?? []) await context.say(`  ${context.paint.mark('~')} role ${role} has a new key`);
  for (const role of keys?.made ?? []) await context.say(`  ${context.paint.mark('+')} role ${role} has its first key`);
  for (const { role, person } of keys?.granted ?? []) await context.say(`  ${context.paint.mark('+')} ${person} can read for role ${role}`);
  if (outcome.inEffect) await tellKeys(context, vault);
  await tellWaiting(context, outcome);
}

async function withdraw(context: CliContext, digest: string | undefined): Promise<void> {
  const vault = await context.vault({ write: true });
  const proposal = findProposal(vault, digest);
  await withdrawPolicy(vault, proposal);
  await context.result({ withdrawn: proposal.digest }, `policy ${proposal.number} (${short(proposal.digest)}) is withdrawn\n`);
}

async function log(context: CliContext): Promise<void> {
  const vault = await context.vault({ news: true, look: true });
  const history = await policyHistory(vault);
  const now = context.clock.now();
  const rows = history.map((p) => [String(p.number), short(p.digest), p.status, p.proposer, p.signers.join(' '), ago(p.time, now)]);
  await context.result(history, table(['POLICY', 'DIGEST', 'STATUS', 'BY', 'SIGNED BY', 'WHEN'], rows));
}

/** Where --vault or OXP_VAULT names the vault, a draft beside whoever proposes is meant all the same: it is shown before it is signed. */
async function draftHere({ io }: CliContext): Promise<string | undefined> {
  const path = join(io.cwd, DRAFT_FILE);
  try {
    return (await lstat(path)).isDirectory() ? undefined : path;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw ioError('cannot look at', path, error);
  }
}

async function readDraft(context: CliContext, path: string): Promise<string> {
  const text = await readIfThere(path);
  if (text === undefined) throw new VaultError('FILE_NOT_FOUND', `there is no draft ${context.path(path)}`, { hint: `Write one with: oxp-vault policy show > ${DRAFT_FILE}` });
  return text;
}
