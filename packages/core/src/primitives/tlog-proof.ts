/** The text form of an inclusion proof with its checkpoint (https://c2sp.org/tlog-proof), to be verified offline. */
import { VaultError } from '../errors.js';
import { parseCheckpoint, parseCount } from './checkpoint.js';
import { fromBase64, fromUtf8, toBase64, utf8 } from './hash.js';
import { verifyInclusion } from './merkle.js';
import { parseNote } from './signed-note.js';

const FIRST_LINE = 'c2sp.org/tlog-proof@v1';
/** A path has one hash for each level of the tree, and sizes stop at 2^53. */
const MAX_HASHES = 53;

export interface TlogProof {
  /** Index of the leaf. */
  readonly index: number;
  /** From the leaf's sibling up to the root's child. */
  readonly path: readonly Uint8Array[];
  /** The whole signed note, verbatim. */
  readonly checkpoint: Uint8Array;
  /** Opaque and unauthenticated. */
  readonly extra?: Uint8Array;
}

export function formatTlogProof({ index, path, checkpoint, extra }: TlogProof): Uint8Array {
  const head = [FIRST_LINE, ...(extra === undefined ? [] : [`extra ${toBase64(extra)}`]), `index ${index}`, ...path.map(toBase64)];
  return utf8(`${head.join('\n')}\n\n${new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(checkpoint)}`);
}

/** BAD_PROOF for anything that is not well-formed; BAD_CHECKPOINT for what its checkpoint lacks. Verifies nothing. */
export function parseTlogProof(bytes: Uint8Array): TlogProof {
  const text = fromUtf8(bytes);
  if (text === undefined) throw bad('it is not valid UTF-8');
  const blank = text.indexOf('\n\n');
  if (blank < 0) throw bad('it has no checkpoint after a blank line');
  const [first, ...lines] = text.slice(0, blank).split('\n');
  if (first !== FIRST_LINE) throw bad(`its first line is not ${FIRST_LINE}`);
  const extra = lines[0]?.startsWith('extra ') === true ? base64(lines.shift()?.slice('extra '.length) ?? '', 'its extra data') : undefined;
  const indexLine = lines.shift() ?? '';
  const index = indexLine.startsWith('index ') ? parseCount(indexLine.slice('index '.length)) : undefined;
  if (index === undefined) throw bad('it has no index line');
  if (lines.length > MAX_HASHES) throw bad('its path is longer than any tree is high');
  const path = lines.map((line) => base64(line, 'a hash of its path'));
  if (!path.every((hash) => hash.length === 32)) throw bad('a hash of its path is not 32 bytes');
  const checkpoint = utf8(text.slice(blank + 2));
  parseCheckpoint(parseNote(checkpoint).text);
  return extra === undefined ? { index, path, checkpoint } : { index, path, checkpoint, extra };
}

/**
 * True when the path leads from this leaf hash at the proof's index to the root in its checkpoint. Whether the right log has
 * signed that checkpoint is for the caller to verify (signed-note.ts).
 */
export function provesInclusion(proof: TlogProof, leafHash: Uint8Array): boolean {
  const { size, root } = parseCheckpoint(parseNote(proof.checkpoint).text);
  return verifyInclusion(leafHash, proof.index, size, proof.path, root);
}

function base64(text: string, what: string): Uint8Array {
  const bytes = fromBase64(text);
  if (bytes === undefined) throw bad(`${what} is not canonical base64`);
  return bytes;
}

function bad(why: string): VaultError {
  return new VaultError('BAD_PROOF', `the log proof is not acceptable: ${why}`);
}
