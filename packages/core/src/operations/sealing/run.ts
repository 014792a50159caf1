/** Doing what a seal plan says: values are made in memory, sealed, and appended as one batch; plaintext never touches a disk. */
import { isVaultError, VaultError } from '../../errors.js';
import { materialKind, type GenerateContext, type Material } from '../../material/index.js';
import { MAX_PURPOSE } from '../../seal/ops.js';
import type { Vault } from '../../vault.js';
import { decryptVersions, openSecrets } from '../opening/open.js';
import { sealBatch, type Sealable } from './seal.js';
import { refusedLine, wipePlan, type SealLine, type SealPlan, type SealSource } from './plan.js';

/**
 * Runs the plan and gives its lines, now with what really happened. A line whose value cannot be made is refused and the others
 * go on; the append is all or nothing. Throws what appending throws. Values are wiped before it returns.
 */
export async function runSealPlan(vault: Vault, plan: SealPlan): Promise<SealLine[]> {
  const made = new Map<string, Material>();
  const items: Sealable[] = [];
  const lines: SealLine[] = [];
  try {
    for (const { line, source } of plan.steps) {
      if (!source) {
        lines.push(line);
        continue;
      }
      try {
        const item = await valueOf(vault, line, source, made);
        items.push(item);
        lines.push(source.from === 'generator' ? { ...line, words: `${await describe(item)}, generated` } : line);
      } catch (error) {
        if (!isVaultError(error) || error.class === 'store' || error.class === 'conflict') throw error;
        lines.push(refusedLine(line, line.version - 1, error));
      }
    }
    if (items.length > 0) await vault.append(await sealBatch(vault, items));
    return lines;
  } finally {
    wipePlan(plan);
    for (const { file } of [...made.values(), ...items]) file.wipe();
  }
}

async function valueOf(vault: Vault, line: SealLine, source: SealSource, made: Map<string, Material>): Promise<Sealable> {
  const { name } = line;
  switch (source.from) {
    case 'import':
      made.set(name, source.material);
      return { name, ...source.material, origin: 'imported' };
    case 'version': {
      const { statement, digest } = source.version;
      const [opened] = await decryptVersions(vault, [source.version]);
      return { name, kind: statement.kind, file: opened!.file, parameters: statement.parameters, public: statement.public, origin: { resealOf: digest } };
    }
    case 'generator': {
      const { wanted, previous } = source;
      const kind = await materialKind(wanted.kind);
      if (!kind.generate) throw new VaultError('UNSUPPORTED', `a ${wanted.kind} cannot be made, only taken in`, { hint: `oxp-vault seal ${name} --from FILE` });
      const context: GenerateContext = {
        now: vault.clock.now(),
        name,
        issuer: (issuer) => issuerMaterial(vault, issuer, name, made),
        ...(previous ? { previous: previous.statement } : {}),
      };
      const material = await kind.generate(wanted.parameters, context);
      const amiss = (await kind.check(material, { now: context.now })).find((r) => !r.ok);
      if (amiss) throw new VaultError('SELF_CHECK_FAILED', `${name} was made and fails its own check: ${amiss.check}`, { details: amiss.detail === undefined ? [] : [amiss.detail] });
      made.set(name, material);
      return { name, ...material, origin: 'generated' };
    }
  }
}

/** The CA made earlier in this run, or opened from the vault, which is recorded like every opening. */
async function issuerMaterial(vault: Vault, issuer: string, name: string, made: Map<string, Material>): Promise<Material> {
  const earlier = made.get(issuer);
  if (earlier) return earlier;
  const [opened] = await openSecrets(vault, { secrets: [{ name: issuer }], purpose: `issue ${name}`.slice(0, MAX_PURPOSE) });
  const { kind, file, parameters, public: publicParts } = opened!;
  const material: Material = { kind, file, parameters, public: publicParts };
  made.set(issuer, material);
  return material;
}

async function describe(item: Sealable): Promise<string> {
  return (await materialKind(item.kind)).describe(item.parameters);
}
