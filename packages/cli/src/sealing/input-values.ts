/** Where values come in: environment, files, standard input, a question. Never the command line. */
import { open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type ImportPort, inHome, MAX_IMPORT_BYTES, VaultError } from '@oxp-vault/core';
import type { CliContext } from '../context.js';
import { errnoOf, ioError } from '../files/private-file.js';
import type { ReadOutput } from '../terraform/output.js';

/** Relative paths are taken from `base`. `typed` stands in for standard input where the person is asked instead. */
export function importPort(context: CliContext, base: string, typed?: () => Promise<Uint8Array>): ImportPort {
  const { env, stdin } = context.io;
  const at = (path: string): string => resolve(base, path.startsWith('~/') ? inHome(env, path.slice(2)) : path);
  let reader: Promise<ReadOutput> | undefined;
  return {
    env: (variable) => env[variable],
    file: (path) => readInputFile(at(path)),
    stdin: typed ?? (async () => (stdin.isTTY ? undefined : stdin.read())),
    terraform: async (directory, output, program) => (await (reader ??= import('../terraform/output.js').then((m) => m.outputReader(context.io))))(at(directory), output, program),
  };
}

/**
 * The person's own file, so links are followed: a kubeconfig often is one, and so is `<(command)`. Undefined when it is not there.
 * Throws BAD_VALUE for a directory and for what is too large, STORE_IO.
 */
export async function readInputFile(path: string): Promise<Uint8Array | undefined> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) throw new VaultError('BAD_VALUE', `${path} is a directory`, { hint: 'Name a file; several become one with tar.' });
    if (stats.size > MAX_IMPORT_BYTES) throw tooLarge(path);
    const file = await open(path, 'r');
    try {
      return await readUpTo(file, path);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof VaultError) throw error;
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw ioError('cannot read', path, error);
  }
}

/** A pipe says nothing of its size beforehand. */
async function readUpTo(file: Awaited<ReturnType<typeof open>>, path: string): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of file.createReadStream({ autoClose: false })) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > MAX_IMPORT_BYTES) throw tooLarge(path);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
    chunk.fill(0);
  }
  return whole;
}

function tooLarge(path: string): VaultError {
  return new VaultError('BAD_VALUE', `${path} is larger than ${MAX_IMPORT_BYTES / 1024 / 1024} MiB`, { hint: 'Seal a key to it instead, and keep the file elsewhere, encrypted with that key.' });
}

/** Asks twice, not echoed. */
export async function askValue(context: CliContext, name: string): Promise<Uint8Array> {
  const prompter = await context.prompter();
  const value = await prompter.passphrase(`Value of ${name} (not shown):`);
  if (value === '') throw new VaultError('BAD_VALUE', 'nothing was typed', { hint: `To have one made: oxp-vault seal ${name} --kind password --set length=24` });
  if ((await prompter.passphrase('The same again:')) !== value) throw new VaultError('BAD_VALUE', 'the two differ: nothing was sealed');
  return new TextEncoder().encode(value);
}
