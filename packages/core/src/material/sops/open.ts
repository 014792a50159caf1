/** Opening a SOPS file: decrypted, its MAC checked, given back in clear. A file whose MAC does not hold gives nothing at all. */
import { decodeUtf8 } from '../fields.js';
import { goTyped } from './go-values.js';
import { checkMac, type MacInput } from './mac.js';
import { cryptRule, readMetadata } from './metadata.js';
import { badSops, placeWords, SOPS_TYPES, unsupportedSops, type SopsDepth, type SopsDocument, type SopsLeaf, type SopsPiece, type SopsType } from './model.js';
import { openDataKey, openValue, openValues, parseEncrypted, placeData, type PlacedValue } from './values.js';

export interface OpenedSops {
  readonly type: SopsType;
  /** The file as SOPS would decrypt it. */
  readonly bytes: Uint8Array;
  pieces(depth: SopsDepth): SopsPiece[];
  /** Values that stood in clear: the MAC covers them or not, their names it never does. */
  readonly inClear: number;
  /** Encrypted comments that did not decrypt where they stood, and were left out. */
  readonly lostComments: number;
}

export interface SopsSource {
  readonly bytes: Uint8Array;
  /** Its type goes by its ending, as with SOPS. */
  readonly name: string;
  readonly type?: SopsType;
  /** `AGE-SECRET-KEY-…` */
  readonly identities: readonly string[];
}

/**
 * Throws BAD_MATERIAL, UNSUPPORTED, IDENTITY_NOT_FOUND, IDENTITY_INVALID, DECRYPT_FAILED for a value that is not what was encrypted
 * for its place, SOPS_MAC for values that are not together what was encrypted.
 */
export async function openSopsFile({ bytes, name, type: asked, identities }: SopsSource): Promise<OpenedSops> {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw badSops('is not UTF-8 text, as every encrypted SOPS file is');
  const type = asked ?? typeOf(name, text);
  const document = await read(type, text);
  const metadata = readMetadata(document.metadata);
  const isEncrypted = cryptRule(metadata.rule);
  const dataKey = await openDataKey(metadata, identities);
  try {
    const marked = document.leaves.map((leaf) => ({ leaf, encrypted: isEncrypted(leaf.keys) ?? parseEncrypted(leaf.text) !== undefined }));
    const placed = marked.map(({ leaf, encrypted }) => (encrypted ? placedValue(leaf) : undefined));
    const opened = await openValues(placed.filter((value) => value !== undefined), dataKey);
    const values: MacInput[] = marked.map(({ leaf, encrypted }, i) => {
      const value = placed[i];
      if (value) leaf.put(goTyped(value.encrypted.type, opened.shift()!));
      return { bytes: leaf.clear().bytes, encrypted };
    });
    checkMac(values, metadata, dataKey);
    return { type, ...inClear(document, dataKey, type), inClear: marked.filter(({ encrypted }) => !encrypted).length };
  } finally {
    dataKey.fill(0);
  }
}

/** Undefined for empty text, which SOPS leaves as it is. */
function placedValue({ keys, text }: SopsLeaf): PlacedValue | undefined {
  if (text === '') return undefined;
  const encrypted = parseEncrypted(text);
  if (!encrypted) throw badSops(`has a value in clear at ${placeWords(keys)}, where its own rule says that it is encrypted`, 'Somebody added or replaced it after sops wrote the file. Nothing of the file was taken in.');
  return { keys, encrypted };
}

function inClear(document: SopsDocument, dataKey: Uint8Array, type: SopsType): Pick<OpenedSops, 'bytes' | 'pieces' | 'lostComments'> {
  const notText = document.leaves.find((leaf) => type !== 'binary' && !isUtf8(leaf.clear().bytes));
  if (notText) throw unsupportedSops(`has a value at ${placeWords(notText.keys)} that is no text, which ${type} cannot hold`);
  let lostComments = 0;
  for (const comment of document.comments) {
    const encrypted = parseEncrypted(comment.text)!;
    const opened = comment.places.map((keys) => openValue(encrypted, dataKey, placeData(keys))).find((bytes) => bytes !== undefined);
    const text = opened && decodeUtf8(opened);
    if (text === undefined) lostComments++;
    comment.put(text);
  }
  return { bytes: document.emit(), pieces: (depth) => document.pieces(depth), lostComments };
}

/** A byte order mark inside a value is text like any other. */
function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return true;
  } catch {
    return false; // the only thing that a fatal decoder reports
  }
}

async function read(type: SopsType, text: string): Promise<SopsDocument> {
  switch (type) {
    case 'yaml':
      return (await import('./yaml-file.js')).readYamlFile(text);
    case 'json':
      return (await import('./json-file.js')).readJsonFile(text);
    case 'dotenv':
      return (await import('./flat-file.js')).readDotenvFile(text);
    case 'binary':
      return (await import('./flat-file.js')).readBinaryFile(text);
  }
}

const ENDINGS: Readonly<Record<string, SopsType>> = { yaml: 'yaml', yml: 'yaml', json: 'json', env: 'dotenv' };

/** By the ending, as SOPS does it; for any other ending by the form, which in an encrypted file is plain to see. */
function typeOf(name: string, text: string): SopsType {
  const ending = /\.([a-z]+)$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  if (ending === 'ini') throw unsupportedSops('is an INI file, which this release does not read');
  const known = Object.hasOwn(ENDINGS, ending) ? ENDINGS[ending] : undefined;
  if (known) return known;
  if (/^\s*\{/.test(text)) return /^\s*\{\s*"(?:data"\s*:\s*"[^"]*"\s*,\s*"sops"\s*:\s*\{|sops")/.test(text) ? 'binary' : 'json';
  return /^sops_mac=/m.test(text) ? 'dotenv' : 'yaml';
}

export function isSopsType(word: string): word is SopsType {
  return (SOPS_TYPES as readonly string[]).includes(word);
}
