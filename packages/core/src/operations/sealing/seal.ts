/** Sealing: one age file and one signed statement a version, exactly to the readers that the policy names. */
import type { Act, Acts, NewFile } from '../../engine/append.js';
import { inParallel } from '../../engine/parallel.js';
import { refusalToError, VaultError } from '../../errors.js';
import { sealAuthority } from '../../seal-authority.js';
import { ageEncrypt } from '../../primitives/age.js';
import { sha256Hex } from '../../primitives/hash.js';
import { applySeal } from '../../seal/apply.js';
import type { SealAuthority, SealRule } from '../../seal/state.js';
import { ciphertextPath, type Custody, type Reader, type Statement } from '../../seal/statement.js';
import type { Secret } from '../../secret.js';
import { isSecretName, type JsonObject } from '../../wire.js';
import type { Vault } from '../../vault.js';
import { sealUnderCustody } from '../custody/seal.js';

/** A value ready to seal. The structural twin of a Material, so that sealing needs to know nothing of kinds. */
export interface Sealable {
  readonly name: string;
  readonly kind: string;
  readonly file: Secret;
  readonly parameters: JsonObject;
  readonly public: JsonObject;
  readonly origin: 'generated' | 'imported' | { readonly resealOf: string };
}

export interface Sealed {
  readonly name: string;
  readonly version: number;
  /** Under custody the version is pending until its custodians have acknowledged. */
  readonly statement: Statement;
}

/** The roles that would read a secret of this name; none under custody. Throws NOT_ALLOWED, EPOCH_MISSING. */
export function readersOf(vault: Vault, name: string): Reader[] {
  return readersUnder(vault, name, ruleOf(sealAuthority(vault.state), name));
}

function readersUnder(vault: Vault, name: string, rule: SealRule): Reader[] {
  const authority = sealAuthority(vault.state);
  return (rule.readers ?? []).map((role) => {
    const epoch = authority.epochOf(role);
    if (!epoch) {
      throw new VaultError('EPOCH_MISSING', `${name} is for role ${role}, which has no key yet`, {
        hint: `One of its members, or its steward, makes it: oxp-vault role rekey ${role}`,
      });
    }
    return { role, epoch: epoch.epoch, recipient: epoch.recipient };
  });
}

function ruleOf(authority: SealAuthority, name: string): SealRule {
  const rule = authority.rule(name);
  if (!rule) {
    throw new VaultError('NOT_ALLOWED', `no rule of the policy covers ${name}`, {
      hint: 'Add a rule for its path to policy.yaml, then: oxp-vault policy propose',
    });
  }
  return rule;
}

/** Acts and files that seal these values, for `append`. Each is judged by the very rules that every reader will apply. */
export async function sealBatch(vault: Vault, items: readonly Sealable[]): Promise<Acts & { sealed: Sealed[] }> {
  vault.requireActor();
  const misnamed = items.find((item) => !isSecretName(item.name));
  if (misnamed) {
    throw new VaultError('BAD_NAME', `${JSON.stringify(misnamed.name.slice(0, 80))} cannot name a secret`, {
      hint: 'Segments of a-z 0-9 . _ - that begin with a letter, joined by "/", without "..", at most 255 characters.',
    });
  }
  const twice = items.find((item, i) => items.findIndex((other) => other.name === item.name) !== i);
  if (twice) throw new VaultError('USAGE', `${twice.name} is to be sealed twice in one run`);
  const made = await inParallel(items, (item) => sealOne(vault, item));
  return { acts: made.map((m) => m.act), files: made.flatMap((m) => m.files), sealed: made.map(({ statement }) => ({ name: statement.name, version: statement.version, statement })) };
}

async function sealOne(vault: Vault, item: Sealable): Promise<{ act: Act; files: readonly NewFile[]; statement: Statement }> {
  const authority = sealAuthority(vault.state);
  const { statement, files } = await makeVersion(vault, item, ruleOf(authority, item.name));
  const { person, device, id } = vault.requireActor();
  const verdict = applySeal(vault.state.secrets, { statement }, { leaf: vault.state.size, time: vault.clock.now(), authority, actor: { person, device, key: id } });
  if ('code' in verdict) throw refusalToError(verdict);
  return { act: { op: 'secret.seal', body: { statement } }, files, statement };
}

/** Statement and files of the next version, sealed as `rule` says. Whether it may stand is judged by whoever signs it. */
export async function makeVersion(vault: Vault, item: Sealable, rule: SealRule): Promise<{ statement: Statement; files: readonly NewFile[] }> {
  const last = vault.state.secrets.versions.get(item.name)?.at(-1);
  const { name, kind, parameters, origin } = item;
  const version = (last?.statement.version ?? 0) + 1;
  const { bytes, files, ...audience } = await sealFile(vault, { name, version }, item.file, rule);
  const statement: Statement = {
    name,
    version,
    previous: last?.digest ?? null,
    origin: typeof origin === 'string' ? { how: origin } : { how: 'reseal', of: origin.resealOf },
    kind,
    parameters,
    public: item.public,
    ciphertext: {
      sha256: sha256Hex(bytes),
      size: bytes.length,
      stanzas: { type: vault.policy.policy.suite === 'hybrid' ? 'mlkem768x25519' : 'X25519', count: 'readers' in audience ? audience.readers.length : 1 },
    },
    ...audience,
  };
  return { statement, files: [{ path: ciphertextPath(statement), bytes }, ...files] };
}

/** The age file, whom the statement names for it, and the further files that go with it. */
type SealedFile = { readonly bytes: Uint8Array; readonly files: readonly NewFile[] } & ({ readonly readers: Reader[] } | { readonly custody: Custody });

async function sealFile(vault: Vault, secret: { readonly name: string; readonly version: number }, file: Secret, rule: SealRule): Promise<SealedFile> {
  if (rule.custody) return sealUnderCustody(vault, secret, file, rule.custody);
  const readers = readersUnder(vault, secret.name, rule);
  return { bytes: await file.use((plain) => ageEncrypt(plain, readers.map((r) => r.recipient))), files: [], readers };
}
