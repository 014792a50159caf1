/** `--set key=value`: parameters of a generator, which are public. A value of a secret is refused: argv is read by everybody here. */
import { type Json, type JsonObject, VaultError } from '@oxp-vault/core';

const SECRET_LIKE = /(^|\.)(value|secret|password|passphrase|token|private.?key|data|content)$/i;

/**
 * `length=32`, `subject.CN=Example Root`, `permit=a.example` twice for a list, `permit=["a.example"]`. Whole numbers, true and
 * false are what they look like; quotes make them text. Throws USAGE; never quotes what was given.
 */
export function parseParameters(pairs: readonly string[]): JsonObject {
  const root: Record<string, Json> = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const key = pair.slice(0, Math.max(at, 0));
    if (!/^[A-Za-z][A-Za-z0-9-]*(\.[A-Za-z][A-Za-z0-9-]*)*$/.test(key)) throw new VaultError('USAGE', '--set takes KEY=VALUE', { hint: 'For example: --set length=32, --set subject.CN="Example Root"' });
    if (SECRET_LIKE.test(key)) {
      throw new VaultError('USAGE', `--set ${key}: a secret never goes on the command line, where every user of this machine can read it`, { hint: 'Give it with --from FILE, with --from - on standard input, or at the question.' });
    }
    put(root, key.split('.'), parseValue(key, pair.slice(at + 1)), key);
  }
  return root;
}

function parseValue(key: string, text: string): Json {
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^-?(0|[1-9][0-9]{0,14})$/.test(text)) return Number(text);
  if (!/^[[{"]/.test(text)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    // The parser's message quotes its input.
    throw new VaultError('USAGE', `--set ${key}: what begins with [, { or " has to be JSON`);
  }
}

function put(root: Record<string, Json>, path: readonly string[], value: Json, key: string): void {
  const [head, ...rest] = path as [string, ...string[]];
  const before = Object.hasOwn(root, head) ? root[head] : undefined;
  if (rest.length > 0) {
    if (before !== undefined && (typeof before !== 'object' || before === null || Array.isArray(before))) throw new VaultError('USAGE', `--set ${key}: ${head} has a value of its own already`);
    const inner: Record<string, Json> = { ...(before as Record<string, Json> | undefined) };
    put(inner, rest, value, key);
    root[head] = inner;
  } else if (before === undefined) root[head] = value;
  else root[head] = [...(Array.isArray(before) ? (before as readonly Json[]) : [before]), value];
}
