import { VaultError } from '../errors.js';
import { compareText } from '../primitives/compare.js';
import { fromUtf8 } from '../primitives/hash.js';
import type { JsonObject } from '../wire.js';
import type { MaterialField } from './material.js';

/** The whole file. */
export const FILE: MaterialField = { private: true, read: (material) => material.file.use((bytes) => bytes.slice()) };

/** A text among the public parts. Throws FIELD_NOT_FOUND where this piece of material has no such part. */
export function publicText(name: string): MaterialField {
  return {
    private: false,
    read: (material) => {
      const text = word(material.public, name);
      if (text === undefined) throw new VaultError('FIELD_NOT_FOUND', `this ${material.kind} has no ${name}`);
      return text;
    },
  };
}

/** A scalar among the public parts as text; undefined where it is absent or no scalar. */
export function word(parts: JsonObject, name: string): string | undefined {
  const value = parts[name];
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** `24 bytes`, `1 byte`, `30,000,000 bytes`: of kinds whose public part is their size. */
export function sizeWords(parts: JsonObject): string {
  const size = word(parts, 'size');
  return `${size?.replace(/\B(?=(\d{3})+$)/g, ',')} ${size === '1' ? 'byte' : 'bytes'}`;
}

/** A value given piece by piece, as the bytes that a kind's `import` takes. */
export function importedFields(fields: Readonly<Record<string, string>>): Uint8Array {
  const sorted = Object.entries(fields).sort(([a], [b]) => compareText(a, b));
  return new TextEncoder().encode(`${JSON.stringify(Object.fromEntries(sorted))}\n`);
}

/**
 * Reads what importedFields made, or the same JSON written by hand: one object of strings with the allowed names. Undefined where
 * the bytes do not begin like a JSON object. Throws BAD_MATERIAL that names the field, never its content.
 */
export function readImportedFields(
  kind: string,
  bytes: Uint8Array,
  allowed: Readonly<Record<string, 'required' | 'optional'>>,
): Readonly<Record<string, string>> | undefined {
  const text = decodeUtf8(bytes);
  if (text === undefined || !/^\s*\{/.test(text)) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text it stumbled over.
    throw badMaterial(kind, 'begins like a JSON object and is none');
  }
  const entries = Object.entries(parsed as Record<string, unknown>);
  const unknown = entries.find(([name]) => !Object.hasOwn(allowed, name));
  if (unknown !== undefined) throw badMaterial(kind, `the JSON object has a field that is none of ${Object.keys(allowed).join(', ')}`);
  const missing = Object.keys(allowed).find((name) => allowed[name] === 'required' && !entries.some(([given]) => given === name));
  if (missing !== undefined) throw badMaterial(kind, `field ${missing} is missing`);
  return Object.fromEntries(
    entries.map(([name, value]) => {
      if (typeof value !== 'string' || value === '') throw badMaterial(kind, `field ${name} is not a text with something in it`);
      return [name, value];
    }),
  );
}

/** BAD_MATERIAL for one kind. `fault` never holds any part of the value. */
export function badMaterial(kind: string, fault: string, hint?: string): VaultError {
  return new VaultError('BAD_MATERIAL', `${kind}: ${fault}`, hint === undefined ? {} : { hint });
}

/** UTF-8 text without a byte order mark, or undefined. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  const text = fromUtf8(bytes);
  return text?.startsWith('\uFEFF') === true ? undefined : text;
}

/**
 * A value of one line, as `echo`, editors and `$(…)` leave it: a single line break at the end is taken off. Throws BAD_MATERIAL if
 * it is empty, has more lines or is no text.
 */
export function oneLine(kind: string, bytes: Uint8Array): string {
  const text = decodeUtf8(bytes)?.replace(/\r?\n$/, '');
  if (text === undefined) throw badMaterial(kind, 'is not UTF-8 text', 'for bytes that are no text use kind: document');
  if (text === '') throw badMaterial(kind, 'is empty');
  if (/\p{Cc}/u.test(text)) throw badMaterial(kind, 'has more than one line, or control characters', 'for a file use kind: document');
  return text;
}
