/** A line that says how far a long step is. Only on a terminal, only once it is long, and gone when it is done. */
import type { Output } from './io.js';

/** Milliseconds. */
const PATIENCE = 500;
const EVERY = 100;

export interface Progress {
  update(done: number, total?: number): void;
  /** Clears the line. */
  end(): Promise<void>;
}

/** For what a program says of itself while it works: each text is drawn over the one before, undefined clears the line. */
export function progressLine(output: Output): ((text: string | undefined) => void) | undefined {
  if (!output.isTTY) return undefined;
  let began: number | undefined;
  let drawn = 0;
  const draw = (text: string): void => void output.write(`\r\x1b[K${text}`);
  return (text) => {
    const now = performance.now();
    if (text === undefined) {
      if (drawn > 0) draw('');
      [began, drawn] = [undefined, 0];
      return;
    }
    began ??= now;
    if (now - began < PATIENCE || now - drawn < EVERY) return;
    drawn = now;
    draw(text);
  };
}

export function startProgress(output: Output, label: string): Progress {
  if (!output.isTTY) return { update: () => undefined, end: async () => undefined };
  const began = performance.now();
  let drawn = 0;
  let drawing: Promise<void> = Promise.resolve();
  return {
    update(done, total) {
      const now = performance.now();
      if (now - began < PATIENCE || now - drawn < EVERY) return;
      drawn = now;
      drawing = output.write(`\r\x1b[K${label} ${done}${total === undefined ? '' : ` of ${total}`}`);
    },
    async end() {
      await drawing;
      if (drawn > 0) await output.write('\r\x1b[K');
    },
  };
}
