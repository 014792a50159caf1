/** Copying what a program prints with known values replaced. It guards against a careless print, not against a program that wants to tell. */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

const MASK = Buffer.from('***');
/** Shorter ones are found in innocent text. */
const SHORTEST = 4;

/** Values, their trimmed forms and their lines, as Base64 too: the longest first, so that a part never hides the whole. */
function needlesOf(values: readonly Uint8Array[]): Buffer[] {
  const found = new Map<string, Buffer>();
  const add = (bytes: Buffer): void => {
    if (bytes.length >= SHORTEST) found.set(bytes.toString('latin1'), bytes);
  };
  for (const value of values) {
    const text = Buffer.from(value).toString('utf8').trim();
    add(Buffer.from(value));
    add(Buffer.from(Buffer.from(value).toString('base64')));
    add(Buffer.from(Buffer.from(text).toString('base64')));
    for (const line of text.split(/\r?\n/)) if (!line.startsWith('-----')) add(Buffer.from(line.trim()));
  }
  return [...found.values()].sort((a, b) => b.length - a.length);
}

/** Resolves when the source has ended and all of it is handed on. A line that is held back is at most as long as the longest value. */
export async function copyMasked(from: Readable, to: Writable, values: readonly Uint8Array[]): Promise<void> {
  const needles = needlesOf(values);
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of from as AsyncIterable<Buffer>) {
    const { done, open } = masked(Buffer.concat([rest, chunk]), needles);
    rest = open;
    if (done.length > 0 && !to.write(done)) await once(to, 'drain');
  }
  if (rest.length > 0) to.write(rest);
}

/** What can be shown, and the end that may be the beginning of a value. */
function masked(bytes: Buffer, needles: readonly Buffer[]): { done: Buffer; open: Buffer } {
  const parts: Buffer[] = [];
  let at = 0;
  for (let next = firstOf(bytes, needles, at); next; next = firstOf(bytes, needles, at)) {
    parts.push(bytes.subarray(at, next.index), MASK);
    at = next.index + next.length;
  }
  const tail = bytes.subarray(at);
  const held = heldBack(tail, needles);
  parts.push(tail.subarray(0, tail.length - held));
  return { done: Buffer.concat(parts), open: Buffer.from(tail.subarray(tail.length - held)) };
}

function firstOf(bytes: Buffer, needles: readonly Buffer[], from: number): { index: number; length: number } | undefined {
  let best: { index: number; length: number } | undefined;
  for (const needle of needles) {
    const index = bytes.indexOf(needle, from);
    if (index >= 0 && (best === undefined || index < best.index)) best = { index, length: needle.length };
  }
  return best;
}

/** Length of the longest end that a value begins with. */
function heldBack(tail: Buffer, needles: readonly Buffer[]): number {
  for (let length = Math.min(tail.length, (needles[0]?.length ?? 1) - 1); length > 0; length--) {
    const end = tail.subarray(tail.length - length);
    if (needles.some((needle) => needle.length > length && needle.subarray(0, length).equals(end))) return length;
  }
  return 0;
}
