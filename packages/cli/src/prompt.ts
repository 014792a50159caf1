/** Questions to the person at the terminal. They appear on stderr: stdout is for results. */
import type { Readable, Writable } from 'node:stream';

export interface Prompter {
  /** Not echoed. An empty answer is given back as such. */
  passphrase(message: string): Promise<string>;
  text(message: string, options?: { initial?: string; validate?: (answer: string) => string | undefined }): Promise<string>;
  /** No is the answer to Enter. */
  confirm(message: string): Promise<boolean>;
}

/** Ctrl-C, Ctrl-D or Escape at a question. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

/** The library behind the questions is loaded with the first of them. */
export async function terminalPrompter(streams: { input: Readable; output: Writable } = { input: process.stdin, output: process.stderr }): Promise<Prompter> {
  const { confirm, isCancel, password, text } = await import('@clack/prompts');
  const ask = async <T>(question: (common: Common) => Promise<T>): Promise<Exclude<T, symbol>> => {
    const ended = new AbortController();
    const onKey = (_: unknown, key?: { ctrl?: boolean; name?: string }): void => {
      if (key?.ctrl === true && key.name === 'd') ended.abort();
      // A line feed, as programs type it and some terminals: the questions know no end of a line but the carriage return.
      if (key?.name === 'enter') streams.input.emit('keypress', '\r', { sequence: '\r', name: 'return', ctrl: false, meta: false, shift: false });
    };
    const onEnd = (): void => ended.abort();
    streams.input.on('keypress', onKey).once('end', onEnd);
    try {
      const answer = await question({ ...streams, withGuide: false, signal: ended.signal });
      if (isCancel(answer)) throw new Cancelled();
      return answer as Exclude<T, symbol>;
    } finally {
      streams.input.off('keypress', onKey).off('end', onEnd);
    }
  };
  return {
    passphrase: async (message) => (await ask((common) => password({ ...common, message }))) ?? '',
    text: async (message, { initial, validate } = {}) =>
      (await ask((common) =>
        text({
          ...common,
          message,
          ...(initial === undefined ? {} : { initialValue: initial }),
          ...(validate === undefined ? {} : { validate: (answer: string | undefined) => validate(answer ?? '') }),
        }),
      )) ?? '',
    confirm: (message) => ask((common) => confirm({ ...common, message, initialValue: false })),
  };
}

/** What every question takes. With the end of the input nothing else would ever settle it: the program would fall silent and end. */
interface Common {
  readonly input: Readable;
  readonly output: Writable;
  readonly withGuide: boolean;
  readonly signal: AbortSignal;
}
