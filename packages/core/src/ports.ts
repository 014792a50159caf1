/** What the library needs from outside, as narrow interfaces. Implementations are chosen at the edge. */

/** Where a vault lives. Everything but the checkpoint is written once under a name that contains its own digest. */
export interface Store {
  /** The address as a person would type it. */
  readonly address: string;
  /** Undefined when there is no such file. Links are not followed: LINK_REFUSED. Other trouble: STORE_IO. */
  get(path: string): Promise<Uint8Array | undefined>;
  /** Writes a new file durably. A file already there under this name holds these bytes, or is garbage and is replaced. */
  putNew(path: string, bytes: Uint8Array): Promise<void>;
  /** Paths of all plain files below `prefix` (ends in `/`), in ascending order. */
  list(prefix: string): Promise<string[]>;
  /** Garbage only. Removing what is not there is no error. */
  remove(path: string): Promise<void>;
  /**
   * The commit point: replaces the checkpoint if it still equals `old` (undefined: if there is none).
   * False when somebody else was first. LOCKED when a live or foreign process holds the lock.
   */
  swapCheckpoint(old: Uint8Array | undefined, next: Uint8Array): Promise<boolean>;
  /**
   * The same with files that appear only where nobody else was first, right before the checkpoint: for a store in which others see what
   * was put before a swap that then loses. Durable like those of `putNew`.
   */
  swapCheckpointWith?(old: Uint8Array | undefined, next: Uint8Array, files: StoreChange['files']): Promise<boolean>;
  /**
   * `putNew` of all files, the swap and the removal of what it replaces, as one act, where a store can do that: then a lost race
   * leaves nothing behind. Same answer and errors as `swapCheckpoint`.
   */
  commit?(change: StoreChange): Promise<boolean>;
  /**
   * Brings a local mirror up to date, if that is older than `maxAge` seconds (Infinity: not at all), and says how old it is. A store
   * without it is always read where it is. Reads never use the network, except the first one of a mirror that is not there yet.
   */
  refresh?(maxAge: number): Promise<Freshness>;
  /**
   * The states that this machine has seen whose checkpoint `accepts`, newest first, each to be read and verified like any store. Only
   * a store that keeps its past has it. Uses no network.
   */
  earlier?(accepts: (checkpoint: Uint8Array) => boolean): AsyncIterable<Store>;
  /** What lies there and is no file of a vault, each path with why; for a store whose next commit would drop it. */
  foreign?(): Promise<ReadonlyMap<string, string>>;
}

export interface StoreChange {
  readonly old: Uint8Array | undefined;
  readonly next: Uint8Array;
  readonly files: readonly { readonly path: string; readonly bytes: Uint8Array }[];
  /** Garbage once the swap is done. */
  readonly replaced: readonly string[];
  /** What happened, for a store that keeps a history for people: a line, then details. Public: no value is in it. */
  readonly about?: string;
}

export interface Freshness {
  /** When the mirror was last known to be the newest, whole seconds by the clock of this machine. Absent: never. */
  readonly fetched?: number;
}

/** Whole seconds since 1970-01-01 UTC. */
export interface Clock {
  now(): number;
}

/** Where pins, the verified-state cache and the queue live on this machine (0700; never in the vault). */
export interface LocalState {
  /** True where nothing outlasts this process: whatever has to wait for a later one cannot wait here. */
  readonly volatile?: boolean;
  read(path: string): Promise<Uint8Array | undefined>;
  /** Atomic and fsynced: the old content or the new one. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  remove(path: string): Promise<void>;
  list(prefix: string): Promise<string[]>;
}
