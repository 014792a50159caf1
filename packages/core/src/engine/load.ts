/** Loading: checkpoint, pages, files, fold, signer, pin. Only what is new since the last accepted checkpoint is verified again. */
import { parseEntry, entryBody, objectPath, type Entry } from '../audit/entry.js';
import { checkpointSignedBy, CHECKPOINT_PATH, claimedSigners, readCheckpoint, type LogPoint, type VaultCheckpoint } from '../audit/checkpoint.js';
import { pagePath, PAGE_SIZE, pageStart } from '../audit/page.js';
import { isVaultError, VaultError, type ErrorCode } from '../errors.js';
import { OPS } from '../ops.js';
import type { PolicyPropose, VaultInit } from '../policy/ops.js';
import { policyFormat, POLICY_FORMAT, policyPath } from '../policy/policy.js';
import type { PolicyState } from '../policy/state.js';
import type { Store } from '../ports.js';
import { CompactRange } from '../primitives/compact-range.js';
import { sha256Hex, toHex } from '../primitives/hash.js';
import { leafHash } from '../primitives/merkle-hash.js';
import { emptyState, step, type VaultState } from '../state.js';
import { MissingPage, readNewLeaves } from './pages.js';
import type { Stray, VerifiedLog } from './state-cache.js';

const ROOT_PREFIX = 16;
/** A reader that is always too slow for the writers gives up in the end, after a second or so. */
const ATTEMPTS = 40;

export const nothingKnown: VerifiedLog = {
  accepted: '',
  state: emptyState,
  tree: CompactRange.empty,
  pages: [],
  partial: [],
  files: [],
  policyFiles: new Map(),
  policies: [],
  roots: CompactRange.empty.root().slice(0, ROOT_PREFIX),
  strays: [],
};

export interface LoadedLog {
  readonly checkpoint: VaultCheckpoint;
  readonly log: VerifiedLog;
}

/** What a load must agree with beside `known`: points of the log that somebody vouched for. */
export interface Vouched extends LogPoint {
  /** Whose word it is, for the message: "this machine", "--expect". */
  readonly by: string;
}

/**
 * Reads and verifies the log of a store. Throws VAULT_NOT_FOUND, BAD_CHECKPOINT, STORE_INCOMPLETE, ROLLBACK, FORK,
 * UPGRADE_REQUIRED. A writer may replace the last page between two reads here; then it starts again from the checkpoint.
 */
export async function loadLog(store: Store, knownOf: (vault: string) => Promise<{ known: VerifiedLog; vouched: readonly Vouched[] }>): Promise<LoadedLog> {
  for (let attempt = 1; ; attempt++) {
    const bytes = await store.get(CHECKPOINT_PATH);
    if (!bytes) throw new VaultError('VAULT_NOT_FOUND', `there is no vault at ${store.address}`, { hint: 'To make one: oxp-vault init' });
    const checkpoint = readCheckpoint(bytes);
    const { known, vouched } = await knownOf(checkpoint.vault);
    try {
      return { checkpoint, log: await verified(store, checkpoint, known, vouched) };
    } catch (error) {
      if (!(error instanceof MissingPage)) throw error;
      const moved = (await store.get(CHECKPOINT_PATH)) ?? new Uint8Array();
      if (sha256Hex(moved) === sha256Hex(bytes)) throw incomplete(error.path);
      if (attempt >= ATTEMPTS) throw new VaultError('RACE_LOST', 'others were writing all the time', { hint: 'Try again.' });
      await new Promise((resolve) => setTimeout(resolve, attempt));
    }
  }
}

/**
 * `extend`, and where that fails a second look from nothing. Without it a damaged cache would blame the vault, and a tip that
 * anybody with push rights can make up would be called another history, which only people enrolled in the vault can write.
 */
async function verified(store: Store, checkpoint: VaultCheckpoint, known: VerifiedLog, vouched: readonly Vouched[]): Promise<VerifiedLog> {
  try {
    return await extend(store, checkpoint, known, vouched);
  } catch (error) {
    if (!isVaultError(error) || !SECOND_LOOK.has(error.code)) throw error;
    const alone = await extend(store, checkpoint, nothingKnown, []);
    const contradicted = vouched.find((point) => !rootWas(alone.roots, point));
    if (contradicted) throw forked(checkpoint, contradicted);
    return alone;
  }
}

const SECOND_LOOK: ReadonlySet<ErrorCode> = new Set(['FORK', 'BAD_CHECKPOINT', 'STORE_INCOMPLETE', 'WRONG_VAULT']);

