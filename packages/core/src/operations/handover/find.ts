/** Which handover is meant, and what lies behind its targets. */
import { VaultError } from '../../errors.js';
import { handoverAuthority } from '../../handover-authority.js';
import type { HandoverAuthority } from '../../handover/authority.js';
import type { Handover, Offer } from '../../handover/state.js';
import type { PersistentMap } from '../../primitives/persistent-map.js';
import { type SecretVersion, versionOfStatement } from '../../seal/state.js';
import type { Vault } from '../../vault.js';

/** The handover with this id, or the beginning of it, at least four digits. Throws ENTRY_NOT_FOUND, USAGE. */
export function findHandover(vault: Vault, id: string): Handover {
  return byPrefix(vault.state.handovers.handovers, id, 'handover');
}

/** The offer with this id, or the beginning of it. Throws ENTRY_NOT_FOUND, USAGE. */
export function findOffer(vault: Vault, id: string): Offer {
  return byPrefix(vault.state.handovers.offers, id, 'offer');
}

function byPrefix<T>(all: PersistentMap<T>, id: string, what: string): T {
  const exact = all.get(id);
  if (exact) return exact;
  if (!/^[0-9a-f]{4,64}$/.test(id)) {
    throw new VaultError('USAGE', `that is no id of a ${what}: at least four of its digits, 0-9 and a-f`, {
      hint: 'See them all: oxp-vault handover list',
    });
  }
  const found = all.sortedKeys().filter((key) => key.startsWith(id));
  if (found.length > 1) {
    throw new VaultError('USAGE', `${id} can mean ${found.length} of them`, {
      hint: `Give more digits: ${found.map((key) => key.slice(0, 12)).join(', ')}`,
    });
  }
  const one = found[0] === undefined ? undefined : all.get(found[0]);
  if (!one) throw new VaultError('ENTRY_NOT_FOUND', `there is no ${what} ${id.slice(0, 8)}`, { hint: 'See them all: oxp-vault handover list' });
  return one;
}

export function authorityNow(vault: Vault): HandoverAuthority {
  return handoverAuthority(vault.state);
}

/** The version with this statement digest; a handover names only such. */
export function versionByDigest(vault: Vault, statement: string): SecretVersion {
  const found = versionOfStatement(vault.state.secrets, statement);
  if (!found) throw new VaultError('VERSION_NOT_FOUND', `no version has the statement digest ${statement.slice(0, 8)}`);
  return found;
}

/** What an act that this client is about to sign is judged by: its own clock, not a claim. */
export function contextNow(vault: Vault): { readonly time: number; readonly authority: HandoverAuthority } {
  return { time: vault.clock.now(), authority: authorityNow(vault) };
}
