import { inspect } from 'node:util';

/**
 * Secret bytes in memory. Prints as `[secret]` wherever a value might be printed by accident: string conversion, JSON,
 * console.log, template literals. The bytes are reached only through `use`, and wiped on request. Wiping is best effort: the
 * runtime may have copied them (SECURITY.md, "What we cannot promise").
 */
export class Secret {
  #bytes: Uint8Array;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Takes the bytes over: the caller must not use them afterwards. */
  static take(bytes: Uint8Array): Secret {
    // Of a Buffer, `slice` is a view: whoever copies what `use` lends would be left with zeros after `wipe`.
    return new Secret(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  static fromText(text: string): Secret {
    return new Secret(new TextEncoder().encode(text));
  }

  /** Length in bytes. */
  get length(): number {
    return this.#bytes.length;
  }

  /** Lends the bytes to `fn`. What `fn` returns is passed on; it should not be the bytes themselves. */
  use<T>(fn: (bytes: Uint8Array) => T): T {
    return fn(this.#bytes);
  }

  /** Lends the bytes as text, which must be UTF-8 (TypeError otherwise). A string cannot be wiped: prefer `use`. */
  useText<T>(fn: (text: string) => T): T {
    return fn(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.#bytes));
  }

  /** Overwrites the bytes with zeros and forgets them. */
  wipe(): void {
    this.#bytes.fill(0);
    this.#bytes = new Uint8Array(0);
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
