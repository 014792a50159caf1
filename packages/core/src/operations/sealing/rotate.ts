/** The next version of what can be made here; for the rest, in words, what a person has to do. */
import { VaultError } from '../../errors.js';
import { isMaterialKind, materialKind } from '../../material/index.js';
import type { Card } from '../../policy/card.js';
import { versionsOf, type SecretVersion } from '../../seal/state.js';
import type { Vault } from '../../vault.js';
import { findVersion } from '../opening/open.js';
import { sealFault } from './faults.js';
import { readersInWords, refusedLine, type SealPlan, type SealStep } from './plan.js';

export interface RotationStep extends SealStep {
  /** What has to happen outside for the new value to count, or to get one: an imperative. */
  readonly todo: string;
  /** Versions in use until then: newest first, none of them retired. */
  readonly inUse: readonly number[];
}

export interface RotationPlan extends SealPlan {
  readonly steps: readonly RotationStep[];
}

/**
 * Plans the next version of each secret from its signed parameters. `dryRun`: for this person, whose identity need not be unlocked, and as
 * after the housekeeping of a writing command. Throws SECRET_NOT_FOUND, PENDING, USAGE, NOT_ENROLLED.
 */
export async function planRotation(vault: Vault, names: readonly string[], dryRun?: Card): Promise<RotationPlan> {
  const me = dryRun ? vault.requireEnrolledCard(dryRun) : vault.requireActor();
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new VaultError('USAGE', `${twice} is named twice`);
  const found = names.map((name) => findVersion(vault, name));
  const steps: RotationStep[] = [];
  // A CA goes before what it issues, so that the new intermediate is signed by the new issuer where both are rotated.
  for (const version of issuersFirst(found)) steps.push(await planOne(vault, version, me, dryRun !== undefined));
  return { steps };
}

async function planOne(vault: Vault, newest: SecretVersion, me: Card, chores: boolean): Promise<RotationStep> {
  const { name, kind: kindName, parameters, version } = newest.statement;
  const inUse = versionsOf(vault.state.secrets, name).filter((ver) => !ver.retired && ver.statement.version <= version).map((ver) => ver.statement.version).reverse();
  if (!isMaterialKind(kindName)) {
    return { line: refusedLine({ name, kind: kindName }, version, new VaultError('UNSUPPORTED', `this release knows no material of kind ${kindName}`, { hint: 'Install a newer oxp-vault.' })), todo: '', inUse };
  }
  const kind = await materialKind(kindName);
  const rotation = kind.rotation(parameters, newest.statement.public);
  const line = { name, kind: kindName };
  if (rotation.how !== 'generate') {
    const then = rotation.how === 'plan' ? {} : { hint: `Then: oxp-vault seal ${name} --from FILE` };
    return { line: refusedLine(line, version, new VaultError('UNSUPPORTED', `${name} cannot be made anew here: ${rotation.words}`, then)), todo: rotation.words, inUse };
  }
  const fault = sealFault(vault, name, chores, me);
  if (fault) return { line: refusedLine(line, version, fault), todo: rotation.words, inUse };
  const complete = kind.parameters(parameters, 'generate');
  const issuer = complete['issuer'];
  return {
    line: { ...line, action: 'generate', version: (vault.state.secrets.versions.get(name)?.at(-1)?.statement.version ?? 0) + 1, words: kind.describe(complete), readers: readersInWords(vault, name) },
    source: { from: 'generator', wanted: { name, kind: kindName, parameters: complete, ...(typeof issuer === 'string' ? { issuer } : {}) }, previous: newest },
    todo: rotation.words,
    inUse,
  };
}

function issuersFirst(versions: readonly SecretVersion[]): SecretVersion[] {
  const depth = (version: SecretVersion, seen: readonly string[] = []): number => {
    const issuer = versions.find((v) => v.statement.name === version.statement.parameters['issuer']);
    return !issuer || seen.includes(issuer.statement.name) ? 0 : 1 + depth(issuer, [...seen, version.statement.name]);
  };
  return [...versions].sort((a, b) => depth(a) - depth(b));
}