async function extend(store: Store, checkpoint: VaultCheckpoint, before: VerifiedLog, vouched: readonly Vouched[]): Promise<VerifiedLog> {
  // What is known saves work only below a longer log, or under the very checkpoint that it was verified with. Another one of the
  // same size may bear no signature and name another last page, which the next writer would build upon.
  const same = before.accepted === sha256Hex(checkpoint.bytes);
  const known = checkpoint.size > before.state.size || same ? before : nothingKnown;
  for (const point of vouched) {
    if (checkpoint.size < point.size) throw rollback(checkpoint, point);
    if (point.size <= known.state.size && !rootWas(known.roots, point)) throw forked(checkpoint, point);
  }
  const log = checkpoint.size > known.state.size ? await fold(store, checkpoint, known, vouched) : known;
  await requireComplete(store, checkpoint, log);
  if (log.state.policy?.upgrade) throw upgradeRequired(log.state.policy.upgrade.format);
  return log;
}

async function fold(store: Store, checkpoint: VaultCheckpoint, known: VerifiedLog, vouched: readonly Vouched[]): Promise<VerifiedLog> {
  const { lines, pages, partial } = await readNewLeaves(store, checkpoint, known);
  const files = new Set(known.files);
  const policyFiles = new Map(known.policyFiles);
  const policies = [...known.policies];
  const authentic: boolean[] = [];
  const roots: Uint8Array[] = [known.roots];
  const strays: Stray[] = [...known.strays];
  let { state, tree } = known;
  let before = state;
  for (const data of lines) {
    const named = await namedFiles(store, data, state, policyFiles);
    before = state;
    const next = step(state, { data, file: (sha256) => named.bySha256.get(sha256) });
    state = next.state;
    authentic.push(next.authentic);
    if (before.size === 0 && !state.policy) refuseNewerFormat(checkpoint.vault, named.bySha256);
    if (state.policy && state.policy.digest !== before.policy?.digest) policies.push({ digest: state.policy.digest, leaf: before.size });
    for (const path of named.paths) files.add(path);
    tree = tree.append(leafHash(data));
    roots.push(tree.root().slice(0, ROOT_PREFIX));
    const point = vouched.find((p) => p.size === state.size && p.root !== toHex(tree.root()));
    if (point) throw forked(checkpoint, point);
    if (state.policy?.upgrade) break;
  }
  const allRoots = Buffer.concat(roots);
  for (const [i, data] of lines.entries()) {
    // What is not truly the claimed signer's says nothing about that person.
    const stray = authentic[i] ? strayOf(data, known.state.size + i, allRoots, policies) : undefined;
    if (stray) strays.push(stray);
  }
  if (state.policy?.upgrade === undefined) {
    if (toHex(tree.root()) !== checkpoint.root) {
      throw new VaultError('BAD_CHECKPOINT', 'the pages of the log do not have the root that its checkpoint names', { hint: 'Put the last good state back: oxp-vault sync --restore' });
    }
    if (![before, state].some((s) => signedByEnrolled(checkpoint, s))) {
      throw new VaultError('BAD_CHECKPOINT', 'the checkpoint is not signed by anybody enrolled in this vault', { hint: 'Put the last good state back: oxp-vault sync --restore' });
    }
    if (state.policy?.vault !== checkpoint.vault) throw new VaultError('WRONG_VAULT', `the checkpoint names vault ${checkpoint.vault.slice(0, 8)}, and the log is another`);
  }
  return { accepted: sha256Hex(checkpoint.bytes), state, tree, pages, partial, files: [...files].sort(), policyFiles, policies, roots: allRoots, strays };
}

function signedByEnrolled(checkpoint: VaultCheckpoint, state: VaultState): boolean {
  return claimedSigners(checkpoint).some(({ person, device }) =>
    (state.policy?.people.get(person)?.devices ?? []).some((d) => d.device === device && checkpointSignedBy(checkpoint, { person, device }, d.publicKey)),
  );
}

/** A vault of a format that this release does not know has no policy here at all, and deserves a better word than "forged". */
function refuseNewerFormat(vault: string, files: ReadonlyMap<string, Uint8Array>): void {
  const first = files.get(vault);
  const format = first && policyFormat(first);
  if (format !== undefined && format > POLICY_FORMAT) throw upgradeRequired(format);
}

/**
 * The policy files and objects that an entry names. Those of an entry that does not parse are nobody's concern: it is void. A file
 * that is not what was signed counts as missing: were its leaf void instead, whoever can write to the store would decide what counts.
 */
async function namedFiles(store: Store, data: Uint8Array, state: VaultState, policyFiles: Map<string, string>): Promise<{ paths: string[]; bySha256: Map<string, Uint8Array> }> {
  const paths: string[] = [];
  const bySha256 = new Map<string, Uint8Array>();
  const need = async (path: string, sha256: string): Promise<void> => {
    const bytes = await store.get(path);
    if (!bytes || sha256Hex(bytes) !== sha256) throw new MissingPage(path);
    paths.push(path);
    bySha256.set(sha256, bytes);
  };
  let entry: Entry;
  try {
    entry = parseEntry(data);
  } catch (error) {
    if (isVaultError(error)) return { paths, bySha256 };
    throw error;
  }
  if ('object' in entry.payload) await need(objectPath(entry.payload.object.sha256), entry.payload.object.sha256);
  const policy = namedPolicy(entry, bySha256, state.policy);
  if (policy) {
    const { path, sha256 } = policy;
    const first = policyFiles.get(path) ?? sha256;
    // Paths hold eight digits of the digest, which an insider can make collide. The store keeps one file a path, so the later
    // proposal goes without its file and is void: else nobody could ever load both.
    if (first === sha256) {
      policyFiles.set(path, sha256);
      await need(path, sha256);
    }
  }
  return { paths, bySha256 };
}

