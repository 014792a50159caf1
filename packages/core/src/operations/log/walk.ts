/** Walking over the whole log as it lies in the store: every leaf with what it says and the files that it names. */
import * as v from 'valibot';
import { entryBody, objectPath, parseEntry, type Entry } from '../../audit/entry.js';
import { CHECKPOINT_PATH, readCheckpoint } from '../../audit/checkpoint.js';
import { PAGE_SIZE, pagePath, pageStart } from '../../audit/page.js';
import { nothingKnown, type LoadedLog } from '../../engine/load.js';
import { MissingFile, readNewLeaves } from '../../engine/pages.js';
import { isVaultError, type ErrorCode, othersWereWriting } from '../../errors.js';
import { releasePath } from '../../handover/release.js';
import { isOp, parseBody, type OpBody } from '../../ops.js';
import { policyPath } from '../../policy/policy.js';
import { grantPath } from '../../policy/roles.js';
import type { Store } from '../../ports.js';
import { ciphertextPath, sharePath, Statement } from '../../seal/statement.js';
import type { VaultState } from '../../state.js';
import type { BlobRef } from '../../wire.js';
import type { Vault } from '../../vault.js';

/** A file that an entry names. */
export interface NamedFile {
  readonly path: string;
  /** Undefined for a policy file whose size no entry says. */
  readonly size: number | undefined;
  readonly sha256: string;
  /** What it is, in words: "the grant of platform to carol". */
  readonly what: string;
}

export interface WalkedLeaf {
  readonly leaf: number;
  /** Leaf data. */
  readonly data: Uint8Array;
  /** Undefined when it is no entry at all. */
  readonly entry?: Entry;
  /** Undefined when this release does not know its op, or it does not follow its schema. */
  readonly parsed?: OpBody;
  /** Why it is void, where it is. */
  readonly refused?: { readonly code: ErrorCode; readonly message: string };
  readonly files: readonly NamedFile[];
}

/**
 * All leaves up to the checkpoint that the vault has accepted, in order. `voids`: what is void, where the vault's own state is not to
 * be believed. Throws RACE_LOST when writers never pause.
 */
export async function walkLog(vault: Vault, voids?: VaultState['voids']): Promise<WalkedLeaf[]> {
  return walkLines(vault.store, await allLines(vault), voids ?? vault.state.voids);
}

/** The same of a log that was loaded from `store` and need not be anybody's vault yet. Throws MissingFile where the store has moved on. */
export async function walkLoaded(store: Store, { checkpoint, log }: LoadedLog): Promise<WalkedLeaf[]> {
  return walkLines(store, (await readNewLeaves(store, checkpoint, nothingKnown)).lines, log.state.voids);
}

async function walkLines(store: Store, lines: readonly Uint8Array[], voids: VaultState['voids']): Promise<WalkedLeaf[]> {
  const walked: WalkedLeaf[] = [];
  for (const [leaf, data] of lines.entries()) {
    const refused = voids.get(String(leaf));
    walked.push({ leaf, data, ...(refused ? { refused } : {}), ...(await readLeaf(data, (path) => store.get(path))) });
  }
  return walked;
}

/** The last page may be replaced between two reads: then the vault is brought up to date and read again. */
async function allLines(vault: Vault): Promise<readonly Uint8Array[]> {
  for (let attempt = 1; attempt <= 5; attempt++) {
    try {
      return (await readNewLeaves(vault.store, readCheckpoint(vault.checkpointBytes), nothingKnown)).lines;
    } catch (error) {
      if (!(error instanceof MissingFile)) throw error;
      await vault.refresh();
    }
  }
  throw othersWereWriting();
}

/** What leaf data says, and the files that it names. `get` finds its object, where it has one. */
export async function readLeaf(data: Uint8Array, get: (path: string) => Promise<Uint8Array | undefined>): Promise<Pick<WalkedLeaf, 'entry' | 'parsed' | 'files'>> {
  let entry: Entry;
  try {
    entry = parseEntry(data);
  } catch (error) {
    if (isVaultError(error)) return { files: [] };
    throw error;
  }
  const object = 'object' in entry.payload ? entry.payload.object : undefined;
  const own: NamedFile[] = object ? [{ path: objectPath(object.sha256), ...object, what: 'the body of an entry' }] : [];
  const bytes = object && (await get(objectPath(object.sha256)));
  const { op } = entry.payload;
  try {
    const parsed = isOp(op) ? parseBody(op, entryBody(entry, () => bytes)) : undefined;
    return parsed ? { entry, parsed, files: [...own, ...filesOf(parsed, entry.payload.actor.person)] } : { entry, files: own };
  } catch (error) {
    if (isVaultError(error)) return { entry, files: own };
    throw error;
  }
}

/** The files that an entry of `actor` with this body names. */
export function filesOf({ op, body }: OpBody, actor: string): NamedFile[] {
  switch (op) {
    case 'vault.init':
      return [policyFile(1, body.policy)];
    case 'policy.propose':
      return [policyFile(body.number, body.digest)];
    case 'role.grant': {
      const { role, epoch, person, blob } = body;
      return [{ path: grantPath(role, epoch, person, blob.sha256), ...blob, what: `the grant of ${role}, epoch ${epoch}, to ${person}` }];
    }
    case 'secret.seal':
      return statementFiles(body.statement);
    case 'custody.share': {
      const { name, version, blob } = body;
      return [{ path: sharePath(name, version, actor, blob.sha256), ...blob, what: `the share of ${name} v${version} of ${actor}` }];
    }
    case 'handover.release':
      return [...body.shares, ...body.keys].map(({ blob }) => ({ path: releasePath(body.request, actor, blob.sha256), ...blob, what: `what ${actor} released for handover ${body.request.slice(0, 8)}` }));
    case 'handover.complete':
      return body.targets.flatMap((target) => (v.is(Statement, target.new) ? statementFiles(target.new) : []));
    default:
      // What ops of a later release name, this one cannot know: garbage.ts then leaves it alone.
      return [];
  }
}

function policyFile(number: number, digest: string): NamedFile {
  return { path: policyPath(number, digest), sha256: digest, size: undefined, what: `policy ${number}` };
}

function statementFiles(statement: Statement): NamedFile[] {
  const { name, version } = statement;
  const label = `${name} v${version}`;
  const shares = 'custody' in statement ? statement.custody.leaves : [];
  const share = ({ person, blob }: { person: string; blob: BlobRef }): NamedFile => ({
    path: sharePath(name, version, person, blob.sha256),
    ...blob,
    what: `the share of ${label} of ${person}`,
  });
  const { sha256, size } = statement.ciphertext;
  return [{ path: ciphertextPath(statement), sha256, size, what: label }, ...shares.map(share)];
}

/** The checkpoint and every page of the log as accepted. */
export function logPaths(vault: Vault): string[] {
  return [CHECKPOINT_PATH, ...pagesOf({ checkpoint: readCheckpoint(vault.checkpointBytes), log: vault.log }).map(({ path }) => path)];
}

/** Every page of a log. */
export function pagesOf({ checkpoint: { size, page }, log }: LoadedLog): NamedFile[] {
  const last = pageStart(size - 1);
  const digests = new Map([...log.pages.map((digest, i) => [i * PAGE_SIZE, digest] as const), [last, page]]);
  return [...digests].map(([first, sha256]) => ({ path: pagePath(first, sha256), sha256, size: undefined, what: `the page of the log from entry ${first}` }));
}
