/** A person who has made a vault of their own and stands in its directory. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sandbox, type Sandbox } from '../support/sandbox.js';
import { mustRunMain, runMain, type MainOptions, type MainResult } from './harness.js';

export interface VaultOwner extends Sandbox {
  /** Runs one command in the vault's directory. */
  ov(argv: readonly string[], options?: MainOptions): Promise<MainResult>;
  /** The same; rejects unless it succeeds. */
  must(argv: readonly string[], options?: MainOptions): Promise<MainResult>;
  /** Writes a file below the working directory, and gives its path. */
  write(name: string, content: string | Uint8Array): string;
}

export function person(name: string): VaultOwner {
  const box = sandbox(name);
  return {
    ...box,
    ov: (argv, options) => runMain(box, argv, options),
    must: (argv, options) => mustRunMain(box, argv, options),
    write: (file, content) => {
      const path = join(box.work, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      return path;
    },
  };
}

/** alice with an identity without a passphrase, and a vault in `./vault`: one role `team`, and the bootstrap.yaml of `init`. */
export async function owner(name = 'alice'): Promise<VaultOwner> {
  const alice = person(name);
  await alice.must(['identity', 'create', '--person', name, '--device', 'laptop', '--no-passphrase']);
  await alice.must(['init', '--name', 'platform']);
  return alice;
}

