/** The log as people read it: one entry, one line. */
import type { RoleEpoch, RoleGrant, PolicyPropose, PolicySign, DeviceAdd, DeviceRemove } from '../policy/ops.js';
import { parseCard } from '../policy/card.js';
import type { SecretOpen, SecretRetire, SecretSeal, SecretStanding } from '../seal/ops.js';
import { isVaultError, type ErrorCode } from '../errors.js';
import type { Vault } from '../vault.js';
import { walkLog, type WalkedLeaf } from './log-walk.js';

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

function line(vault: Vault, { leaf, entry, body, refused }: WalkedLeaf): LogLine {
  const why = refused ? { void: refused } : {};
  if (!entry) return { leaf, words: 'no entry', secrets: [], ...why };
  const { op, actor, time } = entry.payload;
  const { words, secrets = [] } = body ? describe(vault, op, body) : { words: op };
  return { leaf, digest: entry.digest, time, person: actor.person, device: actor.device, op, words, secrets, ...why };
}

interface Words {
  readonly words: string;
  readonly secrets?: readonly string[];
}

function describe(vault: Vault, op: string, body: object): Words {
  switch (op) {
    case 'vault.init':
      return { words: 'made the vault' };
    case 'policy.propose':
      return { words: `proposed policy ${(body as PolicyPropose).number} (${(body as PolicyPropose).digest.slice(0, 8)})` };
    case 'policy.sign':
      return { words: `signed policy ${(body as PolicySign).digest.slice(0, 8)}` };
    case 'policy.withdraw':
      return { words: `withdrew policy ${(body as PolicySign).digest.slice(0, 8)}` };
    case 'device.add':
      return { words: `added device ${cardDevice((body as DeviceAdd).card)}` };
    case 'device.remove':
      return { words: `removed device with key ${(body as DeviceRemove).key.slice(0, 8)}` };
    case 'role.epoch': {
      const { role, epoch, provisional } = body as RoleEpoch;
      return { words: `made ${provisional ? 'a provisional key' : 'the key'} of role ${role}, epoch ${epoch}` };
    }
    case 'role.grant': {
      const { role, epoch, person } = body as RoleGrant;
      return { words: `granted role ${role}, epoch ${epoch}, to ${person}` };
    }
    default:
      return op.startsWith('secret.') ? describeSecret(vault, op, body) : { words: op };
  }
}

function describeSecret(vault: Vault, op: string, body: object): Words {
  const { statements } = vault.state.secrets;
  const label = (digest: string): { name: string; label: string } => {
    const at = statements.get(digest);
    return at ? { name: at.name, label: `${at.name} v${at.version}` } : { name: '', label: `an unknown version (${digest.slice(0, 8)})` };
  };
  const about = (verb: string, digests: readonly string[], rest = ''): Words => {
    const found = digests.map(label);
    return { words: `${verb} ${found.map((f) => f.label).join(', ')}${rest}`, secrets: [...new Set(found.map((f) => f.name))].filter(Boolean) };
  };
  switch (op) {
    case 'secret.seal': {
      const { statement } = body as SecretSeal;
      const to = 'custody' in statement ? `custody ${statement.custody.group}` : statement.readers.map((r) => r.role).join(', ');
      const how = { generated: 'sealed', imported: 'sealed (imported)', reseal: 'resealed' }[statement.origin.how];
      return { words: `${how} ${statement.name} v${statement.version}, ${statement.kind}, to ${to}`, secrets: [statement.name] };
    }
    case 'secret.open': {
      const open = body as SecretOpen;
      const offline = open.online ? '' : ', offline';
      if ('scope' in open) return { words: `began a session that may open ${open.scope.join(', ')} (${open.purpose}${offline})` };
      if ('session' in open && open.statements.length === 0) return { words: 'ended a session that opened nothing' };
      return about('session' in open ? 'ended a session that opened' : 'opened', open.statements, ` (${open.purpose}${offline})`);
    }
    case 'secret.standing': {
      const { machine, scope } = body as SecretStanding;
      return { words: scope.length === 0 ? `ended the standing leave of ${machine}` : `gave ${machine} standing leave to open ${scope.join(', ')}` };
    }
    case 'secret.retire':
      return about('retired', [(body as SecretRetire).statement]);
    default:
      return { words: op };
  }
}

function cardDevice(card: string): string {
  try {
    return parseCard(card).device;
  } catch (error) {
    if (isVaultError(error)) return 'with an unreadable card';
    throw error;
  }
}
