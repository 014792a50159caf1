/** The two flat forms of SOPS: dotenv, of which SOPS has a dialect of its own (stores/dotenv), and binary, a JSON object with one value. */
import { concatBytes, utf8 } from '../../primitives/hash.js';
import { goString } from './go-values.js';
import { jsonObject } from './json-file.js';
import { badSops, type GoValue, type SopsComment, type SopsDocument, type SopsLeaf } from './model.js';
import { parseEncrypted } from './values.js';

const PREFIX = 'sops_';

interface Line {
  readonly key: string;
  value: GoValue;
}

/**
 * Lines `KEY=value` up to the line break, nothing quoted; a backslash and n stand for a line break in a value. Lines that begin with #
 * are comments. (No other dotenv reader takes it so: quotes and spaces belong to the value.)
 */
export function readDotenvFile(text: string): SopsDocument {
  const comments: SopsComment[] = [];
  const metadata: [string, string][] = [];
  const lines: (Line | { comment: string | undefined })[] = [];
  for (const line of text.split('\n').filter((each) => each !== '')) {
    if (line.startsWith('#')) {
      const entry: { comment: string | undefined } = { comment: line.slice(1) };
      lines.push(entry);
      if (parseEncrypted(line.slice(1))?.type === 'comment') comments.push({ places: [[]], text: line.slice(1), put: (clear) => (entry.comment = clear) });
      continue;
    }
    const at = line.indexOf('=');
    if (at < 1) throw badSops('has a line that is neither KEY=value nor a comment');
    const [key, value] = [line.slice(0, at), line.slice(at + 1).replaceAll('\\n', '\n')];
    if (key.startsWith(PREFIX)) metadata.push([key.slice(PREFIX.length), value]);
    else lines.push({ key, value: goString(value) });
  }
  const entries = lines.filter((line): line is Line => 'key' in line);
  const twice = entries.findIndex(({ key }, i) => entries.findIndex((other) => other.key === key) !== i);
  if (twice >= 0) throw badSops('has the same key twice');
  return {
    metadata: metadata.length === 0 ? undefined : unflatten(metadata),
    leaves: entries.map((line): SopsLeaf => ({ keys: [line.key], text: line.value.text, clear: () => line.value, put: (value) => (line.value = value) })),
    comments,
    emit: () => utf8(lines.map((line) => ('key' in line ? `${line.key}=${line.value.text.replaceAll('\n', '\\n')}\n` : line.comment === undefined ? '' : `#${line.comment}\n`)).join('')),
    pieces: () => entries.map(({ key, value }) => ({ path: [key], bytes: value.bytes.length === 0 ? undefined : value.bytes, scalar: true })),
  };
}

/** `age__list_0__map_enc` -> age[0].enc (stores/flatten.go). */
function unflatten(flat: readonly (readonly [string, string])[]): unknown {
  const top = new Map<string, unknown>();
  const keys: Record<string, string>[] = [];
  for (const [key, value] of flat) {
    const [, index, field = ''] = /^age__list_(\d{1,4})__map_(enc|recipient)$/.exec(key) ?? [];
    if (index !== undefined) (keys[Number(index)] ??= {})[field] = value;
    else if (key.startsWith('key_groups__')) top.set('key_groups', [{}, {}]);
    else top.set(key, value);
  }
  const age = keys.filter((each) => each !== undefined);
  return { ...Object.fromEntries(top), ...(age.length > 0 ? { age } : {}) };
}

/** `{"data": "ENC[…]", "sops": {…}}`: any bytes. */
export function readBinaryFile(text: string): SopsDocument {
  const { data, sops, ...more } = jsonObject(text);
  if (typeof data !== 'string' || Object.keys(more).length > 0) throw badSops('is not in the binary form, {"data": …, "sops": …}', 'Say which form it has: --type yaml, json or dotenv.');
  let value = goString(data);
  const leaf: SopsLeaf = { keys: ['data'], text: data, clear: () => value, put: (opened) => (value = opened) };
  return { metadata: sops, leaves: [leaf], comments: [], emit: () => concatBytes(value.bytes), pieces: () => [{ path: ['data'], bytes: value.bytes, scalar: true }] };
}
