/** An `init` that was stopped half way: the vault is there, what belongs beside it is not. The same command gets to its end. */
import { isDeepStrictEqual } from 'node:util';
import { doHousekeeping, type Identity, type Policy, readLog, Vault, type VaultError, type VaultOptions } from '@oxp-vault/core';

/** All that `init` itself writes into the log. */
const FIRST_OPS: readonly string[] = ['vault.init', 'role.epoch', 'role.grant'];

/**
 * The vault with what it lacks, where nothing but an `init` of this very device, with this very policy, has happened to it. Throws
 * `exists` for any other vault.
 */
export async function finishInit(options: VaultOptions & { identity: Identity }, wanted: Policy, exists: VaultError): Promise<Vault> {
  const { person, device } = options.identity.card;
  const vault = await Vault.open(options);
  const log = await readLog(vault);
  const mine = log.every((line) => line.person === person && line.device === device && FIRST_OPS.includes(line.op ?? ''));
  if (!mine || !isDeepStrictEqual(withoutNonce(vault.policy.policy), withoutNonce(wanted))) throw exists;
  await vault.confirm();
  await doHousekeeping(vault);
  return vault;
}

function withoutNonce(policy: Policy): Policy {
  return { ...policy, nonce: '' };
}
