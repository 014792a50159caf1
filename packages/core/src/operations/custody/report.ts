/** Who holds what, who has said that it opens, and where too few are left. Needs no private key. */
import { awaited, canAct, type CustodyRecord, type DevicesOf, type Mark } from '../../custody/state.js';
import { VaultError } from '../../errors.js';
import { deviceKeys } from '../../policy/state.js';
import { isSatisfied, treeInWords, treeLeaves, type ThresholdTree } from '../../primitives/threshold-tree.js';
import type { SecretVersion } from '../../seal/state.js';
import type { Vault } from '../../vault.js';
import { versionsUnderCustody } from './versions.js';

export interface CustodianReport {
  readonly person: string;
  /** Of the leaf in the tree. */
  readonly path: string;
  /** False for who has left, or has lost every device that the share is sealed to. */
  readonly canAct: boolean;
  readonly acknowledged: Mark | null;
  readonly checked: (Mark & { readonly ok: boolean }) | null;
}

/** A node of a tree of which at most one custodian may be lost. */
export interface CustodyAlarm {
  /** Of the node; empty for the whole tree. */
  readonly path: string;
  readonly need: number;
  /** Children of the node: how many there are, and how many can act, or have enough below them who can. */
  readonly of: number;
  readonly left: number;
  readonly text: string;
  /** True where somebody is lost already; else it was made as narrow as it is. */
  readonly lost: boolean;
}

export interface CustodyReport {
  readonly name: string;
  readonly version: number;
  /** Statement digest. */
  readonly statement: string;
  readonly group: string;
  /** `2 of alice bruno erin AND 1 of frank grace` */
  readonly tree: string;
  readonly pending: boolean;
  readonly sealed: Mark;
  readonly custodians: readonly CustodianReport[];
  /** Of a pending version: those whose acknowledgement can still bring it into effect. */
  readonly awaited: readonly string[];
  readonly alarms: readonly CustodyAlarm[];
}

/** All versions under custody that count: the newest ones, and those that wait to become it. */
export function custodyReport(vault: Vault): CustodyReport[] {
  return versionsUnderCustody(vault).map(({ version, record }) => reportOf(vault, version, record));
}

function reportOf(vault: Vault, version: SecretVersion, record: CustodyRecord): CustodyReport {
  const devices = devicesIn(vault);
  const able = (person: string): boolean => record.leaves.some((leaf) => leaf.person === person && canAct(leaf, devices));
  return {
    name: record.name,
    version: record.version,
    statement: version.digest,
    group: record.group,
    tree: treeInWords(record.tree),
    pending: version.pending,
    sealed: { leaf: version.leaf, time: version.time },
    custodians: record.leaves.map((leaf) => ({ person: leaf.person, path: leaf.path, canAct: canAct(leaf, devices), acknowledged: leaf.acknowledged ?? null, checked: leaf.checked ?? null })),
    awaited: version.pending ? awaited(record, devices).map((leaf) => leaf.person) : [],
    alarms: [...alarmsOf(record.tree, able)],
  };
}

/** Where all are needed by design, none can be spared: that is an alarm only once somebody is lost. */
function* alarmsOf(tree: ThresholdTree, able: (person: string) => boolean, path = ''): Iterable<CustodyAlarm> {
  const left = tree.of.filter((child) => (typeof child === 'string' ? able(child) : isSatisfied(child, able))).length;
  const { need } = tree;
  const lost = left < tree.of.length;
  if (left <= need + 1 && (lost || need < tree.of.length)) {
    const spare = left < need ? 'it can never be opened again' : left === need ? 'none may be lost' : 'one may be lost, not two';
    const names = treeLeaves(tree).map((leaf) => leaf.name).filter(able).join(' ') || 'nobody';
    yield { path, need, of: tree.of.length, left, lost, text: `${left} of ${tree.of.length} ${left === 1 ? 'is' : 'are'} left where ${need} ${need === 1 ? 'is' : 'are'} needed (${names}): ${spare}` };
  }
  for (const [i, child] of tree.of.entries()) if (typeof child !== 'string') yield* alarmsOf(child, able, path === '' ? String(i) : `${path}.${i}`);
}

function devicesIn(vault: Vault): DevicesOf {
  return (person) => deviceKeys(vault.policy.people, person);
}

/** Why a secret of which no version counts yet cannot be used. */
export function pendingFault(vault: Vault, name: string): VaultError {
  const report = custodyReport(vault).findLast((each) => each.name === name);
  return new VaultError('PENDING', `${name} is pending: its custodians have not acknowledged their shares yet`, {
    ...(report ? { details: [`${report.tree}; awaited: ${report.awaited.join(' ') || 'nobody who can'}`] } : {}),
    hint: 'They type: oxp-vault custody ack',
  });
}
