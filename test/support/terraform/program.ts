/** What the providers of the tests have in common: they are started by Terraform, with the product's own machinery. */
import { writeSync } from 'node:fs';
import { type Extend, type Handler, readHandshake, servePlugin } from '../../../packages/terraform-hooks/src/provider/index.js';

export function serve(handlers: Readonly<Record<string, Handler>>, extend?: Extend): void {
  const handshake = readHandshake(process.env);
  if (!handshake) throw new Error('a provider of the tests is started by Terraform only');
  const print = async (line: string): Promise<void> => void writeSync(1, line);
  servePlugin(handlers, handshake, print, extend).catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  });
}

export const fault = (summary: string, detail: string): object => ({ severity: 1, summary, detail });
