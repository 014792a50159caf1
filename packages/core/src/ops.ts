/** One table: op -> closed schema of its body, who may in principle, and what it does to the state (docs/format.md, "Ops"). */
import * as v from 'valibot';
import { applyAck, applyCheck, applyShare, registerVersion, type CustodyContext } from './custody/apply.js';
import * as custodyOps from './custody/ops.js';
import { couldOpen, custodyOf, isAcknowledged, type CustodyState } from './custody/state.js';
import { refusal, type Refusal } from './errors.js';
import { abortEffect, completeEffect, policyRule, requestEffect } from './handover-effects.js';
import { handoverAuthority } from './handover-authority.js';
import type { HandoverContext } from './handover/authority.js';
import { applyConsent } from './handover/consent.js';
import { applyDrill } from './handover/drill.js';
import { applyFinalize, markMoved } from './handover/finalize.js';
import { applyOffer } from './handover/offer.js';
import * as handoverOps from './handover/ops.js';
import { applyRelease } from './handover/release.js';
import { settleStandIns } from './handover/stand-in.js';
import type { HandoversState } from './handover/state.js';
import { applyInit, applyPropose, applySign, applyWithdraw, type PolicyContext } from './policy/apply.js';
import * as policyOps from './policy/ops.js';
import { applyDeviceAdd, applyDeviceRemove } from './policy/people.js';
import { applyEpoch, applyGrant } from './policy/roles.js';
import { deviceKeys, type PolicyState } from './policy/state.js';
import type { CurrentTree, StandInRule } from './policy/transition.js';
import { sealAuthority } from './seal-authority.js';
import { applyOpen, applyRetire, applySeal, type SealContext } from './seal/apply.js';
import * as sealOps from './seal/ops.js';
import { newestVersion, settleVersion, versionOf, type SecretsState } from './seal/state.js';
import { applyStanding, withoutLeavers } from './seal/standing.js';
import { statementDigest } from './seal/statement.js';
import { isFounded, type FoundedState, type VaultState } from './vault-state.js';
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

function founded<T>(schema: v.GenericSchema<unknown, T>, machines: boolean, apply: (state: FoundedState, body: T, context: OpContext) => VaultState | Refusal): Op<T> {
  return {
    schema,
    machines,
    apply: (state, body, context) => (isFounded(state) ? apply(state, body, context) : refusal('BAD_ENTRY', 'a log begins with vault.init')),
  };
}

/** An op that changes who is who or who may what. */
function policyOp<T>(schema: v.GenericSchema<unknown, T>, rules: (state: FoundedState, body: T, context: OpContext) => PolicyState | Refusal): Op<T> {
  return founded(schema, false, (state, body, context) => {
    const policy = rules(state, body, context);
    if ('code' in policy) return policy;
    const next = { ...state, policy, secrets: withoutLeavers(state.secrets, (person) => policy.people.has(person)) };
    return policy.digest === state.policy.digest ? next : { ...next, handovers: caughtUp(next, context.leaf) };
  });
}

/** What the handovers are once a policy has taken effect: rules that it says itself need no stand-in, and what it has said all of has moved. */
function caughtUp(state: FoundedState, leaf: number): HandoversState {
  const handovers = settleStandIns(state.handovers, policyRule(state));
  return markMoved(handovers, handoverAuthority({ ...state, handovers }), leaf);
}

/** An op that changes what is known of the secrets. */
function sealOp<T>(
  schema: v.GenericSchema<unknown, T>,
  machines: boolean,
  rules: (state: SecretsState, body: T, context: SealContext) => SecretsState | Refusal,
): Op<T> {
  return founded(schema, machines, (state, body, context) => {
    const secrets = rules(state.secrets, body, { ...context, authority: sealAuthority(state) });
    return 'code' in secrets ? secrets : { ...state, secrets };
  });
}

/** Sealing, which under custody also says who holds which share. */
const seal = founded(sealOps.SecretSeal, true, (state, body, context) => {
  const secrets = applySeal(state.secrets, body, { ...context, authority: sealAuthority(state) });
  if ('code' in secrets) return secrets;
  const { statement } = body;
  if (!('custody' in statement)) return { ...state, secrets };
  return { ...state, secrets, custody: registerVersion(state.custody, statementDigest(statement), statement, custodyContext(state, context)) };
});

/** An op by which a custodian says something of its share. A version comes into effect once enough have acknowledged. */
function custodyOp<T>(schema: v.GenericSchema<unknown, T>, rules: (state: FoundedState, body: T, context: CustodyContext) => CustodyState | Refusal, settles?: (body: T) => string): Op<T> {
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

function custodyContext(state: FoundedState, { leaf, time, actor }: OpContext): CustodyContext {
  return { leaf, time, actor, devicesOf: (person) => deviceKeys(state.policy.people, person) };
}

/** An act of a handover that changes only what is known of handovers. */
function handoverOp<T>(schema: v.GenericSchema<unknown, T>, rules: (state: HandoversState, body: T, context: HandoverContext) => HandoversState | Refusal): Op<T> {
  return founded(schema, false, (state, body, context) => {
    const handovers = rules(state.handovers, body, handoverContext(state, context));
    return 'code' in handovers ? handovers : { ...state, handovers };
  });
}

function handoverContext(state: FoundedState, { leaf, time, digest, actor }: OpContext): HandoverContext {
  return { leaf, time, digest, actor, authority: handoverAuthority(state) };
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
  'handover.offer': handoverOp(handoverOps.HandoverOffer, applyOffer),
  'handover.request': founded(handoverOps.HandoverRequest, false, (s, body, c) => requestEffect(s, body, handoverContext(s, c))),
  'handover.consent': handoverOp(handoverOps.HandoverConsent, applyConsent),
  'handover.release': handoverOp(handoverOps.HandoverRelease, applyRelease),
  'handover.complete': founded(handoverOps.HandoverComplete, false, (s, body, c) =>
    completeEffect(s, body, handoverContext(s, c), { ...c, authority: sealAuthority(s) }, custodyContext(s, c))),
  'handover.finalize': handoverOp(handoverOps.HandoverFinalize, applyFinalize),
  'handover.abort': founded(handoverOps.HandoverAbort, false, (s, body, c) => abortEffect(s, body, handoverContext(s, c))),
  'vault.drill': handoverOp(handoverOps.VaultDrill, applyDrill),
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

function policyContext(state: FoundedState, context: OpContext): PolicyContext {
  return { leaf: context.leaf, actor: context.actor, file: (digest) => context.file(digest), currentTrees: () => currentTrees(state), standIns: () => standIns(state.handovers) };
}

function* currentTrees({ secrets, custody }: FoundedState): Iterable<CurrentTree> {
  for (const [secret, versions] of secrets.versions) {
    const record = custodyOf(custody, newestVersion(versions)?.digest ?? '');
    if (record) yield { secret, couldOpen: (people) => couldOpen(record, () => true, (person) => deviceKeys(people, person)) };
  }
}

function* standIns({ standIns }: HandoversState): Iterable<StandInRule> {
  for (const [secret, stack] of standIns) for (const { rule } of stack) yield { secret, rule };
}
