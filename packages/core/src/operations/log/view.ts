/** The log as people read it: one entry, one line. */
import type { SignedEntry } from '../../audit/entry.js';
import type { OpBody } from '../../ops.js';
import { parseCard } from '../../policy/card.js';
import { isVaultError, type ErrorCode } from '../../errors.js';
import { ENDED } from '../../seal/standing.js';
import type { Vault } from '../../vault.js';
import { handoverWords } from '../handover/words.js';
import { readLeaf, walkLog, type WalkedLeaf } from './walk.js';

export interface LogLine {
  readonly leaf: number;
  /** Entry digest; undefined for a leaf that is no entry. */
  readonly digest?: string;
  /** Claimed, whole seconds. */
  readonly time?: number;
  readonly person?: string;
  readonly device?: string;
  readonly op?: string;
  /** In words: what was done to what. */
  readonly words: string;
  /** Secrets that it is about. */
  readonly secrets: readonly string[];
  /** Why it has no effect. */
  readonly void?: { readonly code: ErrorCode; readonly message: string };
}

export async function readLog(vault: Vault): Promise<LogLine[]> {
  return (await walkLog(vault)).map((leaf) => line(vault, leaf));
}

/** What an entry says that is in no log yet, or in none any more. */
export async function entryInWords(vault: Vault, entry: SignedEntry): Promise<string> {
  return line(vault, { leaf: 0, data: entry.line, ...(await readLeaf(entry.line, async () => entry.object?.bytes)) }).words;
}

function line(vault: Vault, { leaf, entry, parsed, refused }: WalkedLeaf): LogLine {
  const why = refused ? { void: refused } : {};
  if (!entry) return { leaf, words: 'no entry', secrets: [], ...why };
  const { op, actor, time } = entry.payload;
  const { words, secrets = [] } = parsed ? describe(vault, parsed) : { words: op };
  return { leaf, digest: entry.digest, time, person: actor.person, device: actor.device, op, words, secrets, ...why };
}

interface Words {
  readonly words: string;
  readonly secrets?: readonly string[];
}

function describe(vault: Vault, { op, body }: OpBody): Words {
  switch (op) {
    case 'vault.init':
      return { words: 'made the vault' };
    case 'policy.propose':
      return { words: `proposed policy ${body.number} (${body.digest.slice(0, 8)})` };
    case 'policy.sign':
      return { words: `signed policy ${body.digest.slice(0, 8)}` };
    case 'policy.withdraw':
      return { words: `withdrew policy ${body.digest.slice(0, 8)}` };
    case 'device.add':
      return { words: `added device ${cardDevice(body.card)}` };
    case 'device.remove':
      return { words: `removed device with key ${body.key.slice(0, 8)}` };
    case 'role.epoch':
      return { words: `made ${body.provisional ? 'a provisional key' : 'the key'} of role ${body.role}, epoch ${body.epoch}` };
    case 'role.grant':
      return { words: `granted role ${body.role}, epoch ${body.epoch}, to ${body.person}` };
    case 'secret.seal': {
      const { statement } = body;
      const to = 'custody' in statement ? `custody ${statement.custody.group}` : statement.readers.map((r) => r.role).join(', ');
      const how = { generated: 'sealed', imported: 'sealed (imported)', reseal: 'resealed' }[statement.origin.how];
      return { words: `${how} ${statement.name} v${statement.version}, ${statement.kind}, to ${to}`, secrets: [statement.name] };
    }
    case 'secret.open': {
      const offline = body.online ? '' : ', offline';
      if ('scope' in body) return { words: `began a session that may open ${body.scope.join(', ')} (${body.purpose}${offline})` };
      if ('session' in body && body.statements.length === 0) return { words: 'ended a session that opened nothing' };
      return about(vault, 'session' in body ? 'ended a session that opened' : 'opened', body.statements, ` (${body.purpose}${offline})`);
    }
    case 'secret.standing': {
      const { machine, scope, notAfter } = body;
      if (scope.length === 0) return { words: `ended the standing access of ${machine}` };
      if (notAfter === ENDED) return { words: `ended the standing access of ${machine} to ${scope.join(', ')}` };
      return { words: `gave ${machine} standing access to ${scope.join(', ')} until ${new Date(notAfter * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC` };
    }
    case 'secret.retire':
      return about(vault, 'retired', [body.statement]);
    case 'custody.ack':
      return about(vault, 'acknowledged a share of', [body.statement]);
    case 'custody.check':
      return about(vault, body.ok ? 'checked a share of' : 'could not open a share of', [body.statement]);
    case 'custody.share':
      return { words: `sealed a share of ${body.name} v${body.version} to present devices`, secrets: [body.name] };
    default:
      return handoverWords(vault, { op, body } as OpBody) ?? { words: op };
  }
}

/** `opened dns/tsig v2, pki/root v1` and the names, of statements by their digests. */
function about(vault: Vault, verb: string, digests: readonly string[], rest = ''): Words {
  const found = digests.map((digest) => ({ digest, at: vault.state.secrets.statements.get(digest) }));
  const labels = found.map(({ digest, at }) => (at ? `${at.name} v${at.version}` : `an unknown version (${digest.slice(0, 8)})`));
  return { words: `${verb} ${labels.join(', ')}${rest}`, secrets: [...new Set(found.flatMap(({ at }) => (at ? [at.name] : [])))] };
}

function cardDevice(card: string): string {
  try {
    return parseCard(card).device;
  } catch (error) {
    if (isVaultError(error)) return 'with an unreadable card';
    throw error;
  }
}
