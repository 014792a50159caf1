/** The one place to look: what waits for this person, what is stale, provisional, due or wrong. Needs no private key. */
import { parseEntry } from '../../audit/entry.js';
import { listQueued } from '../../engine/queue.js';
import { holders, newestEpoch } from '../../policy/state.js';
import { rolesOf } from '../../policy/rules.js';
import { newestVersion, versionsOf } from '../../seal/state.js';
import type { Vault } from '../../vault.js';
import { custodyItems } from './custody.js';
import { drillItems, lastDrill, type DrillSummary } from './drill.js';
import { handoverItems } from './handover.js';
import { entryInWords } from '../log/view.js';
import { ungranted } from '../people/role-turn.js';
import { listStanding } from '../opening/standing.js';
import type { StatusItem } from './item.js';
import { joining, proposals, type Asking } from './people.js';
import { lossesInWords, singlePoints } from './without.js';

const DAY = 86_400;
/** A certificate is named this long before it expires. */
const EXPIRY_NOTICE = 60 * DAY;
/** Standing access is, too, this long before and after it ends. */
const STANDING_NOTICE = 14 * DAY;

export interface StatusReport {
  readonly vault: string;
  readonly name: string;
  readonly address: string;
  readonly entries: number;
  readonly root: string;
  /** Ready to paste after `--expect`. */
  readonly expect: string;
  readonly confirmed: boolean;
  /** When a remote store was last known to be no newer, whole seconds; absent for a store that is read where it is. */
  readonly fetched?: number;
  readonly policy: number;
  readonly secrets: number;
  /** The newest drill of anybody. */
  readonly drill?: DrillSummary;
  readonly person?: {
    readonly name: string;
    readonly device: string;
    readonly enrolled: boolean;
    readonly admin: boolean;
    readonly roles: readonly string[];
  };
  readonly items: readonly StatusItem[];
}

/** `me` is the card of the person who asks, as far as it is known without a passphrase. */
export async function vaultStatus(vault: Vault, me?: Asking): Promise<StatusReport> {
  const { policy } = vault.policy;
  const enrolled = me !== undefined && (vault.policy.people.get(me.person)?.devices.some((d) => d.id === me.id) ?? false);
  const who = enrolled ? me.person : undefined;
  const person = me && {
    name: me.person,
    device: me.device,
    enrolled,
    admin: enrolled && policy.admins.of.includes(me.person),
    roles: enrolled ? rolesOf(policy, me.person) : [],
  };
  const drill = lastDrill(vault);
  return {
    vault: vault.id,
    name: policy.name,
    address: vault.store.address,
    entries: vault.point.size,
    root: vault.point.root,
    expect: vault.expectLine,
    confirmed: vault.confirmed,
    ...(vault.freshness?.fetched === undefined ? {} : { fetched: vault.freshness.fetched }),
    policy: policy.number,
    secrets: vault.state.secrets.versions.size,
    ...(drill ? { drill } : {}),
    ...(person ? { person } : {}),
    items: [...trust(vault), ...joining(vault, me), ...admins(vault, who), ...proposals(vault, who ?? newcomer(vault, me)), ...roles(vault, who), ...secrets(vault, who), ...standing(vault, who), ...singlePersons(vault, who), ...custodyItems(vault, who), ...drillItems(vault, who), ...handoverItems(vault, who), ...(await queued(vault, who))],
  };
}

/** Somebody whom an open proposal enrols, and whose signature it may wait for. */
function newcomer(vault: Vault, me: Asking | undefined): string | undefined {
  return me && !vault.policy.people.has(me.person) && vault.policy.proposals.some((p) => p.policy?.persons[me.person]?.cards.includes(me.line)) ? me.person : undefined;
}

function* trust(vault: Vault): Iterable<StatusItem> {
  if (!vault.confirmed) {
    yield { mark: '!', mine: true, text: 'freshness unknown: nobody has said yet that this is the right vault and not an old copy', next: 'oxp-vault status --expect VAULT@SIZE:ROOT' };
  }
  if (vault.state.voids.size > 0) {
    const { size } = vault.state.voids;
    yield { mark: '!', mine: false, text: `${size} ${size === 1 ? 'entry in the log is' : 'entries in the log are'} void: somebody with access appended what the policy does not allow`, next: 'oxp-vault audit verify' };
  }
  const [stray] = vault.log.strays;
  if (stray) {
    yield { mark: '!', mine: false, text: `entry ${stray.leaf} by ${stray.person} was signed on another history of this vault: the trace of a fork`, next: 'oxp-vault audit verify' };
  }
}

/** A risk worth knowing, and not something that waits: `check` does not fail for it, or one person alone could never use it. */
function* admins(vault: Vault, who?: string): Iterable<StatusItem> {
  const { admins } = vault.policy.policy;
  const mine = who !== undefined && admins.of.includes(who);
  const devices = admins.of.reduce((sum, p) => sum + (vault.policy.people.get(p)?.devices.length ?? 0), 0);
  if (admins.of.length === 1 && devices === 1) {
    yield { mark: '-', mine, text: `${admins.of[0]} is the only admin, with one device: if it is lost, nobody can ever change the policy`, next: 'oxp-vault device add --recovery --out FILE' };
  } else if (admins.of.length === 2) {
    yield { mark: '-', mine, text: 'there are two admins and both must agree: if one is lost, nobody can ever change the policy', next: 'oxp-vault member add CARD --admin' };
  }
}

