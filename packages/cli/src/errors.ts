/** How an error looks, to a person and to a program. */
import { CommanderError } from 'commander';
import { VaultError } from '@oxp-vault/core';
import type { Io } from './io.js';
import { saidHere } from './other-words.js';
import { paintFor } from './render.js';

/** Any failure as one of ours: what commander refuses is USAGE, what nobody foresaw is INTERNAL. */
export function toVaultError(error: unknown): VaultError {
  if (error instanceof VaultError) return error;
  if (error instanceof CommanderError) return usageError(error);
  return new VaultError('INTERNAL', 'something happened that oxp-vault does not know how to handle', {
    hint: 'Please report it. OXP_VAULT_DEBUG=1 shows where it happened.',
    cause: error,
  });
}

/** What is typed behind an option that does not exist may be a secret: `--password=…`, `-p…`. Its name is enough. */
const VALUE_OF_UNKNOWN = /^(unknown option ')(--[^=']*|-[^-]).*'$/;

/** `error: unknown option '--foo'`, newline, `(Did you mean --for?)`. `command`: the words of the command that it was typed with. */
export function usageError({ message }: CommanderError, command: readonly string[] = []): VaultError {
  const [first = '', ...rest] = message.split('\n');
  const word = command.length === 0 ? /unknown command '([a-z-]+)'/.exec(first)?.[1] : undefined;
  const here = word === undefined ? undefined : saidHere(word);
  const suggestion = here === undefined ? /^\((.*)\)$/.exec(rest.join(' ').trim())?.[1] : `Here: ${here}`;
  return new VaultError('USAGE', first.replace(/^error: /, '').replace(VALUE_OF_UNKNOWN, "$1$2'"), { hint: suggestion ?? `See: ${['oxp-vault help', ...command].join(' ')}` });
}

export async function reportError(error: VaultError, io: Pick<Io, 'stderr' | 'env'>, json: boolean): Promise<void> {
  const text = json ? `${JSON.stringify({ error: error.toJSON() })}\n` : errorText(error, io);
  await io.stderr.write(text);
  if (io.env['OXP_VAULT_DEBUG'] === '1') await io.stderr.write(trace(error));
}

/** All of it in one line, for programs that show what another says on standard error as it is. */
export function errorLine({ code, message, details, hint }: VaultError): string {
  const words = [message, ...details, ...(hint === undefined ? [] : [hint])].map((part) => part.replace(/[\s\p{Cc}\p{Cf}]+/gu, ' ').trim());
  return `oxp-vault: ${code}: ${words.join('. ')}`;
}

function errorText({ code, message, details, hint }: VaultError, io: Pick<Io, 'stderr' | 'env'>): string {
  const paint = paintFor(io.stderr, io.env);
  const lines = [...details, ...(hint === undefined ? [] : [hint]), paint.faint(`More: oxp-vault help ${code}`)];
  return `${paint.error(`error ${code}:`)} ${message}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

/** Places only: the message of a foreign error may quote what it stumbled over, and that may be a secret. */
function trace(error: unknown): string {
  const lines: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const frames = (at.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
    lines.push(`${lines.length === 0 ? '' : 'caused by '}${at.name}${at instanceof VaultError ? ` ${at.code}` : ''}`, ...frames);
  }
  return `${lines.join('\n')}\n`;
}
