import type { FormatOptions, OpenedSecret, Rendered, RenderedFile } from '../../../packages/core/src/formats/index.js';
import { renderSecrets } from '../../../packages/core/src/formats/index.js';
import { isVaultError, type VaultError } from '../../../packages/core/src/errors.js';
import type { Material } from '../../../packages/core/src/material/index.js';
import { materialKind } from '../../../packages/core/src/material/index.js';
import { Secret } from '../../../packages/core/src/secret.js';
import type { JsonObject } from '../../../packages/core/src/wire.js';

/** An opened secret as the facade hands it over: a document of the given content unless told otherwise. */
export function opened(name: string, content: string | Uint8Array = 'value', more: Partial<OpenedSecret> = {}): OpenedSecret {
  const file = typeof content === 'string' ? Secret.fromText(content) : Secret.take(content.slice());
  return { name, version: 1, kind: 'document', file, public: { size: file.length }, parameters: {}, newest: true, retired: false, ...more };
}

/** The stream that a format writes. */
export async function streamed(format: string, secrets: readonly OpenedSecret[], options?: FormatOptions): Promise<Uint8Array> {
  const rendered: Rendered = await renderSecrets(format, secrets, options);
  if (rendered.type !== 'bytes') throw new Error(`${format} gave files, not a stream`);
  return rendered.bytes;
}

export async function streamedText(format: string, secrets: readonly OpenedSecret[], options?: FormatOptions): Promise<string> {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await streamed(format, secrets, options));
}

/** The files that a format writes into a directory, by path. */
export async function written(format: string, secrets: readonly OpenedSecret[], options: FormatOptions = {}): Promise<Map<string, RenderedFile>> {
  const rendered = await renderSecrets(format, secrets, { ...options, target: 'directory' });
  if (rendered.type !== 'files') throw new Error(`${format} gave a stream, not files`);
  return new Map(rendered.files.map((file) => [file.path, file]));
}

/** The error that a call is to end in, for looking at more than its code. */
export async function failure(call: Promise<unknown>): Promise<VaultError> {
  try {
    await call;
  } catch (error) {
    if (isVaultError(error)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** All that an error says to people. */
export function said(error: VaultError): string {
  return JSON.stringify([error.message, error.hint, error.details]);
}

const NOW = Math.floor(Date.now() / 1000);

export interface Generated {
  readonly secret: OpenedSecret;
  readonly material: Material;
}

/** New material of a kind, opened. `issuers` by their secrets' names. */
export async function generated(
  name: string,
  kind: string,
  parameters: JsonObject = {},
  context: { issuers?: readonly Generated[]; previous?: Material; more?: Partial<OpenedSecret> } = {},
): Promise<Generated> {
  const of = await materialKind(kind);
  if (of.generate === undefined) throw new Error(`${kind} cannot be generated`);
  const { issuers = [], previous, more } = context;
  const material = await of.generate(of.parameters(parameters), {
    now: NOW,
    name,
    issuer: async (wanted) => {
      const issuer = issuers.find(({ secret }) => secret.name === wanted);
      if (issuer === undefined) throw new Error(`no issuer ${wanted}`);
      return issuer.material;
    },
    ...(previous === undefined ? {} : { previous }),
  });
  const { file, public: publicParts, parameters: made } = material;
  return { material, secret: { name, version: 1, kind, file, public: publicParts, parameters: made, newest: true, retired: false, ...more } };
}

/** A public part that is text. */
export function publicPart({ secret }: Generated, name: string): string {
  const value = secret.public[name];
  if (typeof value !== 'string') throw new TypeError(`${name} is no text`);
  return value;
}
