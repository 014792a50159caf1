/** The text of a transparency log's checkpoint (https://c2sp.org/tlog-checkpoint): what a signed note signs. */
import { VaultError } from '../errors.js';
import { fromBase64, toBase64 } from './hash.js';

export interface Checkpoint {
  /** First line: which log. */
  readonly origin: string;
  /** Number of leaves. */
  readonly size: number;
  /** RFC 6962 root hash at that size, 32 bytes. */
  readonly root: Uint8Array;
  /** Lines after the root, none of them empty. Signed, but proved by nothing else. */
  readonly extensions: readonly string[];
}

const LINE = /^[^\x00-\x1f]+$/;
const DECIMAL = /^(0|[1-9][0-9]{0,15})$/;

/** BAD_CHECKPOINT when a member cannot stand in a checkpoint. */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  if (!LINE.test(origin) || !extensions.every((line) => LINE.test(line))) throw bad('a line is empty or holds control characters');
  if (!Number.isSafeInteger(size) || size < 0) throw bad('its size is no count');
  if (root.length !== 32) throw bad('its root is not 32 bytes');
  return `${[origin, String(size), toBase64(root), ...extensions].join('\n')}\n`;
}

/** Reads exactly what `formatCheckpoint` writes; BAD_CHECKPOINT for anything else. */
export function parseCheckpoint(text: string): Checkpoint {
  if (!text.endsWith('\n')) throw bad('its text does not end in a newline');
  const [origin = '', size = '', encodedRoot = '', ...extensions] = text.slice(0, -1).split('\n');
  if (!LINE.test(origin) || !extensions.every((line) => LINE.test(line))) throw bad('a line is empty or holds control characters');
  const count = parseCount(size);
  if (count === undefined) throw bad('its size is not a plain decimal number');
  const root = fromBase64(encodedRoot);
  if (root?.length !== 32) throw bad('its root is not the base64 of 32 bytes');
  return { origin, size: count, root, extensions };
}

/** A non-negative safe integer in ASCII decimal without leading zeros; undefined for anything else. */
export function parseCount(text: string): number | undefined {
  const value = DECIMAL.test(text) ? Number(text) : undefined;
  return value !== undefined && Number.isSafeInteger(value) ? value : undefined;
}

function bad(why: string): VaultError {
  return new VaultError('BAD_CHECKPOINT', `the checkpoint is not acceptable: ${why}`);
}
