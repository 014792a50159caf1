/** `--set` where a secret is sealed: people try to put the value itself there, and argv is read by everybody on the machine. */
import { type JsonObject, VaultError } from '@oxp-vault/core';
import { parseSettings } from './settings.js';

const SECRET_LIKE = /(^|\.)(value|secret|password|passphrase|token|private.?key|data|content)$/i;

/** Throws USAGE for a key that names a value, and for what is no key=value; never quotes what was given. */
export function parseParameters(pairs: readonly string[]): JsonObject {
  const key = pairs.map((pair) => pair.split('=', 1)[0]!).find((name) => SECRET_LIKE.test(name));
  if (key === undefined) return parseSettings(pairs);
  throw new VaultError('USAGE', `--set ${key}: a secret never goes on the command line, where every user of this machine can read it`, {
    hint: 'Give it with --from FILE, with --from - on standard input, or at the question. It is in your shell history now: do not use it any more.',
  });
}
