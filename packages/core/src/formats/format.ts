/** What an output format of `open` is: opened secrets in, bytes or files out. Formats do no I/O. */
import type { Secret } from '../secret.js';
import type { JsonObject } from '../wire.js';

/** One version of one secret, decrypted. `file` is the whole file of the material, also where a field was asked for. */
export interface OpenedSecret {
  readonly name: string;
  readonly version: number;
  readonly kind: string;
  readonly file: Secret;
  readonly public: JsonObject;
  readonly parameters: JsonObject;
  /** The part after `#` in `name#field`: the format then shows this view only. */
  readonly field?: string;
  /** True for the newest version that counts. */
  readonly newest: boolean;
  readonly retired: boolean;
}

/** What a person may say beside the format's name. Each format takes the ones it lists; any other is refused (USAGE). */
export interface FormatOptions {
  /** `stream` (default): one document on stdout. `directory`: files below a directory of the caller's choice. */
  readonly target?: 'stream' | 'directory';
  /** env, tfvars, github-actions: put before every derived name, e.g. `TF_VAR_`. Letters, digits, `_`; no leading digit. */
  readonly prefix?: string;
  /** k8s-secret, external-dns: `metadata.namespace`; left out unless given. A DNS label (RFC 1123). */
  readonly namespace?: string;
  /** k8s-secret, external-dns: `metadata.name`. A DNS subdomain (RFC 1123). */
  readonly secretName?: string;
  /** scaleway: put the key into this named profile and make that the active one. */
  readonly profile?: string;
  /** p12: the password of the file, at least one character. From a prompt or a file, never from argv. */
  readonly password?: Secret;
  /** p12: the name under which key stores list the key; default: the secret's name. */
  readonly friendlyName?: string;
  /** github-actions: the `key` of the repository's, environment's or organization's public key (base64, 32 bytes). */
  readonly githubKey?: string;
  /** github-actions: the `key_id` that came with it. */
  readonly githubKeyId?: string;
}

export type OptionName = Exclude<keyof FormatOptions, 'target'>;

export interface RenderedFile {
  /** Relative, with `/`, made of the segments of a secret's name and an extension: safe to join to a directory. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Permission bits; 0o600 where absent. 0o644 only for what is public. */
  readonly mode?: number;
}

export interface RenderedBytes {
  readonly type: 'bytes';
  readonly bytes: Uint8Array;
  /** What to call it (a safe relative path, mode 0o600) where the caller writes into a directory all the same. */
  readonly fileName: string;
}

export interface RenderedFiles {
  readonly type: 'files';
  readonly files: readonly RenderedFile[];
}

/** Plaintext: the caller writes it out and wipes it. */
export type Rendered = RenderedBytes | RenderedFiles;

export interface OutputFormat {
  readonly name: string;
  /** One line for help and completion. */
  readonly summary: string;
  /** Only secrets of these kinds; any kind where absent. */
  readonly kinds?: readonly string[];
  /** A stream holds exactly one secret; a directory may hold several. */
  readonly single?: boolean;
  /** Writes a tree, so it has no stream. */
  readonly directoryOnly?: boolean;
  /** Takes every version that is not retired, so the caller opens them all. The other formats take one version of a name. */
  readonly allVersions?: boolean;
  /** Shows the whole material: a `#field` is refused. */
  readonly wholeOnly?: boolean;
  readonly options?: readonly OptionName[];
  /** Called through `renderSecrets`, which has checked secrets and options against the members above. */
  render(secrets: readonly OpenedSecret[], options: FormatOptions): Promise<Rendered>;
}

/** How messages call an opened secret: `dns/rfc2136_tsig_secret` or `pki/root#certificate`. */
export function label(secret: Pick<OpenedSecret, 'name' | 'field'>): string {
  return secret.field === undefined ? secret.name : `${secret.name}#${secret.field}`;
}

/** The last segment of a secret's name. */
export function baseName(secret: OpenedSecret): string {
  return secret.name.slice(secret.name.lastIndexOf('/') + 1);
}
