/** What is around a program that uses a vault. Injected, so that tests can have others. */

/** The content of an identity file: for machines that are given their secrets in variables. */
export const IDENTITY_DATA = 'OXP_VAULT_IDENTITY_DATA';

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** An absolute path. */
  readonly cwd: string;
}

/** How a store is reached from here. */
export interface StoreSettings {
  readonly io: Pick<Surroundings, 'env'>;
  /** Never use the network. */
  readonly offline: boolean;
  /** Somebody is there whom git and ssh may ask. */
  readonly interactive: boolean;
  /** Told what git says of a long transfer; undefined when it is over. */
  readonly onProgress?: (text: string | undefined) => void;
}
