/** The formats by name. Each is loaded when first asked for, so that `open` of plain bytes loads one small file. */
import { VaultError } from '../errors.js';
import type { OutputFormat } from './format.js';

const loaders = {
  raw: async () => (await import('./raw.js')).raw,
  json: async () => (await import('./json.js')).json,
  yaml: async () => (await import('./yaml.js')).yaml,
  env: async () => (await import('./env.js')).env,
  files: async () => (await import('./files.js')).files,
  tfvars: async () => (await import('./tfvars.js')).tfvars,
  'k8s-secret': async () => (await import('./k8s-secret.js')).k8sSecret,
  bind: async () => (await import('./bind.js')).bind,
  'external-dns': async () => (await import('./external-dns.js')).externalDns,
  openssh: async () => (await import('./openssh.js')).openssh,
  pem: async () => (await import('./pem.js')).pem,
  p12: async () => (await import('./p12.js')).p12,
  scaleway: async () => (await import('./scaleway.js')).scaleway,
  'github-actions': async () => (await import('./github-actions.js')).githubActions,
} satisfies Record<string, () => Promise<OutputFormat>>;

export type FormatName = keyof typeof loaders;

/** In the order of the help. */
export const FORMAT_NAMES = Object.keys(loaders) as readonly FormatName[];

export function isFormatName(name: string): name is FormatName {
  return Object.hasOwn(loaders, name);
}

/** USAGE for a name that is none of FORMAT_NAMES. */
export async function outputFormat(name: string): Promise<OutputFormat> {
  if (isFormatName(name)) return loaders[name]();
  throw new VaultError('USAGE', `there is no output format ${JSON.stringify(name)}`, { hint: `The formats: ${FORMAT_NAMES.join(', ')}.` });
}

/** All of them, for help and completion. Loads no library: formats import theirs when they render. */
export function outputFormats(): Promise<OutputFormat[]> {
  return Promise.all(FORMAT_NAMES.map((name) => loaders[name]()));
}

/** The names of the formats that take this kind, for hints. */
export async function formatsFor(kind: string): Promise<string[]> {
  return (await outputFormats()).filter((format) => format.kinds?.includes(kind) ?? true).map((format) => format.name);
}
