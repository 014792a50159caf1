/** The age identities that open a person's SOPS files, from where sops itself looks for them. Never argv. */
import { isAbsolute, join, resolve } from 'node:path';
import { inHome, VaultError } from '@oxp-vault/core';
import type { CliContext } from '../context.js';
import { readInputFile } from './input-values.js';

export interface SopsKeys {
  /** `AGE-SECRET-KEY-…`, each once. */
  readonly identities: readonly string[];
  /** Where they came from, for messages. */
  readonly from: readonly string[];
}

const IDENTITY = /^AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]+$/;

/**
 * `--key FILE` alone where it is given; else all of SOPS_AGE_KEY, SOPS_AGE_KEY_FILE and keys.txt, as sops does it. Throws
 * IDENTITY_NOT_FOUND where there is none, FILE_NOT_FOUND for a named file that is not there.
 */
export async function sopsKeys(context: CliContext, keyFile: string | undefined): Promise<SopsKeys> {
  const { env } = context.io;
  const texts: { from: string; text: string }[] = [];
  const named = keyFile ?? env['SOPS_AGE_KEY_FILE'];
  if (named) texts.push({ from: named, text: await readNamed(context, named, keyFile === undefined ? 'SOPS_AGE_KEY_FILE' : '--key') });
  if (keyFile === undefined) {
    if (env['SOPS_AGE_KEY']) texts.push({ from: 'SOPS_AGE_KEY', text: env['SOPS_AGE_KEY'] });
    const usual = usualPlace(env);
    const bytes = await readInputFile(usual);
    if (bytes) texts.push({ from: usual, text: new TextDecoder().decode(bytes) });
  }
  const identities = [...new Set(texts.flatMap(({ text }) => text.split(/\r?\n/).map((line) => line.trim()).filter((line) => IDENTITY.test(line))))];
  if (identities.length > 0) return { identities, from: texts.map(({ from }) => from) };
  const where = texts.length === 0 ? 'none of SOPS_AGE_KEY, SOPS_AGE_KEY_FILE and keys.txt is there' : `${texts.map(({ from }) => context.path(from)).join(', ')} holds none`;
  throw new VaultError('IDENTITY_NOT_FOUND', `there is no age identity to open SOPS files with: ${where}`, {
    hint: 'Name the file with your AGE-SECRET-KEY line: --key FILE. For other keys: sops decrypt FILE | oxp-vault seal NAME --from -',
  });
}

async function readNamed(context: CliContext, path: string, by: string): Promise<string> {
  const bytes = await readInputFile(resolve(context.io.cwd, path));
  if (!bytes) throw new VaultError('FILE_NOT_FOUND', `${context.path(path)}, which ${by} names, is not there`);
  return new TextDecoder().decode(bytes);
}

/** `<user config directory>/sops/age/keys.txt`, where `age-keygen` and sops put it. */
function usualPlace(env: Readonly<Record<string, string | undefined>>): string {
  const xdg = env['XDG_CONFIG_HOME'];
  const fallback = (): string => {
    if (process.platform === 'darwin') return inHome(env, join('Library', 'Application Support'));
    return process.platform === 'win32' ? (env['AppData'] ?? inHome(env, join('AppData', 'Roaming'))) : inHome(env, '.config');
  };
  return join(xdg && isAbsolute(xdg) ? xdg : fallback(), 'sops', 'age', 'keys.txt');
}