/** The policy file without which an entry cannot be judged; undefined where it is refused anyway, or needs none. */
function namedPolicy(entry: Entry, objects: Map<string, Uint8Array>, policy: PolicyState | undefined): { path: string; sha256: string } | undefined {
  const { op } = entry.payload;
  if (op !== 'vault.init' && op !== 'policy.propose') return undefined;
  let body: object | undefined;
  try {
    body = OPS[op]?.parse(entryBody(entry, (sha256) => objects.get(sha256)));
  } catch (error) {
    if (isVaultError(error)) return undefined;
    throw error;
  }
  if (body === undefined) return undefined;
  const named = (number: number, sha256: string): { path: string; sha256: string } => ({ path: policyPath(number, sha256), sha256 });
  if (op === 'vault.init') return policy ? undefined : named(1, (body as VaultInit).policy);
  const { number, digest, previous } = body as PolicyPropose;
  return policy && number === policy.policy.number + 1 && previous === policy.digest ? named(number, digest) : undefined;
}

function strayOf(data: Uint8Array, leaf: number, roots: Uint8Array, policies: VerifiedLog['policies']): Stray | undefined {
  let entry: Entry;
  try {
    entry = parseEntry(data);
  } catch (error) {
    if (isVaultError(error)) return undefined;
    throw error;
  }
  const { seen, policy, actor } = entry.payload;
  const claimed = policies[policy.number - 1];
  const wasInEffect = claimed !== undefined && claimed.digest === policy.digest && claimed.leaf <= leaf;
  return seen.size <= leaf && rootWas(roots, seen) && wasInEffect ? undefined : { leaf, person: actor.person, seen, policy };
}

/** True when the log had this root at this size, as far as `roots` tells. */
function rootWas(roots: Uint8Array, point: LogPoint): boolean {
  const at = point.size * ROOT_PREFIX;
  return toHex(roots.subarray(at, at + ROOT_PREFIX)) === point.root.slice(0, 2 * ROOT_PREFIX);
}

/** A checkpoint counts only while everything that it stands on is there (design: "part of the log"). */
async function requireComplete(store: Store, checkpoint: VaultCheckpoint, log: VerifiedLog): Promise<void> {
  const there = new Set([...(await store.list('log/')), ...(await store.list('policy/')), ...(await store.list('objects/'))]);
  for (const [i, digest] of log.pages.entries()) {
    const path = pagePath(i * PAGE_SIZE, digest);
    if (!there.has(path)) throw new MissingPage(path);
  }
  const last = pagePath(pageStart(checkpoint.size - 1), checkpoint.page);
  for (const path of [last, ...log.files]) if (!there.has(path)) throw new MissingPage(path);
}

function upgradeRequired(format: number): VaultError {
  return new VaultError('UPGRADE_REQUIRED', `this vault has moved on to policy format ${format}, which this release does not know`, { hint: 'Install a newer oxp-vault.' });
}

function incomplete(path: string): VaultError {
  return new VaultError('STORE_INCOMPLETE', `${path} is missing, or not what was signed: this state of the vault is not accepted`, {
    hint: 'Put the last good state back from a machine that has it: oxp-vault sync --restore',
  });
}

function rollback(checkpoint: VaultCheckpoint, point: Vouched): VaultError {
  return new VaultError('ROLLBACK', `this vault is older than what ${point.by === 'this machine' ? 'this machine has already seen' : `${point.by} names`}`, {
    details: [
      `seen   ${point.size} entries, root ${point.root.slice(0, 8)}`,
      `here   ${checkpoint.size} entries, root ${checkpoint.root.slice(0, 8)}`,
      'A restored backup shows this, and so does someone hiding a change. Ask who set it back.',
    ],
    hint: 'If it was a backup, a machine that has the missing entries puts them back: oxp-vault sync --restore',
  });
}

function forked(checkpoint: VaultCheckpoint, point: Vouched): VaultError {
  return new VaultError('FORK', `this is another history of the vault than the one that ${point.by} knows`, {
    details: [`known  ${point.size} entries, root ${point.root.slice(0, 8)}`, `here   ${checkpoint.size} entries, root ${checkpoint.root.slice(0, 8)}`],
    hint: 'Two histories of one vault exist. Compare `oxp-vault status` with a colleague before you go on.',
  });
}
