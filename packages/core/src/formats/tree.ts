/** A set of files below one directory. */
import { VaultError } from '../errors.js';
import { compareText } from '../primitives/compare.js';
import { isSecretName } from '../wire.js';
import { label, type OpenedSecret, type RenderedFile } from './format.js';
import { pieces } from './layout.js';
import { collision } from './names.js';

export const PRIVATE = 0o600;
const PUBLIC = 0o644;

/** A file and the name of the secret it comes from, for messages. */
export interface Leaf extends RenderedFile {
  readonly from: string;
}

/** The name as a relative path. The vault admits only safe names, but a path on this machine is not left to that. */
export function safePath(name: string): string {
  if (isSecretName(name)) return name;
  throw new VaultError('BAD_NAME', `${JSON.stringify(name)} is no secret's name, so no file is written for it`);
}

/** Every piece of every secret (layout.ts) as a file named after the secret. */
export async function fileTree(secrets: readonly OpenedSecret[]): Promise<RenderedFile[]> {
  const leaves = await Promise.all(
    secrets.map(async (secret) => {
      const base = safePath(secret.name);
      return (await pieces(secret)).map(
        (piece): Leaf => ({ path: base + piece.extension, bytes: piece.bytes, mode: piece.private ? PRIVATE : PUBLIC, from: label(secret) }),
      );
    }),
  );
  return assemble(leaves.flat());
}

/** The files in the order of their paths. Refuses two of one path, and a file where another needs a directory. */
export function assemble(leaves: readonly Leaf[]): RenderedFile[] {
  const tree = new Map<string, Leaf>();
  for (const leaf of leaves) {
    const other = tree.get(leaf.path);
    if (other !== undefined) throw collision(other.from, leaf.from, leaf.path);
    tree.set(leaf.path, leaf);
  }
  for (const { path, from } of leaves) {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const above = tree.get(path.slice(0, slash));
      if (above !== undefined) throw collision(above.from, `the directory of ${from}`, above.path);
    }
  }
  return [...tree.values()]
    .map(({ path, bytes, mode }) => ({ path, bytes, ...(mode === undefined ? {} : { mode }) }))
    .sort((a, b) => compareText(a.path, b.path));
}
