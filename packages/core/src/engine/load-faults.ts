/** What a load can find wrong, in words. */
import type { LogPoint, VaultCheckpoint } from '../audit/checkpoint.js';
import { PUT_BACK, VaultError } from '../errors.js';

/** What a load must agree with beside `known`: points of the log that somebody vouched for. */
export interface Vouched extends LogPoint {
  /** Whose word it is, for the message: "this machine", "--expect". */
  readonly by: string;
}

export function upgradeRequired(format: number): VaultError {
  return new VaultError('UPGRADE_REQUIRED', `this vault has moved on to policy format ${format}, which this release does not know`, { hint: 'Install a newer oxp-vault.' });
}

export function incomplete(path: string): VaultError {
  return new VaultError('STORE_INCOMPLETE', `${path} is missing, or not what was signed: this state of the vault is not accepted`, { hint: PUT_BACK });
}

export function rollback(checkpoint: VaultCheckpoint, point: Vouched): VaultError {
  return new VaultError('ROLLBACK', `this vault is older than what ${point.by === 'this machine' ? 'this machine has already seen' : `${point.by} names`}`, {
    details: [
      `seen   ${point.size} entries, root ${point.root.slice(0, 8)}`,
      `here   ${checkpoint.size} entries, root ${checkpoint.root.slice(0, 8)}`,
      'A restored backup shows this, and so does someone hiding a change. Ask who set it back.',
    ],
    hint: 'If it was a backup, put a newer copy in its place: a colleague has the missing entries, or a later backup.',
  });
}

export function forked(checkpoint: VaultCheckpoint, point: Vouched): VaultError {
  return new VaultError('FORK', `this is another history of the vault than the one that ${point.by} knows`, {
    details: [`known  ${point.size} entries, root ${point.root.slice(0, 8)}`, `here   ${checkpoint.size} entries, root ${checkpoint.root.slice(0, 8)}`],
    hint: 'Two histories of one vault exist. Compare `oxp-vault status` with a colleague before you go on.',
  });
}
