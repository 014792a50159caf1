import * as v from 'valibot';
import { VaultError } from '../errors.js';
import type { JsonObject } from '../wire.js';

/** BAD_VALUE about one parameter. `field` is its path (`subject.CN`), so that who knows the file can name the line. */
export class ParameterError extends VaultError {
  readonly field: string;
  /** What is wrong, without the place. */
  readonly fault: string;

  constructor(kind: string, field: string, fault: string, hint?: string) {
    super('BAD_VALUE', field === '' ? `${kind}: ${fault}` : `${kind}: ${field}: ${fault}`, hint === undefined ? {} : { hint });
    this.field = field;
    this.fault = fault;
  }
}

/** Field names under which people try to write the value itself into a file that is not secret. */
const VALUE_LIKE = /^(value|secret|password|passphrase|token|private.?key|data|content)$/i;

/**
 * Parses parameters with a closed schema. Messages say what was expected and never what was received: somebody may have put
 * the secret there.
 */
export function parseParameters<const S extends v.GenericSchema>(kind: string, schema: S, raw: JsonObject): v.InferOutput<S> {
  const result = v.safeParse(schema, raw, { abortPipeEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const field = v.getDotPath(issue) ?? '';
  throw new ParameterError(kind, field, faultOf(issue), hintOf(issue, field, schema));
}

function faultOf(issue: v.BaseIssue<unknown>): string {
  if (isUnknownKey(issue)) return 'no such parameter';
  if (isMissingKey(issue)) return 'is missing';
  // Only messages of our own are shown: valibot's default ones, which begin like this, quote what they received.
  if (!issue.message.startsWith('Invalid ')) return issue.message;
  return `expected ${issue.expected ?? 'something else'}`;
}

function hintOf(issue: v.BaseIssue<unknown>, field: string, schema: v.GenericSchema): string | undefined {
  if (!isUnknownKey(issue)) return undefined;
  if (VALUE_LIKE.test(field)) return 'a value is never written down here: use import: { env | file | stdin }';
  if (field.includes('.') || !('entries' in schema)) return undefined;
  const known = Object.keys(schema.entries as object);
  return known.length === 0 ? 'this kind takes no parameters' : `parameters: ${known.join(', ')}`;
}

function isUnknownKey(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === 'strict_object' && issue.expected === 'never';
}

function isMissingKey(issue: v.BaseIssue<unknown>): boolean {
  const last = issue.path?.at(-1);
  return issue.type === 'strict_object' && last?.origin === 'key' && issue.expected !== 'never';
}

/** An integer within bounds. */
export function integer(from: number, to: number) {
  const words = `expected an integer from ${from} to ${to}`;
  return v.pipe(v.number(words), v.safeInteger(words), v.minValue(from, words), v.maxValue(to, words));
}

/** One of a few words. */
export function oneOf<const T extends readonly [string, ...string[]]>(words: T) {
  return v.picklist(words, `expected one of ${words.join(', ')}`);
}

/** One line of printable text. */
export function line(max: number) {
  const words = `expected one line of 1 to ${max} printable characters`;
  return v.pipe(v.string(words), v.check((s) => s.length >= 1 && s.length <= max && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(s), words));
}
