/** Acts of a handover that reach beyond it: a request takes a recipient, a receipt seals versions, an abort withdraws them. */
import * as v from 'valibot';
import { registerVersion, type CustodyContext } from './custody/apply.js';
import type { CustodyState } from './custody/state.js';
import { refusal, type Refusal } from './errors.js';
import { handoverAuthority } from './handover-authority.js';
import { judgeAbort } from './handover/abort.js';
import type { HandoverContext } from './handover/authority.js';
import { judgeComplete, recordReceipt, type Delivery } from './handover/complete.js';
import { markMoved } from './handover/finalize.js';
import type { HandoverAbort, HandoverComplete, HandoverRequest, SuccessorRule } from './handover/ops.js';
import { applyRequest } from './handover/request.js';
import { ruleFor } from './policy/rules.js';
import type { PolicyState } from './policy/state.js';
import { canonicalEqual } from './primitives/canonical-json.js';
import { applyVersion, type SealContext } from './seal/apply.js';
import { versionsOf, type SealRule } from './seal/state.js';
import { Statement, statementDigest } from './seal/statement.js';
import type { FoundedState, VaultState } from './vault-state.js';

/** The one-time recipient is the request's for good: it can never become a role's or another request's. */
export function requestEffect(state: FoundedState, body: HandoverRequest, context: HandoverContext): VaultState | Refusal {
  const handovers = applyRequest(state.handovers, body, context);
  if ('code' in handovers) return handovers;
  const claimed = state.policy.claimed.set(body.recipient, `handover ${context.digest.slice(0, 8)}`);
  return { ...state, handovers, policy: { ...state.policy, claimed } };
}

/** The statements of a receipt are judged like every other, but for who may seal: that is the satisfied request. */
export function completeEffect(state: FoundedState, body: HandoverComplete, context: HandoverContext, seal: SealContext, custody: CustodyContext): VaultState | Refusal {
  const completion = judgeComplete(state.handovers, body, context);
  if ('code' in completion) return completion;
  let next: VaultState = state;
  const sealed = new Map<string, string>();
  for (const delivery of completion.deliveries) {
    const parsed = v.safeParse(Statement, delivery.statement);
    if (!parsed.success) return refusal('BAD_ENTRY', `the receipt holds no statement of ${delivery.target.name} that follows the schema`);
    const statement = parsed.output;
    const fault = sameSecretFault(state, delivery, statement);
    if (fault) return fault;
    const rule = sealRule(state, delivery.rule);
    if ('code' in rule) return rule;
    const secrets = applyVersion(next.secrets, statement, rule, seal);
    if ('code' in secrets) return secrets;
    const digest = statementDigest(statement);
    sealed.set(delivery.target.statement, digest);
    const others = overtaken(state, delivery.target.name, next.custody);
    next = { ...next, secrets, custody: 'custody' in statement ? registerVersion(others, digest, statement, custody) : others };
  }
  const handovers = recordReceipt(state.handovers, completion, body, sealed, context, policyRule(state));
  // Where the policy says it already, as after a change that was made by hand.
  return { ...next, handovers: markMoved(handovers, handoverAuthority({ ...state, ...next, policy: state.policy, handovers }), context.leaf) };
}

/**
 * A version that waited for its custodians while the one before it was handed over is never to come into effect: acknowledged later it would
 * stand between giver and receiver, and the receivers' version, once acknowledged in its turn, would take a new value back.
 */
function overtaken(state: FoundedState, name: string, custody: CustodyState): CustodyState {
  const waiting = versionsOf(state.secrets, name).filter((version) => version.pending);
  return { versions: waiting.reduce((versions, { digest }) => versions.delete(digest), custody.versions) };
}

/** The same secret, kind, parameters and public parts, sealed again: what the receivers get is what was asked for. */
function sameSecretFault(state: FoundedState, { target, statement: _raw }: Delivery, statement: Statement): Refusal | undefined {
  const old = state.secrets.versions.get(target.name)?.find((ver) => ver.digest === target.statement)?.statement;
  const same = old !== undefined && old.name === statement.name && old.kind === statement.kind
    && canonicalEqual(old.parameters, statement.parameters) && canonicalEqual(old.public, statement.public)
    && statement.origin.how === 'reseal' && statement.origin.of === target.statement;
  return same ? undefined : refusal('WRONG_STATEMENT', `the new version of ${target.name} in the receipt is not the one that was asked for, sealed again`);
}

function sealRule({ policy: { policy } }: FoundedState, rule: SuccessorRule): SealRule | Refusal {
  const { path, owners, writers } = rule;
  const base = { path, owners, writers };
  if ('custody' in rule) {
    const tree = Object.hasOwn(policy.custody, rule.custody) ? policy.custody[rule.custody] : undefined;
    return tree ? { ...base, custody: { group: rule.custody, tree } } : refusal('ROLE_NOT_FOUND', `there is no custody group ${rule.custody} any more`);
  }
  const gone = rule.readers.find((role) => !Object.hasOwn(policy.roles, role));
  return gone === undefined ? { ...base, readers: rule.readers } : refusal('ROLE_NOT_FOUND', `there is no role ${gone} any more`);
}

/** A withdrawn version stays pending for good: its number is spent, its shares are nobody's to acknowledge. */
export function abortEffect(state: FoundedState, body: HandoverAbort, context: HandoverContext): VaultState | Refusal {
  const aborted = judgeAbort(state.handovers, body, context);
  if ('code' in aborted) return aborted;
  const versions = aborted.withdrawn.reduce((map, statement) => map.delete(statement), state.custody.versions);
  return { ...state, handovers: aborted.state, custody: { ...state.custody, versions } };
}

/** The rule of the policy alone, for what stands in for it. */
export function policyRule({ policy }: { readonly policy: PolicyState }): (name: string) => SuccessorRule | undefined {
  return (name) => ruleFor(policy.policy, name);
}
