/**
 * JSON in one encoding only: RFC 8785 (JCS) over a smaller domain, so that signed bytes mean one value and a value has one
 * digest. The domain: strings of well-formed Unicode, booleans, null, safe integers, arrays, and plain objects whose keys are
 * printable ASCII. Fractions are out because their text form is where JSON implementations disagree.
 */
import canonicalize from 'canonicalize';
import { VaultError } from '../errors.js';
import type { Json } from '../wire.js';
import { equalBytes, fromUtf8, utf8 } from './hash.js';

/** Arrays and objects inside one another. Deeper input would only serve to exhaust the stack. */
export const MAX_DEPTH = 64;

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
/** With the u flag a surrogate matches only where it is alone. */
const LONE_SURROGATE = /[\ud800-\udfff]/u;

type Path = (string | number)[];

/** The canonical bytes of `value`. NOT_CANONICAL, naming the place, when the value is outside the domain. */
export function canonicalJson(value: Json | object): Uint8Array {
  const json = value as Json;
  checkDomain(json, []);
  return utf8(serialize(json));
}

/** True when two values of the domain have one canonical form; `undefined` equals only itself. */
export function canonicalEqual(a: object | undefined, b: object | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return equalBytes(canonicalJson(a), canonicalJson(b));
}

/**
 * The value that `bytes` are the canonical form of. NOT_CANONICAL for anything else: invalid UTF-8, a byte order mark, white
 * space, unsorted or duplicate keys, `1.0`, `-0`, unneeded escapes, nesting deeper than MAX_DEPTH.
 */
export function parseCanonical(bytes: Uint8Array): Json {
  const text = fromUtf8(bytes);
  if (text === undefined) throw new VaultError('NOT_CANONICAL', 'the JSON is not valid UTF-8');
  const value = parse(text);
  const sorted = checkDomain(value, []);
  // For sorted keys JSON.stringify writes what JCS writes (RFC 8785 takes literals, strings and numbers from ECMAScript), much
  // faster. Keys that look like array indices enumerate in numeric order, so "unsorted" is not yet a verdict.
  const again = sorted ? JSON.stringify(value) : serialize(value);
  if (again !== text) throw new VaultError('NOT_CANONICAL', 'the JSON is not in canonical form (RFC 8785)');
  return value;
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // The engine's message quotes the text, which may be secret.
    throw new VaultError('NOT_CANONICAL', 'the bytes are not JSON');
  }
}

function serialize(value: Json): string {
  const text = canonicalize(value);
  if (text === undefined) throw new VaultError('INTERNAL', 'a checked value has no JSON form');
  return text;
}

/** Throws for a value outside the domain. True when every object enumerates its keys in canonical (code unit) order. */
function checkDomain(value: unknown, path: Path): boolean {
  switch (typeof value) {
    case 'boolean':
      return true;
    case 'string':
      if (LONE_SURROGATE.test(value)) throw outside(path, 'holds a lone surrogate');
      return true;
    case 'number':
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw outside(path, 'is not a safe integer');
      return true;
    case 'object':
      if (value === null) return true;
      if (path.length >= MAX_DEPTH) throw outside(path, `is nested deeper than ${MAX_DEPTH} levels`);
      return Array.isArray(value) ? checkArray(value, path) : checkObject(value, path);
    default:
      throw outside(path, `is a ${typeof value}, which JSON cannot hold`);
  }
}

function checkArray(list: readonly unknown[], path: Path): boolean {
  let sorted = true;
  for (let i = 0; i < list.length; i++) {
    path.push(i);
    if (!checkDomain(list[i], path)) sorted = false;
    path.pop();
  }
  return sorted;
}

function checkObject(object: object, path: Path): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) throw outside(path, 'is not a plain object');
  let sorted = true;
  let previous: string | undefined;
  for (const [key, member] of Object.entries(object)) {
    // An own `__proto__` survives parsing, but any later copy by assignment would turn it into a prototype.
    if (!PRINTABLE_ASCII.test(key) || key === '__proto__') throw outside(path, 'has a key that is not allowed');
    if (previous !== undefined && previous > key) sorted = false;
    previous = key;
    path.push(key);
    if (!checkDomain(member, path)) sorted = false;
    path.pop();
  }
  return sorted;
}

function outside(path: Path, what: string): VaultError {
  const place = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step.slice(0, 64)}`)).join('');
  return new VaultError('NOT_CANONICAL', `$${place} ${what}`);
}
