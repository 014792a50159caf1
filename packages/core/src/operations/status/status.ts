/** The one place to look: what waits for this person, what is stale, provisional, due or wrong. Needs no private key. */
import { parseEntry } from '../../audit/entry.js';
import { listQueued } from '../../engine/queue.js';
import { rolesOf } from '../../policy/rules.js';
import type { Vault } from '../../vault.js';
import { entryInWords } from '../log/view.js';
import { custodyItems } from './custody.js';
import { drillItems, lastDrill, type DrillSummary } from './drill.js';
import { handoverItems } from './handover.js';
import type { StatusItem } from './item.js';
import { joining, proposals, type Asking } from './people.js';
import { roleItems } from './roles.js';
import { secretItems } from './secrets.js';
import { standingItems } from './standing.js';
import { concerns, lossesInWords, singlePoints } from './without.js';
import { count } from '../../primitives/count.js';

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
    items: [
      ...trust(vault),
      ...joining(vault, me),
      ...admins(vault, who),
      ...proposals(vault, who ?? newcomer(vault, me)),
      ...roleItems(vault, who),
      ...secretItems(vault, who),
      ...standingItems(vault, who),
      ...singlePersons(vault, who),
      ...custodyItems(vault, who),
      ...drillItems(vault, who),
      ...handoverItems(vault, who),
      ...(await queued(vault, who)),
    ],
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
    yield { mark: '!', mine: false, text: `${count(size, 'entry in the log is', 'entries in the log are')} void: somebody with access appended what the policy does not allow`, next: 'oxp-vault audit verify' };
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
  const told = mine ? {} : { aside: true as const };
  const devices = admins.of.reduce((sum, p) => sum + (vault.policy.people.get(p)?.devices.length ?? 0), 0);
  if (admins.of.length === 1 && devices === 1) {
    yield { mark: '-', mine, ...told, text: `${admins.of[0]} is the only admin, with one device: if it is lost, nobody can ever change the policy`, next: 'oxp-vault device add --recovery --out FILE' };
  } else if (admins.of.length === 2) {
    yield { mark: '-', mine, ...told, text: 'there are two admins and both must agree: if one is lost, nobody can ever change the policy', next: 'oxp-vault member add CARD --admin' };
  }
}

/** Whose absence alone would lose something: a risk worth knowing, like that of a single admin. */
function* singlePersons(vault: Vault, who: string | undefined): Iterable<StatusItem> {
  const told = [...admins(vault)].length > 0;
  for (const { person, losses } of singlePoints(vault.state)) {
    const mine = person === who;
    const untold = losses.filter((loss) => !told || loss.kind !== 'policy');
    const concerning = untold.filter((loss) => mine || concerns(vault.state, loss).includes(who ?? ''));
    const [first, ...more] = lossesInWords([...concerning, ...untold.filter((loss) => !concerning.includes(loss))]);
    if (first === undefined) continue;
    const rest = more.length === 0 ? '' : `; and ${more.length} more`;
    yield { mark: '-', mine, ...(concerning.length > 0 ? {} : { aside: true as const }), text: `without ${person} nobody could ${first}${rest}`, next: `oxp-vault status --without ${person}` };
  }
}

async function queued(vault: Vault, who: string | undefined): Promise<StatusItem[]> {
  const waiting = await listQueued(vault.local, vault.id, 'queue');
  const items: StatusItem[] = [];
  if (waiting.length > 0) items.push({ mark: '-', mine: true, text: `${count(waiting.length, 'entry is', 'entries are')} not in the log yet: with your next write, or now`, next: 'oxp-vault sync' });
  for (const { digest, entry, reason } of await listQueued(vault.local, vault.id, 'rejected')) {
    const { person } = parseEntry(entry.line).payload.actor;
    const by = person === who ? '' : ` by ${person}`;
    const short = digest.slice(0, 8);
    const text = `${short}${by}, ${await entryInWords(vault, entry)}: not in the log, and not allowed any more: ${reason ?? 'unknown reason'}. Do it anew where it still matters`;
    items.push({ mark: '!', mine: true, text, next: `oxp-vault sync --discard ${short}` });
  }
  return items;
}
