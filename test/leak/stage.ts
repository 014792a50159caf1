/** What the scenarios share: a person, their files, canaries, and what must not be seen of what was made. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult } from '../support/run.js';
import type { Sandbox } from '../support/sandbox.js';
import { type Needle, needlesFor, piecesOf, secretsIn } from './needles.js';
import type { WatchedOptions } from './watched.js';

export interface Stage {
  readonly person: Sandbox;
  /** The person's own files: plaintext may lie here. */
  readonly inputs: string;
  /** Where opened secrets are asked to go. */
  readonly outputs: string;
  readonly needles: Needle[];
  /** Runs a command, which must exit with this code. */
  cli(code: number, argv: readonly string[], options?: WatchedOptions): Promise<RunResult>;
  /** The only file of a directory of the vault. */
  stored(directory: string): string;
}

export type Scenario = (stage: Stage) => Promise<void>;

/** Letters that stand nowhere else. */
export const tail = (label: string): string => createHash('sha256').update(label).digest('base64').replace(/[^A-Za-z0-9]/g, '').slice(0, 20);
export const core = (label: string): string => `CANARY${label}${tail(label)}`;
/** Characters around it that every encoding writes differently. */
export const canary = (label: string): string => `é"\\${core(label)}+/ %&<x`;

/** A new canary that must not be seen, in whole or in part. */
export function release(stage: Stage, label: string, text = canary(label)): string {
  stage.needles.push(...needlesFor(`canary ${label}`, text), ...needlesFor(`canary ${label}`, core(label)), ...piecesOf(`canary ${label}`, tail(label)));
  return text;
}

export function input(stage: Stage, name: string, content: string | Uint8Array): string {
  const path = join(stage.inputs, name);
  writeFileSync(path, content);
  return path;
}

export const fresh = (stage: Stage): string => join(stage.outputs, `out-${readdirSync(stage.outputs).length}`);

/** Files below a directory, as paths. */
export function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((name) => join(directory, name)).filter((path) => statSync(path).isFile());
}

export const PUBLIC = /\.(pub|crt|card)$/;

/** Remembers what must not be seen of the private files there. */
export function record(s: Stage, label: string, directory: string): void {
  const files = filesIn(directory);
  const publicKey = files.find((path) => path.endsWith('.pub'));
  const secret = files.filter((path) => !PUBLIC.test(path));
  if (secret.length === 0) throw new Error(`no private file below ${directory}`);
  for (const path of secret) s.needles.push(...secretsIn(label, readFileSync(path), publicKey === undefined ? undefined : readFileSync(publicKey, 'utf8')));
}

export async function recordOpened(s: Stage, name: string): Promise<void> {
  const out = fresh(s);
  await s.cli(0, ['open', name, '--out', out]);
  record(s, `${name}, made in the vault`, out);
}

/** The secrets that the scenarios sealed. */
export function names(s: Stage): string[] {
  const root = join(s.person.work, 'vault', 'secrets');
  return ['imported', 'made'].flatMap((area) => readdirSync(join(root, area)).map((name) => `${area}/${name}`));
}
