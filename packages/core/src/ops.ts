/** One table: op -> closed schema of its body, who may in principle, and what it does to the state (docs/format.md, "Ops"). */
import * as v from 'valibot';
import * as custody from './custody/ops.js';
import { refusal, type Refusal } from './errors.js';
import * as handover from './handover/ops.js';
import { applyInit, applyPropose, applySign, applyWithdraw, type PolicyContext } from './policy/apply.js';
import * as policyOps from './policy/ops.js';
import { applyDeviceAdd, applyDeviceRemove } from './policy/people.js';
import { applyEpoch, applyGrant } from './policy/roles.js';
import { ruleFor, rolesOf } from './policy/rules.js';
import { newestEpoch, type PolicyState, type Signer } from './policy/state.js';
import type { CurrentTree } from './policy/transition.js';
import { applyOpen, applyRetire, applySeal, applyStanding, type SealContext } from './seal/apply.js';
import * as sealOps from './seal/ops.js';
import { newestVersion, type SealAuthority, type SecretsState } from './seal/state.js';
import type { VaultState } from './vault-state.js';
import type { Json } from './wire.js';

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

export interface OpDefinition {
  /** True for the op that begins a log. */
  readonly first: boolean;
  /** True when a machine may do it. */
  readonly machines: boolean;
  /** The body, or undefined when it does not follow the closed schema. */
  parse(body: Json): object | undefined;
  apply(state: VaultState, body: object, context: OpContext): VaultState | Refusal;
}

type Founded = VaultState & { readonly policy: PolicyState };

function op<T extends object>(schema: v.GenericSchema<T>, apply: OpDefinition['apply'], options: Partial<OpDefinition> = {}): OpDefinition {
  return { first: false, machines: false, apply, ...options, parse: (body) => {
    const parsed = v.safeParse(schema, body);
    return parsed.success ? parsed.output : undefined;
  } };
}

/** An op that changes who is who or who may what. */
function policyOp<T extends object>(schema: v.GenericSchema<T>, rules: (state: Founded, body: T, context: OpContext) => PolicyState | Refusal): OpDefinition {
  return op(schema, (state, body, context) => {
    const policy = rules(state as Founded, body as T, context);
    return 'code' in policy ? policy : { ...state, policy, secrets: withoutLeavers(state.secrets, policy) };
  });
}

/** Standing access ends with its machine: whoever is enrolled later under the same name begins without it. */
function withoutLeavers(secrets: SecretsState, policy: PolicyState): SecretsState {
  const left = [...secrets.standing].filter(([machine]) => policy.people.has(machine));
  return left.length === secrets.standing.size ? secrets : { ...secrets, standing: new Map(left) };
}

/** An op that changes what is known of the secrets. */
function sealOp<T extends object>(schema: v.GenericSchema<T>, rules: (state: SecretsState, body: T, context: SealContext) => SecretsState | Refusal, machines: boolean): OpDefinition {
  return op(schema, (state, body, context) => {
    const secrets = rules(state.secrets, body as T, { ...context, authority: authorityOf((state as Founded).policy) });
    return 'code' in secrets ? secrets : { ...state, secrets };
  }, { machines });
}

/** An op whose bytes are fixed but which this release does not act on: its leaf is void here (docs/format.md, "Not yet"). */
function laterOp<T extends object>(schema: v.GenericSchema<T>): OpDefinition {
  return op(schema, () => refusal('UNSUPPORTED', 'this release does not act on this op yet'));
}

export const OPS: Readonly<Record<string, OpDefinition>> = {
  'vault.init': op(policyOps.VaultInit, (state, body, context) => {
    const init = body as policyOps.VaultInit;
    if (init.policy !== context.vault) return refusal('WRONG_VAULT', 'a vault is named by the digest of its first policy');
    const policy = applyInit(init, context);
    return 'code' in policy ? policy : { ...state, policy };
  }, { first: true }),
  'policy.propose': policyOp(policyOps.PolicyPropose, (s, body, c) => applyPropose(s.policy, body, policyContext(s, c))),
  'policy.sign': policyOp(policyOps.PolicySign, (s, body, c) => applySign(s.policy, body, policyContext(s, c))),
  'policy.withdraw': policyOp(policyOps.PolicyWithdraw, (s, body, c) => applyWithdraw(s.policy, body, policyContext(s, c))),
  'device.add': policyOp(policyOps.DeviceAdd, (s, body, c) => applyDeviceAdd(s.policy, body, c.actor, c.leaf)),
  'device.remove': policyOp(policyOps.DeviceRemove, (s, body, c) => applyDeviceRemove(s.policy, body, c.actor, c.leaf)),
  'role.epoch': policyOp(policyOps.RoleEpoch, (s, body, c) => applyEpoch(s.policy, body, c.actor, c.leaf)),
  'role.grant': policyOp(policyOps.RoleGrant, (s, body, c) => applyGrant(s.policy, body, c.actor, c.leaf)),
  'secret.seal': sealOp(sealOps.SecretSeal, applySeal, true),
  'secret.open': sealOp(sealOps.SecretOpen, applyOpen, true),
  'secret.standing': sealOp(sealOps.SecretStanding, applyStanding, false),
  'secret.retire': sealOp(sealOps.SecretRetire, applyRetire, true),
  'custody.ack': laterOp(custody.CustodyAck),
  'custody.check': laterOp(custody.CustodyCheck),
  'custody.share': laterOp(custody.CustodyShare),
  'handover.offer': laterOp(handover.HandoverOffer),
  'handover.request': laterOp(handover.HandoverRequest),
  'handover.consent': laterOp(handover.HandoverConsent),
  'handover.release': laterOp(handover.HandoverRelease),
  'handover.complete': laterOp(handover.HandoverComplete),
  'handover.finalize': laterOp(handover.HandoverFinalize),
  'handover.abort': laterOp(handover.HandoverAbort),
  'vault.drill': laterOp(handover.VaultDrill),
};

function policyContext(state: Founded, context: OpContext): PolicyContext {
  return { leaf: context.leaf, actor: context.actor, file: (digest) => context.file(digest), currentTrees: () => currentTrees(state.secrets) };
}

function* currentTrees(secrets: SecretsState): Iterable<CurrentTree> {
  for (const [secret, versions] of secrets.secrets) {
    const newest = newestVersion(versions)?.statement;
    if (newest && 'custody' in newest) yield { secret, tree: newest.custody.tree };
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
