/** What git says while it works: how far it is, which is told at once, and messages, which are kept. */
import { StringDecoder } from 'node:string_decoder';

/** With `--progress`, each written over the one before; the server's own come behind `remote: `. */
const PROGRESS = /^(?:remote: )?(?:(?:Enumerating|Counting|Compressing|Receiving|Writing|Unpacking|Indexing) objects|Resolving deltas|Checking connectivity): /;
/** The last words about it. */
const SUMMARY = /^(?:remote: )?(?:Total \d|Delta compression using )/;

/** Characters. */
const MAX_KEPT = 64 * 1024;

export class Messages {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onProgress: ((text: string | undefined) => void) | undefined;
  #kept = '';
  #line = '';
  #told = false;

  constructor(onProgress?: (text: string | undefined) => void) {
    this.#onProgress = onProgress;
  }

  take(chunk: Buffer): void {
    this.#line += this.#decoder.write(chunk);
    for (let end = /[\r\n]/.exec(this.#line); end; end = /[\r\n]/.exec(this.#line)) {
      this.#judge(this.#line.slice(0, end.index + 1));
      this.#line = this.#line.slice(end.index + 1);
    }
    // A line without an end is kept like the others, in pieces.
    if (this.#line.length > MAX_KEPT) this.#flush();
  }

  /** Nothing more comes. */
  end(): void {
    this.#line += this.#decoder.end();
    this.#flush();
    if (this.#told) this.#onProgress?.(undefined);
    this.#told = false;
  }

  /** All that was no progress. */
  get text(): string {
    return this.#kept;
  }

  #flush(): void {
    if (this.#line !== '') this.#judge(this.#line);
    this.#line = '';
  }

  #judge(line: string): void {
    if (SUMMARY.test(line)) return;
    if (!PROGRESS.test(line)) {
      this.#kept += line.slice(0, MAX_KEPT - this.#kept.length);
      return;
    }
    this.#told = true;
    // The server's half of the line is anybody's text.
    this.#onProgress?.(line.replace(/[^\x20-\x7e]/g, '').trim().slice(0, 100));
  }
}
