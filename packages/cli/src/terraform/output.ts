/** What Terraform or OpenTofu gives out: `output -json` in a root module, read from a pipe and written nowhere. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { MAX_IMPORT_BYTES, type TerraformProgram, VaultError } from '@oxp-vault/core';
import { outputValue, parseOutputs, type TerraformOutputs } from '@oxp-vault/terraform-hooks';
import type { Io } from '../io.js';
import { errnoOf } from '../files/private-file.js';
import { pathForEyes } from '../render.js';

export type ReadOutput = (directory: string, output: string, named: TerraformProgram | undefined) => Promise<Uint8Array | undefined>;

/** Reads outputs of root modules; each module is asked once. OXP_VAULT_TERRAFORM names the program where the plan names none. */
export function outputReader(io: Pick<Io, 'env' | 'cwd'>): ReadOutput {
  const known = new Map<string, Promise<TerraformOutputs>>();
  return async (directory, output, named) => {
    const program = named ?? (io.env['OXP_VAULT_TERRAFORM'] || 'terraform');
    const key = `${program}\0${directory}`;
    const outputs = known.get(key) ?? terraformOutputs(io, program, directory);
    known.set(key, outputs);
    return outputValue(await outputs, output);
  };
}

/** Throws FILE_NOT_FOUND for a directory or program that is not there, BAD_VALUE for a root module that gives nothing out. Never quotes output. */
async function terraformOutputs(io: Pick<Io, 'env' | 'cwd'>, program: string, directory: string): Promise<TerraformOutputs> {
  const stdout = await outputJson(io, program, directory);
  try {
    const outputs = parseOutputs(stdout.toString('utf8'));
    if (!outputs) throw failed(io, program, directory, 'said something that is no list of outputs');
    return outputs;
  } finally {
    stdout.fill(0);
  }
}

function outputJson(io: Pick<Io, 'env' | 'cwd'>, program: string, directory: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // Its messages may quote what they stumbled over, so they are not passed on; and nothing of this run shall be in a log of its own.
    const env = { ...io.env, TF_IN_AUTOMATION: '1', CHECKPOINT_DISABLE: '1', TF_LOG: undefined, TF_LOG_CORE: undefined, TF_LOG_PROVIDER: undefined, TF_LOG_PATH: undefined };
    const child = spawn(program, ['output', '-json', '-no-color'], { cwd: directory, env, stdio: ['ignore', 'pipe', 'ignore'] });
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size > MAX_IMPORT_BYTES) child.kill();
    });
    child.on('error', (error) => reject(notStarted(io, program, directory, error)));
    child.on('close', (code) => {
      const whole = Buffer.concat(chunks);
      for (const chunk of chunks) chunk.fill(0);
      if (code === 0) return resolve(whole);
      whole.fill(0);
      reject(failed(io, program, directory, size > MAX_IMPORT_BYTES ? 'gave out more than can be taken in' : `ended with ${code ?? 'a signal'}`));
    });
  });
}

/** The system says ENOENT of both: no such directory, no such program. */
function notStarted(io: Pick<Io, 'env' | 'cwd'>, program: string, directory: string, error: Error): VaultError {
  const there = pathForEyes(directory, io);
  if (!existsSync(directory)) return new VaultError('FILE_NOT_FOUND', `there is no directory ${there}, in which ${program} is to be run`, { hint: 'It stands in bootstrap.yaml as dir:, and is seen from that file.' });
  return new VaultError('FILE_NOT_FOUND', `cannot run ${program} in ${there}: ${errnoOf(error) ?? 'unknown'}`, {
    hint: `Is ${program} on PATH? OXP_VAULT_TERRAFORM names another program, tofu for instance.`,
  });
}

function failed(io: Pick<Io, 'env' | 'cwd'>, program: string, directory: string, what: string): VaultError {
  const there = pathForEyes(directory, io);
  return new VaultError('BAD_VALUE', `${program} output -json in ${there} ${what}`, { hint: `To see why: cd ${there} && ${program} output` });
}
