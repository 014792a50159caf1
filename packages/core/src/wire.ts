/**
 * The scalars that signed bytes are made of, as closed schemas. Every op body, statement and policy is composed of these
 * (docs/format.md, "Scalars").
 */
import * as v from 'valibot';

/** 32 bytes as lower-case hex: digests, key ids, vault ids, Ed25519 public keys. */
export const Hex32 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
/** 16 bytes as lower-case hex: nonces. */
export const Hex16 = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));

/** One segment: persons, devices, roles, custody groups. */
export const NAME = /^[a-z][a-z0-9._-]{0,63}$/;
export const Name = v.pipe(v.string(), v.check(isName));
/** Names that every JavaScript object answers to: as keys of a policy they could not be told from what is not there. */
const RESERVED: ReadonlySet<string> = new Set(['constructor', 'prototype']);

/** A secret's name: segments joined by `/`, 255 characters at most. */
export const SECRET_NAME = /^[a-z][a-z0-9._-]*(\/[a-z][a-z0-9._-]*)*$/;
export const SecretName = v.pipe(v.string(), v.maxLength(255), v.regex(SECRET_NAME), v.check((s) => !s.includes('..')));

/** A rule's path: `/` is everything, `dns/` all below, `pki/root` only itself. */
export const RulePath = v.union([
  v.literal('/'),
  v.pipe(v.string(), v.maxLength(256), v.check((s) => isSecretName(s.endsWith('/') ? s.slice(0, -1) : s))),
]);

/** True for what a rule's path covers: `/` everything, `dns/` all below it, `pki/root` only itself. Of paths too: `dns/` covers `dns/keys/`. */
export function pathMatches(path: string, name: string): boolean {
  if (path === '/') return true;
  return path.endsWith('/') ? name.startsWith(path) : name === path;
}

/** Of the rules whose path matches, the one with the longest: it decides, whole. An exact path is longer than the folder it lies in. */
export function decidingRule<R extends { readonly path: string }>(rules: readonly R[], name: string): R | undefined {
  let best: R | undefined;
  for (const rule of rules) {
    if (pathMatches(rule.path, name) && (best === undefined || rule.path.length > best.path.length)) best = rule;
  }
  return best;
}

/** Zero or a positive safe integer. */
export const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** A positive safe integer. */
export const Positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
/** Whole seconds since 1970-01-01 UTC. A claim, never an order. */
export const Time = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(253402300799));

/**
 * Control and format characters, line and paragraph separators. Listed, not `\p{Cf}`: that grows with Unicode, and two runtimes
 * would then disagree on whether an entry is void.
 */
const NOT_IN_TEXT = new RegExp(
  '[\\u{0}-\\u{1F}\\u{7F}-\\u{9F}\\u{AD}\\u{600}-\\u{605}\\u{61C}\\u{6DD}\\u{70F}\\u{890}\\u{891}\\u{8E2}\\u{180E}\\u{200B}-\\u{200F}' +
    '\\u{2028}-\\u{202E}\\u{2060}-\\u{2064}\\u{2066}-\\u{206F}\\u{FEFF}\\u{FFF9}-\\u{FFFB}\\u{110BD}\\u{110CD}\\u{13430}-\\u{1343F}' +
    '\\u{1BCA0}-\\u{1BCA3}\\u{1D173}-\\u{1D17A}\\u{E0001}\\u{E0020}-\\u{E007F}]',
  'u',
);

/** Short free text a person wrote, at most 1,000 UTF-16 code units, that can be shown on a terminal. */
export const Text = v.pipe(v.string(), v.maxLength(1000), v.check((text) => !NOT_IN_TEXT.test(text)));

/** An age recipient: classic X25519 or hybrid post-quantum. Nothing else enters a vault. */
export const Recipient = v.pipe(v.string(), v.maxLength(2048), v.regex(/^age1(pq1)?[02-9ac-hj-np-z]{58,}$/));

/** A stored file by content: SHA-256 and size in bytes. */
export const BlobRef = v.strictObject({ sha256: Hex32, size: Count });
export type BlobRef = v.InferOutput<typeof BlobRef>;

/** Dotted child indices from the root of a threshold tree: `0.2`. */
export const TreePath = v.pipe(v.string(), v.regex(/^(?:0|[1-9][0-9]{0,2})(?:\.(?:0|[1-9][0-9]{0,2})){0,7}$/));

/** An array of unique strings in ascending code-unit order, so that a set has one encoding. */
export function sortedSet<const S extends v.GenericSchema<string>>(item: S) {
  return v.pipe(v.array(item), v.check((list: string[]) => list.every((x, i) => i === 0 || list[i - 1]! < x), 'not a sorted set'));
}

/** The one form that a `sortedSet` has: each once, ascending by code units. */
export function toSortedSet(list: Iterable<string>): string[] {
  return [...new Set(list)].sort();
}

export function isName(text: string): boolean {
  return NAME.test(text) && !text.includes('..') && !RESERVED.has(text);
}

export function isSecretName(text: string): boolean {
  return text.length <= 255 && SECRET_NAME.test(text) && !text.includes('..');
}

/** JSON; as signed bytes may hold it also without fractions, and with keys of printable ASCII (primitives/canonical-json.ts). */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** The person and the key id of the device that signed an entry. */
export interface Signer {
  readonly person: string;
  readonly device: string;
  readonly key: string;
}