function* roles(vault: Vault, who: string | undefined): Iterable<StatusItem> {
  for (const [role, def] of Object.entries(vault.policy.policy.roles)) {
    const state = vault.policy.roles.get(role);
    const newest = newestEpoch(vault.policy, role);
    const member = who !== undefined && def.members.includes(who);
    const next = `oxp-vault role rekey ${role}`;
    if (!newest) {
      yield { mark: '!', mine: member || def.steward === who, text: `role ${role} has no key yet: nothing can be sealed to it`, next };
    } else if (state?.stale) {
      yield { mark: '!', mine: member, text: `the key of role ${role} is stale: ${state.stale.who} or a device of theirs has left. ${turners(vault, role)} it with the next thing that they write`, next };
    } else if (newest.provisional) {
      yield { mark: '-', mine: member, text: `the key of role ${role} is provisional: its steward ${newest.maker.person} knows it until a member makes the next one`, next };
    }
    const lacking = ungranted(vault, role);
    if (lacking.length > 0 && newest) {
      yield { mark: '!', mine: member && !lacking.includes(who), text: `${lacking.join(', ')} cannot read for role ${role} yet: nobody has granted its key`, next: `oxp-vault role grant ${role}` };
    }
  }
}

/** `carol or dora turns`: those who hold the newest key; where nobody is left who does, any member. */
function turners(vault: Vault, role: string): string {
  const left = holders(vault.policy, role);
  const able = left.length > 0 ? left : (vault.policy.policy.roles[role]?.members ?? []);
  return able.length === 0 ? 'Nobody is left who turns' : `${able.join(' or ')} turns`;
}

function* secrets(vault: Vault, who: string | undefined): Iterable<StatusItem> {
  const { policy } = vault.policy;
  const now = vault.clock.now();
  for (const name of vault.state.secrets.versions.sortedKeys()) {
    const versions = versionsOf(vault.state.secrets, name);
    const newest = newestVersion(versions);
    // What waits for its custodians say the items of custody.
    if (!newest) continue;
    const rule = vault.ruleFor(name);
    const writes = who !== undefined && (rule?.writers.some((r) => rolesOf(policy, who).includes(r)) ?? false);
    if (!rule) {
      yield { mark: '!', mine: false, text: `no rule of the policy covers ${name}: nobody can write it any more` };
    } else if ('readers' in rule && 'readers' in newest.statement) {
      const sealedTo = newest.statement.readers.map((r) => r.role).join(', ');
      const ruled = rule.readers.join(', ');
      if (sealedTo !== ruled) {
        yield { mark: '!', mine: writes, text: `${name} is sealed to ${sealedTo}, and its rule now says ${ruled}`, next: 'oxp-vault seal' };
      }
    }
    const notAfter = newest.statement.public['notAfter'];
    if (typeof notAfter === 'number' && notAfter - now < EXPIRY_NOTICE) {
      const when = notAfter <= now ? 'has expired' : `expires in ${Math.ceil((notAfter - now) / DAY)} days`;
      yield { mark: '!', mine: writes, text: `${name} v${newest.statement.version} ${when}`, next: `oxp-vault rotate ${name}` };
    }
  }
}

/** Around its end, because from then on jobs have to be able to write; for a while after it, because then they fail. */
function* standing(vault: Vault, who: string | undefined): Iterable<StatusItem> {
  const now = vault.clock.now();
  for (const { machine, path, by, notAfter, state } of listStanding(vault)) {
    const next = `oxp-vault standing ${machine} ${path} --not-after 90d`;
    if (state === 'stands' && notAfter - now < STANDING_NOTICE) {
      yield { mark: '-', mine: by === who, text: `the standing access of ${machine} to ${path} ends in ${days(notAfter - now)}`, next };
    } else if (state === 'expired' && now - notAfter < STANDING_NOTICE) {
      yield { mark: '-', mine: by === who, text: `the standing access of ${machine} to ${path} has ended: its openings are recorded`, next };
    } else if (state === 'lapsed') {
      yield { mark: '-', mine: by === who, text: `the standing access of ${machine} to ${path} does not count: ${by}, who gave it, owns it no longer`, next: `oxp-vault standing ${machine}` };
    }
  }
}

/** Whose absence alone would lose something: a risk worth knowing, like that of a single admin. */
function* singlePersons(vault: Vault, who: string | undefined): Iterable<StatusItem> {
  const told = [...admins(vault)].length > 0;
  for (const { person, losses } of singlePoints(vault.state)) {
    const [first, ...more] = lossesInWords(losses.filter((loss) => !told || loss.kind !== 'policy'));
    if (first === undefined) continue;
    const rest = more.length === 0 ? '' : `; and ${more.length} more`;
    yield { mark: '-', mine: person === who, text: `without ${person} nobody could ${first}${rest}`, next: `oxp-vault status --without ${person}` };
  }
}

function days(seconds: number): string {
  const n = Math.ceil(seconds / DAY);
  return n === 1 ? '1 day' : `${n} days`;
}

async function queued(vault: Vault, who: string | undefined): Promise<StatusItem[]> {
  const waiting = await listQueued(vault.local, vault.id, 'queue');
  const items: StatusItem[] = [];
  if (waiting.length > 0) items.push({ mark: '-', mine: true, text: `${waiting.length === 1 ? 'an entry is' : `${waiting.length} entries are`} not in the log yet: with your next write, or now`, next: 'oxp-vault sync' });
  for (const { digest, entry, reason } of await listQueued(vault.local, vault.id, 'rejected')) {
    const { person } = parseEntry(entry.line).payload.actor;
    const by = person === who ? '' : ` by ${person}`;
    const short = digest.slice(0, 8);
    const text = `${short}${by}, ${await entryInWords(vault, entry)}: not in the log, and not allowed any more: ${reason ?? 'unknown reason'}. Do it anew where it still matters`;
    items.push({ mark: '!', mine: true, text, next: `oxp-vault sync --discard ${short}` });
  }
  return items;
}
