/**
 * What an agent signs for its person: what is done every day, within its scope. It is given bodies and never bytes, and appends by itself:
 * so no signature of this person leaves it that stands for anything else, and no checkpoint at all.
 */
import { VaultError } from '../errors.js';
import type { Act, Acts, NewFile } from '../engine/append.js';
import { filesOf } from '../operations/log/walk.js';
import type { Session } from '../operations/opening/session.js';
import { isOp, parseBody, type OpBody } from '../ops.js';
import { sha256Hex } from '../primitives/hash.js';
import type { Json } from '../wire.js';

/**
 * Each adds something that its readers can look at and its owners can supersede. Whatever gives others access, decides for others or outlasts
 * the session with a power of its own (policy, devices, grants, standing access, requests, consents, releases, acknowledged shares) is left out.
 */
const SIGNED = ['secret.seal', 'secret.retire', 'handover.offer'] as const;
type SignedBody = Extract<OpBody, { op: (typeof SIGNED)[number] }>;

/** The acts as their closed schemas read them. Throws NOT_ALLOWED, USAGE, VERSION_NOT_FOUND, BLOB_MISSING, HASH_MISMATCH; whether the log takes them is judged by appending. */
export function judgeActs(session: Session, { acts, files }: Acts): Acts {
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
  const parsed = isOp(op) ? parseBody(op, body as Json) : undefined;
  if (!parsed || !isSigned(parsed.op)) throw new VaultError('USAGE', `this is no body of ${op}`);
  return parsed as SignedBody;
}

function isSigned(op: string): op is SignedBody['op'] {
  return (SIGNED as readonly string[]).includes(op);
}

/** The secrets that an act is about. */
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
      return act.body.targets.map(named);
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
