/** SHA-256 and the few byte encodings that stored and signed bytes are written in. */
import { isUtf8 } from 'node:buffer';
import { hash, timingSafeEqual } from 'node:crypto';

const encoder = new TextEncoder();
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const NUL = Uint8Array.of(0);

/** A view without copying: Buffer differs from Uint8Array in `slice` and in printing, so it does not leave this layer. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** SHA-256, 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return plain(hash('sha256', bytes, 'buffer'));
}

/** SHA-256 as 64 lower-case hex digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}

/**
 * SHA-256 of `tag`, then for each part one NUL byte and the part. Parts are not length-prefixed: every part but the last must
 * have a fixed length or hold no NUL, else two lists of parts could share a digest.
 */
export function taggedHash(tag: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return sha256(concatBytes(utf8(tag), ...parts.flatMap((part) => [NUL, part])));
}

/** True for the very bytes that somebody named by their digest and, where it was said, their size. */
export function isContent(bytes: Uint8Array, named: { readonly sha256: string; readonly size?: number | undefined }): boolean {
  return (named.size === undefined || bytes.length === named.size) && sha256Hex(bytes) === named.sha256;
}

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  return view(bytes).toString('hex');
}

/** Undefined unless `text` is an even number of lower-case hex digits. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return undefined;
  return plain(Buffer.from(text, 'hex'));
}

/** Standard alphabet, padded (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  return view(bytes).toString('base64');
}

/** Undefined unless `text` is exactly what `toBase64` writes: full padding, no white space, unused bits zero. */
export function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  // Node skips what it does not know, so the only proof of canonical input is to write it again.
  return bytes.toString('base64') === text ? plain(bytes) : undefined;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Equal length and content. The content is compared in constant time, the length is not. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Undefined unless `bytes` are well-formed UTF-8. A byte order mark is a character like any other. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? strict.decode(bytes) : undefined;
}

/** UTF-8 without a byte order mark. Lone surrogates become U+FFFD: check text from outside first. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}
