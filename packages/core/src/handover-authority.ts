/** What the rules of a handover ask of the rest of the state (handover/authority.ts), answered. */
import { canAct, custodyOf, leafOf } from './custody/state.js';
import type { HandoverAuthority, TargetVersion } from './handover/authority.js';
import { rolesOf } from './policy/rules.js';
import { deviceKeys, isMachine, livingDevice, newestEpoch, takenBy, type PolicyState } from './policy/state.js';
import { ruleInEffect } from './rule-in-effect.js';
import { newestOf, newestVersion, type SecretVersion, versionOfStatement } from './seal/state.js';
import type { FoundedState } from './vault-state.js';

/** By the policy, then by the rules that stand in, both of which are replaced and never changed; then by key. */
const remembered = new WeakMap<object, WeakMap<object, Map<string, string>>>();

function memoryOf(policy: object, standIns: object): Map<string, string> {
  const byPolicy = remembered.get(policy) ?? new WeakMap<object, Map<string, string>>();
  const memory = byPolicy.get(standIns) ?? new Map<string, string>();
  remembered.set(policy, byPolicy.set(standIns, memory));
  return memory;
}

export function handoverAuthority(state: FoundedState): HandoverAuthority {
  const { policy, people, digest, roles } = state.policy;
  return {
    suite: policy.suite,
    policy: digest,
    admins: policy.admins,
    rules: policy.rules,
    rule: (name) => ruleInEffect(state, name),
    rolesOf: (person) => rolesOf(policy, person),
    role: (name) => (Object.hasOwn(policy.roles, name) ? definitionOf(policy.roles[name]!) : undefined),
    group: (name) => (Object.hasOwn(policy.custody, name) ? policy.custody[name] : undefined),
    epochOf(role) {
      const epoch = newestEpoch(state.policy, role);
      return epoch && { stale: roles.get(role)?.stale !== undefined, provisional: epoch.provisional };
    },
    isMachine: (person) => isMachine(state.policy, person),
    lives: ({ person, key }) => livingDevice(state.policy, person, key) !== undefined,
    isCustodian(statement, person) {
      const record = custodyOf(state.custody, statement);
      const leaf = record && leafOf(record, person);
      return leaf !== undefined && canAct(leaf, (custodian) => deviceKeys(people, custodian));
    },
    once(key, make) {
      const memory = memoryOf(policy, state.handovers.standIns);
      const known = memory.get(key) ?? make();
      memory.set(key, known);
      return known;
    },
    recipientKnown: (recipient) => takenBy(state.policy, recipient) !== undefined,
    version(statement) {
      const version = versionOfStatement(state.secrets, statement);
      return version && targetVersion(version, newestOf(state.secrets, version.statement.name) === version);
    },
    *secrets() {
      for (const [name, versions] of state.secrets.versions) {
        const newest = newestVersion(versions);
        if (!newest) continue;
        const { statement, digest: sealed, leaf } = newest;
        const to = 'custody' in statement ? { readers: [], group: statement.custody.group } : { readers: statement.readers.map((r) => r.role) };
        yield { name, statement: sealed, leaf, ...to };
      }
    },
  };
}

function definitionOf({ members, managed }: PolicyState['policy']['roles'][string]): { members: readonly string[]; managed?: { need: number } } {
  return managed ? { members, managed } : { members };
}

function targetVersion({ statement, pending }: SecretVersion, newest: boolean): TargetVersion {
  const { name, version } = statement;
  const base = { name, version, newest, pending };
  return 'custody' in statement
    ? { ...base, readers: [], custody: { tree: statement.custody.tree, leaves: statement.custody.leaves } }
    : { ...base, readers: statement.readers.map((r) => r.role) };
}
