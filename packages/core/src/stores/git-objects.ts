/** Reads objects of a repository through one `git cat-file --batch` that stays: starting a git for every file would be too slow. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { VaultError } from '../errors.js';
import { cannotStart, type Git } from './git-process.js';

export interface GitObject {
  readonly oid: string;
  readonly type: string;
  readonly bytes: Uint8Array;
}

interface Waiting {
  readonly resolve: (object: GitObject | undefined) => void;
  readonly reject: (error: unknown) => void;
}

const NEWLINE = 0x0a;
const HEADER = /^([0-9a-f]{40,64}) ([a-z]+) (\d+)$/;

export class ObjectReader {
  readonly #git: Git;
  #child: ChildProcessWithoutNullStreams | undefined;
  #waiting: Waiting[] = [];
  #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes that must be there before looking at them again makes sense. */
  #needed = 1;

  constructor(git: Git) {
    this.#git = git;
  }

  /** The object of this id, or that this revision names; undefined where there is none. STORE_IO when git fails. */
  read(revision: string): Promise<GitObject | undefined> {
    return new Promise((resolve, reject) => {
      const child = (this.#child ??= this.#start());
      if (this.#waiting.length === 0) hold(child, true);
      this.#waiting.push({ resolve, reject });
      child.stdin.write(`${revision}\n`);
    });
  }

  /** Ends the process; the next read starts another. */
  close(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.stdin.end();
  }

  #start(): ChildProcessWithoutNullStreams {
    const child = this.#git.start(['cat-file', '--batch']);
    let said = '';
    const fail = (error: VaultError): void => {
      if (this.#child === child) this.#child = undefined;
      const waiting = this.#waiting;
      [this.#waiting, this.#chunks, this.#size, this.#needed] = [[], [], 0, 1];
      for (const { reject } of waiting) reject(error);
    };
    child.stdout.on('data', (chunk: Buffer) => this.#receive(child, chunk));
    child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString('utf8')).slice(-1000)));
    child.on('error', (error) => fail(cannotStart(error, 'cat-file')));
    // The exit says why.
    child.stdin.on('error', () => undefined);
    child.on('close', (code) => {
      if (this.#child !== child && this.#waiting.length === 0) return;
      fail(new VaultError('STORE_IO', `git cannot read the repository ${this.#git.dir ?? ''} (exit ${code})`, { details: said === '' ? [] : [said.trim()], hint: 'If it is damaged, remove that directory: it is only a copy. Then run the command again.' }));
    });
    return child;
  }

  #receive(child: ChildProcessWithoutNullStreams, chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#needed) return;
    let buffer = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#needed = 1;
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      const end = buffer.indexOf(NEWLINE);
      if (end < 0) break;
      const [, oid, type, digits] = HEADER.exec(buffer.toString('latin1', 0, end)) ?? [];
      const size = Number(digits ?? 0);
      const from = end + 1;
      // What is no header says `missing` or `ambiguous`; then nothing follows it.
      const next = oid === undefined ? from : from + size + 1;
      if (buffer.length < next) {
        this.#needed = next;
        break;
      }
      this.#waiting.shift();
      first.resolve(oid === undefined || type === undefined ? undefined : { oid, type, bytes: new Uint8Array(buffer.subarray(from, from + size)) });
      buffer = buffer.subarray(next);
    }
    this.#chunks = [buffer];
    this.#size = buffer.length;
    if (this.#waiting.length === 0) hold(child, false);
  }
}

/** Only while somebody waits for an answer does the process keep this one alive. */
function hold(child: ChildProcessWithoutNullStreams, wanted: boolean): void {
  for (const each of [child, child.stdin, child.stdout, child.stderr] as unknown as { ref(): void; unref(): void }[]) {
    if (wanted) each.ref();
    else each.unref();
  }
}
