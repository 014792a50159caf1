/** What `open` shows: secrets or single fields of them in one output format. Everything that can be refused is, before decryption. */
import type { FileSource } from '../../deputy.js';
import { VaultError } from '../../errors.js';
import { checkRenderable, outputFormat, type FormatOptions, type OpenedSecret } from '../../formats/index.js';
import { materialKind } from '../../material/registry.js';
import { newestOf, versionsOf, type SecretVersion } from '../../seal/state.js';
import { Secret } from '../../secret.js';
import { isSecretName } from '../../wire.js';
import type { Vault } from '../../vault.js';
import { findVersion, type OpenRequest, openSecrets } from './open.js';

/** One thing to open: a secret, or `field` of it, at its newest version unless one is named. */
export interface View {
  readonly name: string;
  readonly field?: string;
  readonly version?: number;
}

/** `NAME` or `NAME#FIELD`. Throws BAD_NAME. */
export function parseView(text: string): View {
  const [name, field, ...more] = text.split('#');
  if (name === undefined || !isSecretName(name) || more.length > 0 || field === '') {
    throw new VaultError('BAD_NAME', 'this is no name of a secret: segments of a-z, 0-9, . _ - joined by /, then perhaps #FIELD', {
      hint: misreading(name ?? ''),
    });
  }
  return field === undefined ? { name } : { name, field };
}

/** What was meant by NAME@3 and by NAME/, which other commands take. */
function misreading(text: string): string {
  const [, name = '', version] = /^(.*)@v?([1-9][0-9]{0,8})$/.exec(text) ?? [];
  if (isSecretName(name)) return `To open that version: oxp-vault open ${name} --at ${version}`;
  const path = text.replace(/\/$/, '');
  return isSecretName(path) ? `To see what lies there: oxp-vault list ${text}` : 'See what there is: oxp-vault list';
}

export interface OpeningItem {
  readonly version: SecretVersion;
  readonly field?: string;
  /** False for a field that is among the signed public parts: it needs no identity and is not recorded. */
  readonly private: boolean;
}

export interface Opening {
  readonly format: string;
  readonly options: FormatOptions;
  readonly items: readonly OpeningItem[];
}

/**
 * Resolves names, fields, versions and the format. Throws SECRET_NOT_FOUND, VERSION_NOT_FOUND, FIELD_NOT_FOUND, PENDING, USAGE,
 * FORMAT_UNSUITABLE, BAD_VALUE. A format that takes all versions (bind) gets every one that is not retired, unless one is named.
 */
export async function planOpening(vault: Vault, views: readonly View[], format: string, options: FormatOptions = {}): Promise<Opening> {
  const { allVersions } = await outputFormat(format);
  const items: OpeningItem[] = [];
  for (const view of views) {
    const versions = allVersions === true && view.version === undefined ? livingVersions(vault, view.name) : [findVersion(vault, view.name, view.version)];
    for (const version of versions) items.push(await itemOf(version, view.field));
  }
  await checkRenderable(format, items.map((item) => describe(vault, item)), options);
  return { format, options, items };
}

/**
 * Opens what is planned, by this person unless `source` does it. Recorded before the promise resolves; where only public parts are
 * asked for, nothing is opened at all.
 */
export async function openViews(vault: Vault, opening: Opening, record: Omit<OpenRequest, 'secrets'> = {}, source: FileSource = (secrets) => openSecrets(vault, { ...record, secrets })): Promise<OpenedSecret[]> {
  const wanted = [...new Map(opening.items.filter((i) => i.private).map((i) => [i.version.digest, i.version])).values()];
  const opened = wanted.length === 0 ? [] : await source(wanted.map(({ statement }) => ({ name: statement.name, version: statement.version })));
  return opening.items.map((item) => {
    const { name, version, parameters, public: publicParts } = item.version.statement;
    const file = item.private ? opened.find((o) => o.name === name && o.version === version)!.file : Secret.take(new Uint8Array());
    return { ...describe(vault, item), file, parameters, public: publicParts };
  });
}

function livingVersions(vault: Vault, name: string): SecretVersion[] {
  const newest = findVersion(vault, name).statement.version;
  return versionsOf(vault.state.secrets, name).filter((ver) => !ver.retired && !ver.pending && ver.statement.version <= newest);
}

async function itemOf(version: SecretVersion, name: string | undefined): Promise<OpeningItem> {
  if (name === undefined) return { version, private: true };
  const { kind, name: secret } = version.statement;
  const { fields } = await materialKind(kind);
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (!field) throw new VaultError('FIELD_NOT_FOUND', `${secret} (${kind}) has no field ${name}`, { hint: `Its fields: ${Object.keys(fields).join(', ')}.` });
  return { version, field: name, private: field.private };
}

function describe(vault: Vault, { version, field }: OpeningItem): Omit<OpenedSecret, 'file' | 'public' | 'parameters'> {
  const { name, kind, version: number } = version.statement;
  const newest = newestOf(vault.state.secrets, name) === version;
  return { name, version: number, kind, newest, retired: version.retired !== undefined, ...(field === undefined ? {} : { field }) };
}
