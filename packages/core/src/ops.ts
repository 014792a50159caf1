/** One table: op -> closed schema of its body, who may in principle, and what it does to the state (docs/format.md, "Ops"). */
import * as v from 'valibot';
import { applyAck, applyCheck, applyShare, registerVersion, type CustodyContext } from './custody/apply.js';
import * as custodyOps from './custody/ops.js';
import { couldOpen, custodyOf, isAcknowledged, type CustodyState } from './custody/state.js';
import { refusal, type Refusal } from './errors.js';
import * as handover from './handover/ops.js';
import { applyInit, applyPropose, applySign, applyWithdraw, type PolicyContext } from './policy/apply.js';
import * as policyOps from './policy/ops.js';
import { applyDeviceAdd, applyDeviceRemove } from './policy/people.js';
import { applyEpoch, applyGrant } from './policy/roles.js';
import { ruleFor, rolesOf } from './policy/rules.js';
import { deviceKeys, newestEpoch, type PolicyState } from './policy/state.js';
import type { CurrentTree } from './policy/transition.js';
import { applyOpen, applyRetire, applySeal, type SealContext } from './seal/apply.js';
import * as sealOps from './seal/ops.js';
import { newestVersion, settleVersion, versionOf, type SealAuthority, type SecretsState } from './seal/state.js';
import { applyStanding, withoutLeavers } from './seal/standing.js';
import { statementDigest } from './seal/statement.js';
import type { VaultState } from './vault-state.js';
import type { Json, Signer } from './wire.js';

export interface OpContext {
  readonly leaf: number;
  /** Claimed time of the entry, whole seconds. */
  readonly time: number;
  readonly vault: string;
  /** Entry digest. */
  readonly digest: string;
  readonly actor: Signer;
  file(sha256: string): Uint8Array | undefined;
}

/** One row of the table. */
interface Op<T> {
  /** Closed schema of the body. */
  readonly schema: v.GenericSchema<unknown, T>;
  /** True when a machine may do it. */
  readonly machines: boolean;
  apply(state: VaultState, body: T, context: OpContext): VaultState | Refusal;
}

/** A state in which there is a policy, as after `vault.init`. */
type Founded = VaultState & { readonly policy: PolicyState };

function isFounded(state: VaultState): state is Founded {
  return state.policy !== undefined;
}

function founded<T>(schema: v.GenericSchema<unknown, T>, machines: boolean, apply: (state: Founded, body: T, context: OpContext) => VaultState | Refusal): Op<T> {
  return {
    schema,
    machines,
    apply: (state, body, context) => (isFounded(state) ? apply(state, body, context) : refusal('BAD_ENTRY', 'a log begins with vault.init')),
  };
}

/** An op that changes who is who or who may what. */
function policyOp<T>(schema: v.GenericSchema<unknown, T>, rules: (state: Founded, body: T, context: OpContext) => PolicyState | Refusal): Op<T> {
  return founded(schema, false, (state, body, context) => {
    const policy = rules(state, body, context);
    return 'code' in policy ? policy : { ...state, policy, secrets: withoutLeavers(state.secrets, (person) => policy.people.has(person)) };
  });
}

/** An op that changes what is known of the secrets. */
function sealOp<T>(
  schema: v.GenericSchema<unknown, T>,
  machines: boolean,
  rules: (state: SecretsState, body: T, context: SealContext) => SecretsState | Refusal,
): Op<T> {
  return founded(schema, machines, (state, body, context) => {
    const secrets = rules(state.secrets, body, { ...context, authority: authorityOf(state.policy) });
    return 'code' in secrets ? secrets : { ...state, secrets };
  });
}

/** Sealing, which under custody also says who holds which share. */
const seal = founded(sealOps.SecretSeal, true, (state, body, context) => {
  const secrets = applySeal(state.secrets, body, { ...context, authority: authorityOf(state.policy) });
  if ('code' in secrets) return secrets;
  const { statement } = body;
  if (!('custody' in statement)) return { ...state, secrets };
  return { ...state, secrets, custody: registerVersion(state.custody, statementDigest(statement), statement, custodyContext(state, context)) };
});

/** An op by which a custodian says something of its share. A version comes into effect once enough have acknowledged. */
function custodyOp<T>(schema: v.GenericSchema<unknown, T>, rules: (state: Founded, body: T, context: CustodyContext) => CustodyState | Refusal, settles?: (body: T) => string): Op<T> {
  return founded(schema, false, (state, body, opContext) => {
    const context = custodyContext(state, opContext);
    const custody = rules(state, body, context);
    if ('code' in custody) return custody;
    const statement = settles?.(body);
    const record = statement === undefined ? undefined : custodyOf(custody, statement);
    const settled = statement !== undefined && record !== undefined && isAcknowledged(record, context.devicesOf);
    return { ...state, custody, secrets: settled ? settleVersion(state.secrets, statement) : state.secrets };
  });
}

function custodyContext(state: Founded, { leaf, time, actor }: OpContext): CustodyContext {
  return { leaf, time, actor, devicesOf: (person) => deviceKeys(state.policy.people, person) };
}

/** An op whose bytes are fixed but which this release does not act on: its leaf is void here (docs/format.md, "Not yet"). */
function laterOp<T>(schema: v.GenericSchema<unknown, T>): Op<T> {
  return { schema, machines: false, apply: () => refusal('UNSUPPORTED', 'this release does not act on this op yet') };
}

