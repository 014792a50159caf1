/** What is around a program that uses a vault. Injected, so that tests can have others. */

/** The content of an identity file: for machines that are given their secrets in variables. */
export const IDENTITY_DATA = 'OXP_VAULT_IDENTITY_DATA';

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** An absolute path. */
  readonly cwd: string;
}
