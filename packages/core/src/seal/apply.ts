/** Sealing, opening and retiring, judged at their leaf. */
import { refusal, type Refusal } from '../errors.js';
import { recipientFault, suiteOf } from '../primitives/age-recipient.js';
import { canonicalEqual } from '../primitives/canonical-json.js';
import { treeLeaves } from '../primitives/threshold-tree.js';
import type { SecretOpen, SecretRetire, SecretSeal } from './ops.js';
import { newestVersion, type SealAuthority, type SealRule, type SecretsState, type SecretVersion, versionsOf } from './state.js';
import type { Signer } from '../wire.js';
import { statementDigest, type Custody, type Reader, type Statement } from './statement.js';
import { count } from '../primitives/count.js';

export interface SealContext {
  readonly leaf: number;
  readonly time: number;
  readonly actor: Signer;
  readonly authority: SealAuthority;
}

export function applySeal(state: SecretsState, body: SecretSeal, context: SealContext): SecretsState | Refusal {
  const { statement } = body;
  const rule = context.authority.rule(statement.name);
  if (!rule) return refusal('NOT_ALLOWED', `no rule of the policy covers ${statement.name}`, 'Add a rule for its path: oxp-vault policy show');
  if (!actsFor(context, rule.writers)) {
    return refusal('NOT_ALLOWED', `${context.actor.person} may not write ${statement.name}: its writers are ${rule.writers.join(', ')}`);
  }
  return applyVersion(state, statement, rule, context);
}

/** The next version, sealed exactly as `rule` says: the rule in effect, or, in a receipt, that of its request. Who may is the caller's to judge. */
export function applyVersion(state: SecretsState, statement: Statement, rule: SealRule, context: SealContext): SecretsState | Refusal {
  const versions = versionsOf(state, statement.name);
  const last = versions.at(-1);
  const due = (last?.statement.version ?? 0) + 1;
  if (statement.version !== due || statement.previous !== (last?.digest ?? null)) {
    return refusal('RACE_LOST', `${statement.name} has version ${due - 1} already, sealed by ${last?.sealer.person ?? 'nobody'}`, 'Look at it, then seal yours again if it is still wanted.');
  }
  if (statement.origin.how === 'reseal' && statement.origin.of !== newestVersion(versions)?.digest) {
    return refusal('RACE_LOST', `${statement.name} is to be resealed from a version that is not its newest`, 'Try again.');
  }
  const fault = readersFault(statement, rule, context.authority);
  if (fault) return fault;
  // age binds a file to no name: a writer who cannot read a file could still pass it off as a secret that is shown more freely.
  if (state.ciphertexts.has(statement.ciphertext.sha256)) {
    return refusal('WRONG_STATEMENT', `the file of ${statement.name} version ${statement.version} is that of another version or secret already`);
  }
  const digest = statementDigest(statement);
  const version: SecretVersion = { statement, digest, leaf: context.leaf, time: context.time, sealer: context.actor, pending: 'custody' in statement };
  return {
    ...state,
    versions: state.versions.set(statement.name, [...versions, version]),
    statements: state.statements.set(digest, { name: statement.name, version: statement.version }),
    ciphertexts: state.ciphertexts.add(statement.ciphertext.sha256),
  };
}

/** The readers must be exactly those of the rule, at their newest keys. */
function readersFault(statement: Statement, rule: SealRule, authority: SealAuthority): Refusal | undefined {
  const type = authority.suite === 'hybrid' ? 'mlkem768x25519' : 'X25519';
  const { stanzas } = statement.ciphertext;
  if (stanzas.type !== type) return refusal('MIXED_RECIPIENTS', `${statement.name} is sealed with ${stanzas.type}, and this vault is ${authority.suite}`);
  if ('custody' in statement) {
    if (!rule.custody) return refusal('READERS_MISMATCH', `${statement.name} is sealed under custody, and its rule names readers`);
    if (stanzas.count !== 1) return refusal('STANZA_MISMATCH', `${statement.name} is under custody and has ${count(stanzas.count, 'recipient')} instead of one`);
    return custodyFault(statement.name, statement.custody, rule.custody, authority);
  }
  if (!rule.readers) return refusal('READERS_MISMATCH', `${statement.name} is sealed to readers, and its rule asks for custody`);
  const wanted = [...rule.readers];
  const given = statement.readers.map((r) => r.role);
  if (given.length !== wanted.length || given.some((role, i) => role !== wanted[i])) {
    return refusal('READERS_MISMATCH', `${statement.name} is sealed to ${given.join(', ')}, and its rule says ${wanted.join(', ')}`, 'Readers are exactly those of the rule, in its order.');
  }
  if (stanzas.count !== given.length) return refusal('STANZA_MISMATCH', `${statement.name} names ${count(given.length, 'reader')}, and its file has ${count(stanzas.count, 'recipient')}`);
  for (const reader of statement.readers) {
    const bad = readerFault(reader, authority);
    if (bad) return bad;
  }
  return undefined;
}

