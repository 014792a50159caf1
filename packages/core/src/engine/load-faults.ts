/** What a load can find wrong, in words. */
import type { LogPoint, VaultCheckpoint } from '../audit/checkpoint.js';
import { PUT_BACK, VaultError } from '../errors.js';
import type { Store } from '../ports.js';
import { entries } from '../primitives/count.js';

/** What a load must agree with beside `known`: points of the log that somebody vouched for. */
export interface Vouched extends LogPoint {
  /** Whose word it is, for the message: "this machine", "--expect". */
  readonly by: string;
}

/** What to do about two histories. */
export const FORKED = 'Two histories of one vault exist. Agree by voice which one counts: compare `oxp-vault status` with a colleague. Then: oxp-vault sync --repin SIZE:ROOT. What is still valid of the other: oxp-vault sync --from COPY';

export function upgradeRequired(format: number): VaultError {
  return new VaultError('UPGRADE_REQUIRED', `this vault has moved on to policy format ${format}, which this release does not know`, {
    hint: 'Install a newer oxp-vault.',
  });
}

export function incomplete(path: string): VaultError {
  return new VaultError('STORE_INCOMPLETE', `${path} is missing, or not what was signed: this state of the vault is not accepted`, { hint: PUT_BACK });
}

export function rollback(checkpoint: VaultCheckpoint, point: Vouched, store: Store): VaultError {
  const missing = point.size - checkpoint.size === 1 ? 'the missing entry' : `the missing ${entries(point.size - checkpoint.size)}`;
  const restore = store.earlier && point.by === 'this machine' ? `this machine has ${missing}: oxp-vault sync --restore` : `put ${missing} back from a newer copy: oxp-vault sync --restore --from COPY`;
  return new VaultError('ROLLBACK', `this vault is older than what ${point.by === 'this machine' ? 'this machine has already seen' : `${point.by} names`}`, {
    details: [
      `seen   ${entries(point.size)}, root ${point.root.slice(0, 8)}`,
      `here   ${entries(checkpoint.size)}, root ${checkpoint.root.slice(0, 8)}`,
      'A restored backup shows this, and so does someone hiding a change. Ask who set it back.',
    ],
    hint: `If it was a backup, ${restore}`,
  });
}

export function forked(checkpoint: VaultCheckpoint, point: Vouched): VaultError {
  return new VaultError('FORK', `this is another history of the vault than the one that ${point.by} knows`, {
    details: [`known  ${entries(point.size)}, root ${point.root.slice(0, 8)}`, `here   ${entries(checkpoint.size)}, root ${checkpoint.root.slice(0, 8)}`],
    hint: FORKED,
  });
}
