/** Shares back into the identity that opens a version: every share is checked before any is used, and the result against what was signed. */
import { VaultError } from '../errors.js';
import { identityOfBytes, IDENTITY_SIZE } from '../primitives/age-identity.js';
import { suiteOf } from '../primitives/age-recipient.js';
import { identityToRecipient } from '../primitives/age.js';
import { treeInWords } from '../primitives/threshold-tree.js';
import { matchesCommitment } from './share.js';
import { joinAlong, leafShareFault } from './split.js';
import { leafAt, type CustodyRecord } from './state.js';

export interface GivenShare {
  /** Which leaf it is for. */
  readonly path: string;
  readonly share: Uint8Array;
}

/** What combining needs to know of a version; as in its signed statement. */
export type Combinable = Pick<CustodyRecord, 'name' | 'version' | 'tree' | 'recipient'> & {
  readonly leaves: readonly Pick<CustodyRecord['leaves'][number], 'path' | 'person' | 'commitment'>[];
};

/** SHARE_MISMATCH, with the custodian's name, unless these bytes are the share that was dealt to the leaf. */
export function checkShare(vault: string, version: Combinable, { path, share }: GivenShare): void {
  const label = `${version.name} v${version.version}`;
  const leaf = leafAt(version, path);
  if (!leaf) throw new VaultError('SHARE_MISMATCH', `${label} has no share ${path}`);
  const fault = leafShareFault(version.tree, path, IDENTITY_SIZE, share);
  if (fault !== undefined) throw new VaultError('SHARE_MISMATCH', `the share of ${label} from ${leaf.person} is none: ${fault}`, { hint: ANOTHER });
  if (!matchesCommitment({ vault, name: version.name, version: version.version, path }, share, leaf.commitment)) {
    throw new VaultError('SHARE_MISMATCH', `the share of ${label} from ${leaf.person} is not the one that was dealt: it does not match its signed commitment`, {
      hint: ANOTHER,
    });
  }
}

const ANOTHER = 'Take another custodian\'s share, or an earlier file of the same one.';

/**
 * The age identity line that opens the version. SHARE_MISMATCH for a wrong share, or one given twice; NEEDS_SHARES for too few; SEALER_FAULT
 * where right shares give another identity than the sealer signed. Nothing is given out in any of these cases.
 */
export async function combineShares(vault: string, version: Combinable, given: readonly GivenShare[]): Promise<string> {
  const label = `${version.name} v${version.version}`;
  const shares = new Map<string, Uint8Array>();
  for (const each of given) {
    checkShare(vault, version, each);
    if (shares.has(each.path)) throw new VaultError('SHARE_MISMATCH', `the share ${each.path} of ${label} is given twice`);
    shares.set(each.path, each.share);
  }
  let raw: Uint8Array | undefined;
  try {
    raw = await joinAlong(version.tree, IDENTITY_SIZE, shares);
  } catch (cause) {
    // They are the shares that were dealt, so they were dealt wrongly: two of one index, for example.
    throw new VaultError('SEALER_FAULT', `the shares of ${label} cannot be put together`, { cause });
  }
  if (!raw) {
    const have = given.map(({ path }) => leafAt(version, path)!.person).join(' ') || 'nobody';
    throw new VaultError('NEEDS_SHARES', `${label} needs shares of ${treeInWords(version.tree)}, and there are those of ${have}`);
  }
  const identity = identityOfBytes(raw, { pq: suiteOf(version.recipient) === 'hybrid' });
  raw.fill(0);
  if ((await identityToRecipient(identity)) !== version.recipient) {
    throw new VaultError('SEALER_FAULT', `the shares of ${label} give another identity than the one it is sealed to`, {
      hint: 'Other shares may do; tell whoever sealed it.',
    });
  }
  return identity;
}