function readerFault(reader: Reader, authority: SealAuthority): Refusal | undefined {
  const epoch = authority.epochOf(reader.role);
  if (!epoch) return refusal('EPOCH_MISSING', `role ${reader.role} has no key yet`, `One of its members, or its steward, makes it: oxp-vault role rekey ${reader.role}`);
  if (epoch.stale) return refusal('EPOCH_STALE', `the key of role ${reader.role} is stale: somebody who could hold it has left`, `A remaining member turns it: oxp-vault role rekey ${reader.role}`);
  if (epoch.epoch !== reader.epoch || epoch.recipient !== reader.recipient) {
    return refusal('EPOCH_STALE', `sealed to epoch ${reader.epoch} of role ${reader.role}, whose newest is ${epoch.epoch}`, 'Try again.');
  }
  return undefined;
}

function custodyFault(name: string, custody: Custody, rule: NonNullable<SealRule['custody']>, authority: SealAuthority): Refusal | undefined {
  if (custody.group !== rule.group || !canonicalEqual(custody.tree, rule.tree)) {
    return refusal('READERS_MISMATCH', `${name} is not sealed along the custody tree of its rule (${rule.group})`);
  }
  const leaves = treeLeaves(rule.tree);
  const given = custody.leaves.map(({ path, person }) => ({ path, name: person }));
  const exact = canonicalEqual(given, leaves);
  if (!exact) return refusal('READERS_MISMATCH', `${name} does not give exactly one share to each custodian of ${rule.group}`);
  if (suiteOf(custody.recipient) !== authority.suite) return refusal('MIXED_RECIPIENTS', `the custody recipient of ${name} is of another kind than this vault (${authority.suite})`);
  if (authority.recipientKnown(custody.recipient)) return refusal('KEY_TAKEN', `the custody recipient of ${name} is not a fresh one`);
  const unusable = recipientFault(custody.recipient);
  if (unusable !== undefined) return refusal('WEAK_KEY', `nothing can be sealed to the custody recipient of ${name}: ${unusable}`);
  return undefined;
}

export function applyOpen(state: SecretsState, body: SecretOpen): SecretsState | Refusal {
  const unknown = 'statements' in body ? body.statements.find((digest) => !state.statements.has(digest)) : undefined;
  return unknown === undefined ? state : refusal('VERSION_NOT_FOUND', `no version has the statement digest ${unknown.slice(0, 8)}`);
}

export function applyRetire(state: SecretsState, body: SecretRetire, context: SealContext): SecretsState | Refusal {
  const at = state.statements.get(body.statement);
  if (!at) return refusal('VERSION_NOT_FOUND', `no version has the statement digest ${body.statement.slice(0, 8)}`);
  const rule = context.authority.rule(at.name);
  if (!rule || !actsFor(context, [...rule.writers, ...rule.owners])) {
    return refusal('NOT_ALLOWED', `${context.actor.person} neither writes nor owns ${at.name}`);
  }
  const versions = versionsOf(state, at.name);
  const version = versions.find((ver) => ver.statement.version === at.version);
  if (version?.retired) return refusal('ALREADY_DONE', `${at.name} version ${at.version} is retired already`);
  const newest = newestVersion(versions);
  // A newer one than the newest is pending: once acknowledged it would be what everybody uses.
  if (newest === undefined || at.version > newest.statement.version) return refusal('PENDING', `${at.name} version ${at.version} waits for its custodians: it is used nowhere yet`);
  if (newest === version) {
    return refusal('NOT_ALLOWED', `${at.name} version ${at.version} is its newest: there is nothing to use instead`, `Make the next one first: oxp-vault rotate ${at.name}`);
  }
  const retired = { leaf: context.leaf, by: context.actor.person };
  return { ...state, versions: state.versions.set(at.name, versions.map((ver) => (ver === version ? { ...ver, retired } : ver))) };
}

function actsFor(context: SealContext, roles: readonly string[]): boolean {
  const own = context.authority.rolesOf(context.actor.person);
  return roles.some((role) => own.includes(role));
}
