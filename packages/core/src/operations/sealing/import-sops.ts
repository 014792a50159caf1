/** What an opened SOPS file becomes in a vault: one secret, or one for each of its values. The rest is the work of a seal plan. */
import { VaultError } from '../../errors.js';
import { decodeUtf8 } from '../../material/fields.js';
import { isMaterialKind } from '../../material/kinds.js';
import { materialKind } from '../../material/registry.js';
import { placeWords, type SopsDepth, type SopsPiece } from '../../material/sops/model.js';
import type { OpenedSops } from '../../material/sops/open.js';
import { newestOf } from '../../seal/state.js';
import type { Vault } from '../../vault.js';
import { isSecretName } from '../../wire.js';
import type { ImportPort } from './import-value.js';
import type { WantedSecret } from './plan.js';

/** The whole file as one secret, or each value at the top, or each below, as one under a prefix. */
export type SopsTarget =
  | { readonly name: string; readonly kind?: string }
  | { readonly prefix: string; readonly depth: SopsDepth };

export interface SopsImport {
  readonly secrets: readonly WantedSecret[];
  /** Gives `planSeal` the values. They stay in memory. */
  readonly port: ImportPort;
  /** Places that hold null or empty text, so that there is nothing to seal. */
  readonly empty: readonly string[];
  /** Forgets the values. */
  wipe(): void;
}

interface Named {
  readonly name: string;
  readonly kind: string;
  /** Where the value stands in the file, for people. */
  readonly place: string;
  readonly bytes: Uint8Array;
}

/** `file` is its name, for messages. Throws BAD_NAME, BAD_VALUE for a kind, USAGE for two values that would get one name. */
export async function sopsImport(vault: Vault, opened: OpenedSops, file: string, target: SopsTarget): Promise<SopsImport> {
  const { named, empty } = 'name' in target ? { named: [wholeFile(opened, file, target)], empty: [] } : splitFile(opened, file, target);
  const values = new Map(named.map(({ place, bytes }) => [place, bytes]));
  const secrets: WantedSecret[] = [];
  for (const each of named) secrets.push(await wanted(vault, each));
  return {
    secrets,
    // A copy: planning overwrites what it was given.
    port: { env: () => undefined, stdin: async () => undefined, file: async (place) => values.get(place)?.slice() },
    empty,
    wipe: () => values.forEach((bytes) => bytes.fill(0)),
  };
}

function wholeFile({ bytes }: OpenedSops, file: string, { name, kind }: { name: string; kind?: string }): Named {
  if (!isSecretName(name)) throw badName(`${JSON.stringify(name.slice(0, 80))} cannot name a secret`);
  return { name, kind: kind ?? '', place: file, bytes };
}

function splitFile(opened: OpenedSops, file: string, { prefix, depth }: { prefix: string; depth: SopsDepth }): { named: Named[]; empty: string[] } {
  if (opened.type === 'binary') throw new VaultError('USAGE', `${file} is a single value: there is nothing to split`);
  const named: Named[] = [];
  const empty: string[] = [];
  for (const piece of opened.pieces(depth)) {
    const place = `${file}#${placeWords(piece.path)}`;
    if (!piece.bytes) {
      empty.push(place);
      continue;
    }
    const name = [prefix, ...piece.path.map(segment)].join('/');
    if (!isSecretName(name)) throw badName(`${place} makes no name for a secret`);
    const other = named.find((earlier) => earlier.name === name);
    if (other) {
      throw new VaultError('USAGE', `${other.place} and ${place} would both be called ${name}`, {
        hint: 'Take the file in whole, or rename one of them with sops first.',
      });
    }
    named.push({ name, kind: kindOf(piece), place, bytes: piece.bytes });
  }
  if (named.length === 0) throw new VaultError('BAD_MATERIAL', `${file} holds no value`);
  return { named, empty };
}

/** `DB_PASSWORD` -> `db_password`, `api key` -> `api-key`; what begins with no letter, as the items of lists, gets an n: `n0`. */
function segment(part: string | number): string {
  const word = String(part).toLowerCase().replace(/[^a-z0-9._-]+/g, '-').replace(/\.{2,}/g, '.').replace(/^[-._]+|-+$/g, '');
  return /^[a-z]/.test(word) ? word : `n${word}`;
}

/** One line of text is a password; everything else is a document. */
function kindOf({ scalar, bytes }: SopsPiece): string {
  const text = decodeUtf8(bytes!);
  return scalar && text !== undefined && !/\p{Cc}/u.test(text) ? 'password' : 'document';
}

/** A secret that exists keeps its kind, as with `seal`. */
async function wanted(vault: Vault, { name, kind: asked, place }: Named): Promise<WantedSecret> {
  const before = newestOf(vault.state.secrets, name)?.statement;
  const kindName = asked === '' ? (before?.kind ?? 'document') : asked;
  if (!isMaterialKind(kindName)) throw new VaultError('BAD_VALUE', 'there is no such kind of material');
  const kind = await materialKind(kindName);
  return { name, kind: kindName, parameters: kind.parameters(before?.kind === kindName ? before.parameters : {}, 'import'), import: { from: 'file', path: place } };
}

function badName(fault: string): VaultError {
  return new VaultError('BAD_NAME', fault, { hint: 'Segments of a-z 0-9 . _ - that begin with a letter, joined by "/".' });
}
