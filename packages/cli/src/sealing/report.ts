/** How the lines of `seal` and `rotate` look, to a person and to a program. */
import type { SealLine, Vault } from '@oxp-vault/core';
import { visible } from '../secret-words.js';
import { columns, entries, type Mark, type Paint, short } from '../render.js';

const MARKS: Readonly<Record<SealLine['action'], Mark | undefined>> = { generate: '+', import: '+', reseal: '~', unchanged: undefined, 'not-given': '!', refused: '!' };

export interface SealCounts {
  readonly sealed: number;
  readonly unchanged: number;
  readonly notGiven: number;
  readonly refused: number;
}

export function countLines(lines: readonly SealLine[]): SealCounts {
  const of = (...actions: SealLine['action'][]): number => lines.filter((line) => actions.includes(line.action)).length;
  return { sealed: of('generate', 'import', 'reseal'), unchanged: of('unchanged'), notGiven: of('not-given'), refused: of('refused') };
}

/** One row a secret that is, or is not, sealed now. What stays as it is is only counted. */
export function sealLines(lines: readonly SealLine[], paint: Paint, dryRun: boolean): string {
  const shown = lines.filter((line) => MARKS[line.action] !== undefined);
  const sealing = (line: SealLine): boolean => line.readers !== undefined;
  const versions = !dryRun && shown.some(sealing);
  const head = (line: SealLine): string[] => [`${paint.mark(MARKS[line.action]!)} ${line.name}`, ...(versions ? [sealing(line) ? `v${line.version}` : ''] : [])];
  // The long words of a refusal do not push the arrows of the others to the right.
  const wide = Math.max(0, ...shown.filter(sealing).map((line) => words(line, dryRun).length));
  const rows = shown.map((line) => [...head(line), sealing(line) ? `${words(line, dryRun).padEnd(wide)}   -> ${line.readers!.join(', ')}` : words(line, dryRun)]);
  const text = columns(rows, { gap: 3 }).split('\n');
  return shown.map((line, i) => `${text[i]}\n${notes(line)}`).join('');
}

function words(line: SealLine, dryRun: boolean): string {
  if (line.refusal) return `${line.refusal.code}: ${line.words}`;
  return visible(line.action === 'not-given' ? `${line.words}: ${dryRun ? 'will be skipped' : 'not sealed'}` : line.words);
}

function notes(line: SealLine): string {
  const refusal = line.refusal ? [...line.refusal.details, ...(line.refusal.hint === undefined ? [] : [line.refusal.hint])] : [];
  return [...(line.warnings ?? []).map((warning) => `sealed all the same, but: ${warning}`), ...refusal].map((note) => `    ${note}\n`).join('');
}

/** `1 sealed, 0 unchanged, 0 not given. Log: 4 entries, root 9b2c41d0.` */
export function sealSummary(counts: SealCounts, vault: Vault): string {
  return `${counts.sealed} sealed, ${rest(counts)}. ${logWords(vault)}\n`;
}

export function dryRunSummary(counts: SealCounts, command: string): string {
  return `${counts.sealed} to seal, ${rest(counts)}. ${counts.sealed === 0 ? 'There is nothing to do.' : `Nothing was written. To do it: ${command}`}\n`;
}

function rest({ unchanged, notGiven, refused }: SealCounts): string {
  return `${unchanged} unchanged, ${notGiven} not given${refused === 0 ? '' : `, ${refused} refused`}`;
}

export function logWords(vault: Vault): string {
  const { size, root } = vault.point;
  return `Log: ${entries(size)}, root ${short(root)}.`;
}

export function sealDocument(lines: readonly SealLine[], vault: Vault, dryRun: boolean): object {
  return {
    dryRun,
    ...countLines(lines),
    secrets: lines.map(({ refusal, ...line }) => ({ ...line, ...(refusal ? { error: refusal.toJSON() } : {}) })),
    log: { vault: vault.id, ...vault.point },
  };
}

/** Where one secret was named and is refused, that is the command's error. Throws it. */
export function throwSingle(lines: readonly SealLine[]): void {
  const [only, second] = lines;
  if (only?.refusal && !second) throw only.refusal;
}

/** 0, or the code of the first line that was refused: a script has to notice that something is not there. */
export function sealExitCode(lines: readonly SealLine[]): number {
  return lines.find((line) => line.refusal)?.refusal?.exitCode ?? 0;
}
