/** Making a role key and granting it: the two small files by which a policy becomes access. */
import { refusalToError, VaultError } from '../../errors.js';
import { applyOp } from '../../ops.js';
import type { Batch, NewFile } from '../../engine/append.js';
import type { SignedEntry } from '../../audit/entry.js';
import type { Card } from '../../policy/card.js';
import { grantPath } from '../../policy/roles.js';
import { canOpen, holders, newestEpoch, type Epoch } from '../../policy/state.js';
import { ageEncrypt, generateAgeIdentity, identityToRecipient } from '../../primitives/age.js';
import { sha256Hex, utf8 } from '../../primitives/hash.js';
import type { Vault } from '../../vault.js';
import { noSuchRole } from '../no-such.js';
import { roleKeys } from './role-keys.js';

/** A role key with those of the epochs before it, newest first. */
interface KeyRing {
  readonly epoch: number;
  readonly recipient: string;
  readonly lines: readonly { epoch: number; line: string }[];
}

/** Entries and files that give a role its next key and grant it to every member. Nothing is resealed. */
export async function turnRole(vault: Vault, role: string): Promise<Batch> {
  const { roles } = vault.policy.policy;
  const def = Object.hasOwn(roles, role) ? roles[role] : undefined;
  if (!def) throw noSuchRole(vault.policy, role);
  const me = vault.requireActor().person;
  // Where nobody is left who can open the newest key, the role begins anew: what was sealed to it before is lost in any case.
  const earlier = canOpen(vault.policy, role, me) ? await ownRing(vault, role) : undefined;
  const line = await generateAgeIdentity({ pq: vault.policy.policy.suite === 'hybrid' });
  const epoch = (newestEpoch(vault.policy, role)?.epoch ?? 0) + 1;
  const ring: KeyRing = { epoch, recipient: await identityToRecipient(line), lines: [{ epoch, line }, ...(earlier?.lines ?? [])] };
  const entries: SignedEntry[] = [vault.sign('role.epoch', { role, epoch, recipient: ring.recipient, provisional: !def.members.includes(me) })];
  // The steward keeps a provisional key, or it could grant it to nobody who joins later.
  const persons = def.members.includes(me) ? def.members : [...def.members, me];
  return grantAll(vault, role, ring, persons, { entries, files: [] });
}

export interface TurnPreview {
  readonly epoch: number;
  readonly provisional: boolean;
  /** To whom it would be granted. */
  readonly granted: readonly string[];
}

/** What turning the role would come to for this person, judged by the rules of the log itself: nothing is signed. Throws what the log would refuse. */
export async function previewTurn(vault: Vault, role: string, { person, device, id }: Card): Promise<TurnPreview> {
  const { policy } = vault.policy;
  if (!Object.hasOwn(policy.roles, role)) throw noSuchRole(vault.policy, role);
  const members = policy.roles[role]?.members ?? [];
  const epoch = (newestEpoch(vault.policy, role)?.epoch ?? 0) + 1;
  const provisional = !members.includes(person);
  const recipient = await identityToRecipient(await generateAgeIdentity({ pq: policy.suite === 'hybrid' }));
  const context = { leaf: vault.point.size, time: vault.clock.now(), vault: vault.id, digest: '', actor: { person, device, key: id }, file: () => undefined };
  const next = applyOp(vault.state, { op: 'role.epoch', body: { role, epoch, recipient, provisional } }, context);
  if ('code' in next) throw refusalToError(next);
  return { epoch, provisional, granted: provisional ? [...members, person] : members };
}

/** Entries and files that grant the newest key of a role to `persons`. Throws NEEDS_GRANT when this person does not hold it. */
export async function grantRole(vault: Vault, role: string, persons: readonly string[]): Promise<Batch> {
  const ring = await ownRing(vault, role);
  const newest = newestEpoch(vault.policy, role);
  if (!newest) throw new VaultError('EPOCH_MISSING', `role ${role} has no key yet`, { hint: `Make it: oxp-vault role rekey ${role}` });
  if (!ring || ring.epoch !== newest.epoch) {
    throw new VaultError('NEEDS_GRANT', `you do not hold the newest key of ${role}`, {
      hint: `Who does: ${holders(vault.policy, role).join(', ') || newest.maker.person}`,
    });
  }
  return grantAll(vault, role, ring, persons, { entries: [], files: [] });
}

/** Members of a role who have not been granted its newest key on every device of theirs. */
export function ungranted(vault: Vault, role: string): string[] {
  const newest = newestEpoch(vault.policy, role);
  return (vault.policy.policy.roles[role]?.members ?? []).filter((person) => {
    const devices = vault.policy.people.get(person)?.devices ?? [];
    const grant = newest?.grants.get(person);
    return newest !== undefined && devices.some((d) => !grant?.devices.includes(d.id));
  });
}

/** True when this device was granted the newest key of the role: of a member, or of the maker of a provisional one. */
export function holdsKey(vault: Vault, role: string, me: Card | undefined = (vault.identity ?? vault.deputy)?.card): boolean {
  return me !== undefined && newestEpoch(vault.policy, role)?.grants.get(me.person)?.devices.includes(me.id) === true;
}

async function ownRing(vault: Vault, role: string): Promise<KeyRing | undefined> {
  const keys = await roleKeys(vault, role);
  const epochs: readonly Epoch[] = vault.policy.roles.get(role)?.epochs ?? [];
  const lines = epochs.flatMap((e) => {
    const line = keys.get(e.recipient);
    return line === undefined ? [] : [{ epoch: e.epoch, recipient: e.recipient, line }];
  }).reverse();
  const [newest] = lines;
  return newest && { epoch: newest.epoch, recipient: newest.recipient, lines };
}

async function grantAll(vault: Vault, role: string, ring: KeyRing, persons: readonly string[], begun: { entries: SignedEntry[]; files: NewFile[] }): Promise<Batch> {
  const { entries, files } = begun;
  for (const person of persons) {
    const devices = vault.policy.people.get(person)?.devices ?? [];
    const bytes = await ageEncrypt(grantText(vault, role, ring), devices.map((d) => d.recipient));
    const blob = { sha256: sha256Hex(bytes), size: bytes.length };
    entries.push(vault.sign('role.grant', { role, epoch: ring.epoch, recipient: ring.recipient, person, blob }));
    files.push({ path: grantPath(role, ring.epoch, person, blob.sha256), bytes });
  }
  return { entries, files };
}

/** An age identity file: `age -d -i identity.age grant.age > role.txt`, then `age -d -i role.txt secret.age`. */
function grantText(vault: Vault, role: string, ring: KeyRing): Uint8Array {
  const head = `# oxp-vault role ${role}, epochs ${ring.lines.map((l) => l.epoch).join(' ')}, vault ${vault.id}\n# public key: ${ring.recipient}\n`;
  return utf8(head + ring.lines.map((l) => `${l.line}\n`).join(''));
}
