/** Who acts for a person whose identity is unlocked elsewhere: an agent. Its private key never comes here, and it signs no bytes that it is given. */
import type { LogPoint } from './audit/checkpoint.js';
import type { Acts } from './engine/append.js';
import type { Drained } from './engine/queue.js';
import type { VaultError } from './errors.js';
import type { Card } from './policy/card.js';
import type { Secret } from './secret.js';

/** Files of exact versions, opened and recorded by somebody: this process, a session, an agent. */
export type FileSource = (wanted: readonly { readonly name: string; readonly version: number }[]) => Promise<readonly { readonly name: string; readonly version: number; readonly file: Secret }[]>;

export interface Appended {
  /** The log with them, or as it was where they wait. */
  readonly point: LogPoint;
  /** Of their entries, in order. */
  readonly digests: readonly string[];
  /** Why the store could not be written, where they wait. */
  readonly waits?: VaultError;
}

export interface Deputy {
  /** Of the identity that it holds. */
  readonly card: Card;
  readonly open: FileSource;
  /**
   * Judges, signs and appends. `keep`: where the store cannot be written they wait on this machine, and the fault is given back. Throws what the log
   * refuses, and NOT_ALLOWED for what it does not sign.
   */
  append(acts: Acts, options: { readonly keep: boolean }): Promise<Appended>;
  /** Appends what waits on this machine. */
  drain(): Promise<Drained & { readonly point: LogPoint }>;
}
