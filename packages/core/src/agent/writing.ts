/**
 * What an agent signs for its person: what is done every day, within its scope. It is given bodies and never bytes, and appends by itself:
 * so no signature of this person leaves it that stands for anything else, and no checkpoint at all.
 */
import * as v from 'valibot';
import { parseEntry } from '../audit/entry.js';
import type { Act, Acts, NewFile } from '../engine/append.js';
import { isVaultError, VaultError } from '../errors.js';
import { appendOrQueue } from '../operations/copies/append-or-queue.js';
import { drainQueue } from '../operations/copies/drain.js';
import { filesOf } from '../operations/log/walk.js';
import type { Session } from '../operations/opening/session.js';
import { parseBody, type OpBody } from '../ops.js';
import { fromBase64, sha256Hex } from '../primitives/hash.js';
import type { Json } from '../wire.js';
import { type AppendAnswer, AppendRequest, type DrainAnswer, DrainRequest, faultOf, mustMean } from './protocol.js';

/**
 * Each adds something that its readers can look at and its owners can supersede. Whatever gives others access, decides for others or outlasts
 * the session with a power of its own (policy, devices, grants, standing access, requests, consents, releases, acknowledged shares) is left out.
 */
const SIGNED = ['secret.seal', 'secret.retire', 'handover.offer'] as const;
type SignedBody = Extract<OpBody, { op: (typeof SIGNED)[number] }>;

/** Answers POST /v1/append: the entries of these acts in the log, or in the queue. */
export async function appendFor(session: Session, body: unknown): Promise<v.InferInput<typeof AppendAnswer>> {
  const { vault } = session;
  const parsed = v.safeParse(AppendRequest, body);
  if (!parsed.success) throw new VaultError('USAGE', 'the question is no {"vault": "…", "acts": [{"op": "…", "body": {…}}], "files": [{"path": "…", "base64": "…"}], "keep": false}');
  mustMean(vault.id, parsed.output.vault);
  const { acts, keep } = parsed.output;
  const files = parsed.output.files.map(({ path, base64 }) => ({ path, bytes: bytesOf(base64) }));
  await vault.refresh().catch((error: unknown) => {
    // What is to be kept where the store cannot be reached is judged by what is known, and the store is tried once more below.
    if (!keep || !isVaultError(error) || error.class !== 'store') throw error;
  });
  const batch = vault.signed(judgeActs(session, { acts, files }));
  const waits = keep ? await appendOrQueue(vault, batch) : undefined;
  if (!keep) await vault.append(batch);
  return { ...vault.point, digests: batch.entries.map((entry) => parseEntry(entry.line).digest), ...(waits ? { waits: faultOf(waits) } : {}) };
}

/** Answers POST /v1/drain. */
export async function drainFor({ vault }: Session, body: unknown): Promise<v.InferInput<typeof DrainAnswer>> {
  const parsed = v.safeParse(DrainRequest, body);
  if (!parsed.success) throw new VaultError('USAGE', 'the question is no {"vault": "…"}');
  mustMean(vault.id, parsed.output.vault);
  await vault.refresh();
  const { appended, rejected, present } = await drainQueue(vault);
  return { ...vault.point, appended: [...appended], rejected: [...rejected], present };
}

function bytesOf(base64: string): Uint8Array {
  const bytes = fromBase64(base64);
  if (!bytes) throw new VaultError('USAGE', 'a file of the question is no base64');
  return bytes;
}

/** The acts as their closed schemas read them. Throws NOT_ALLOWED, USAGE, VERSION_NOT_FOUND, BLOB_MISSING, HASH_MISMATCH; whether the log takes them is judged by appending. */
function judgeActs(session: Session, { acts, files }: Acts): Acts {
  const bodies = acts.map(bodyOf);
  for (const body of bodies) {
    const outside = namesIn(session, body).find((name) => !session.covers(name));
    if (outside !== undefined) throw new VaultError('NOT_ALLOWED', `${outside} is outside of what this agent may write: ${session.scope.join(', ')}`, { hint: 'Name your identity for it: --identity FILE' });
  }
  mustBeTheirs(session, bodies, files);
  return { acts: bodies, files };
}

function bodyOf({ op, body }: Act): SignedBody {
  if (!isSigned(op)) throw new VaultError('NOT_ALLOWED', `an agent signs ${SIGNED.join(', ')}, and nothing else`, { hint: 'Everything else asks for your identity itself: name it with --identity FILE' });
  const parsed = parseBody(op, body as Json);
  if (!parsed) throw new VaultError('USAGE', `this is no body of ${op}`);
  return parsed as SignedBody;
}

function isSigned(op: string): op is SignedBody['op'] {
  return (SIGNED as readonly string[]).includes(op);
}

/** The secrets, and paths of secrets, that an act is about. */
function namesIn({ vault }: Session, act: SignedBody): string[] {
  const named = (digest: string): string => {
    const statement = vault.state.secrets.statements.get(digest);
    if (!statement) throw new VaultError('VERSION_NOT_FOUND', `this vault has no version ${digest.slice(0, 8)}`);
    return statement.name;
  };
  switch (act.op) {
    case 'secret.seal':
      return [act.body.statement.name];
    case 'secret.retire':
      return [named(act.body.statement)];
    case 'handover.offer':
      return [...act.body.targets.map(named), ...act.body.paths];
  }
}

/** Exactly the files that the acts name: an entry without its file would stop everybody who loads the vault. */
function mustBeTheirs({ vault }: Session, acts: readonly SignedBody[], files: readonly NewFile[]): void {
  const { person } = vault.requireActor();
  const named = acts.flatMap((act) => filesOf(act, person));
  const missing = named.find(({ path }) => !files.some((file) => file.path === path));
  if (missing) throw new VaultError('BLOB_MISSING', `${missing.what} is to be signed, and its file is not given`);
  const strange = files.find(({ path, bytes }) => !named.some((file) => file.path === path && file.size === bytes.length && file.sha256 === sha256Hex(bytes)));
  if (strange) throw new VaultError('HASH_MISMATCH', 'a file is given that is not the one that the acts name');
}
