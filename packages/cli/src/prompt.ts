/** Questions to the person at the terminal. They appear on stderr: stdout is for results. */
import type { Readable, Writable } from 'node:stream';

export interface Prompter {
  /** Not echoed. An empty answer is given back as such. */
  passphrase(message: string): Promise<string>;
  text(message: string, options?: { initial?: string; validate?: (answer: string) => string | undefined }): Promise<string>;
  /** No is the answer to Enter. */
  confirm(message: string): Promise<boolean>;
}

/** Ctrl-C or Escape at a question. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

/** The library behind the questions is loaded with the first of them. */
export async function terminalPrompter(streams: { input: Readable; output: Writable } = { input: process.stdin, output: process.stderr }): Promise<Prompter> {
  const { confirm, isCancel, password, text } = await import('@clack/prompts');
  const common = { ...streams, withGuide: false };
  const answered = <T>(answer: T): Exclude<T, symbol> => {
    if (isCancel(answer)) throw new Cancelled();
    return answer as Exclude<T, symbol>;
  };
  return {
    passphrase: async (message) => answered(await password({ ...common, message })) ?? '',
    text: async (message, { initial, validate } = {}) =>
      answered(
        await text({
          ...common,
          message,
          ...(initial === undefined ? {} : { initialValue: initial }),
          ...(validate === undefined ? {} : { validate: (answer: string | undefined) => validate(answer ?? '') }),
        }),
      ) ?? '',
    confirm: async (message) => answered(await confirm({ ...common, message, initialValue: false })),
  };
}