/** The op that begins a log. */
const init: Op<policyOps.VaultInit> = {
  schema: policyOps.VaultInit,
  machines: false,
  apply(state, body, context) {
    if (body.policy !== context.vault) return refusal('WRONG_VAULT', 'a vault is named by the digest of its first policy');
    const policy = applyInit(body, context);
    return 'code' in policy ? policy : { ...state, policy };
  },
};

const OPS = {
  'vault.init': init,
  'policy.propose': policyOp(policyOps.PolicyPropose, (s, body, c) => applyPropose(s.policy, body, policyContext(s, c))),
  'policy.sign': policyOp(policyOps.PolicySign, (s, body, c) => applySign(s.policy, body, policyContext(s, c))),
  'policy.withdraw': policyOp(policyOps.PolicyWithdraw, (s, body, c) => applyWithdraw(s.policy, body, policyContext(s, c))),
  'device.add': policyOp(policyOps.DeviceAdd, (s, body, c) => applyDeviceAdd(s.policy, body, c.actor, c.leaf)),
  'device.remove': policyOp(policyOps.DeviceRemove, (s, body, c) => applyDeviceRemove(s.policy, body, c.actor, c.leaf)),
  'role.epoch': policyOp(policyOps.RoleEpoch, (s, body, c) => applyEpoch(s.policy, body, c.actor, c.leaf)),
  'role.grant': policyOp(policyOps.RoleGrant, (s, body, c) => applyGrant(s.policy, body, c.actor, c.leaf)),
  'secret.seal': seal,
  'secret.open': sealOp(sealOps.SecretOpen, true, applyOpen),
  'secret.standing': sealOp(sealOps.SecretStanding, false, applyStanding),
  'secret.retire': sealOp(sealOps.SecretRetire, true, applyRetire),
  'custody.ack': custodyOp(custodyOps.CustodyAck, (s, body, c) => applyAck(s.custody, body, c), (body) => body.statement),
  'custody.check': custodyOp(custodyOps.CustodyCheck, (s, body, c) => applyCheck(s.custody, body, c)),
  'custody.share': custodyOp(custodyOps.CustodyShare, (s, body, c) => applyShare(s.custody, body, versionOf(s.secrets, body.name, body.version)?.digest, c)),
  'handover.offer': laterOp(handover.HandoverOffer),
  'handover.request': laterOp(handover.HandoverRequest),
  'handover.consent': laterOp(handover.HandoverConsent),
  'handover.release': laterOp(handover.HandoverRelease),
  'handover.complete': laterOp(handover.HandoverComplete),
  'handover.finalize': laterOp(handover.HandoverFinalize),
  'handover.abort': laterOp(handover.HandoverAbort),
  'vault.drill': laterOp(handover.VaultDrill),
} satisfies Record<string, Op<unknown>>;

export type OpName = keyof typeof OPS;
type BodyOf<K extends OpName> = (typeof OPS)[K] extends Op<infer T> ? T : never;
/** An op with a body that follows its schema: switch on `op`, and the type of `body` is known. */
export type OpBody = { [K in OpName]: { readonly op: K; readonly body: BodyOf<K> } }[OpName];

export function isOp(op: string): op is OpName {
  return Object.hasOwn(OPS, op);
}

/** Undefined for a body that does not follow the closed schema of the op. */
export function parseBody(op: OpName, body: Json): OpBody | undefined {
  const parsed = v.safeParse<v.GenericSchema>(OPS[op].schema, body);
  // The compiler does not see that the schema and the op are of one row.
  return parsed.success ? ({ op, body: parsed.output } as OpBody) : undefined;
}

export function machinesMay(op: OpName): boolean {
  return OPS[op].machines;
}

/** The state with the effect of an op that its claimed signer has truly signed, or why it has none. */
export function applyOp(state: VaultState, { op, body }: OpBody, context: OpContext): VaultState | Refusal {
  // As above. A row takes only the bodies of its schema, and parseBody has seen to that.
  const row: Op<unknown> = OPS[op];
  return row.apply(state, body, context);
}

function policyContext(state: Founded, context: OpContext): PolicyContext {
  return { leaf: context.leaf, actor: context.actor, file: (digest) => context.file(digest), currentTrees: () => currentTrees(state) };
}

function* currentTrees({ secrets, custody }: Founded): Iterable<CurrentTree> {
  for (const [secret, versions] of secrets.secrets) {
    const record = custodyOf(custody, newestVersion(versions)?.digest ?? '');
    if (record) yield { secret, couldOpen: (people) => couldOpen(record, () => true, (person) => deviceKeys(people, person)) };
  }
}

/** The policy as the seal rules ask it. */
export function authorityOf(state: PolicyState): SealAuthority {
  const { policy } = state;
  return {
    suite: policy.suite,
    rule(name) {
      const rule = ruleFor(policy, name);
      if (!rule) return undefined;
      const { path, owners, writers } = rule;
      return 'readers' in rule ? { path, owners, writers, readers: rule.readers } : { path, owners, writers, custody: { group: rule.custody, tree: policy.custody[rule.custody]! } };
    },
    rulePaths: () => policy.rules.map((rule) => rule.path),
    rolesOf: (person) => rolesOf(policy, person),
    epochOf(role) {
      const epoch = newestEpoch(state, role);
      return epoch && { epoch: epoch.epoch, recipient: epoch.recipient, stale: state.roles.get(role)?.stale !== undefined };
    },
    isMachine(person) {
      const kind = state.people.get(person)?.kind;
      return kind === undefined ? undefined : kind === 'machine';
    },
    recipientKnown: (recipient) => state.recipients.has(recipient),
  };
}
