/** The provider block: which vault, as whom. What it leaves out is found as the command finds it. */
import type { Attributes, Config } from './schema.js';

export interface ProviderSettings {
  readonly vault?: string;
  readonly expect?: string;
  readonly identity?: string;
  readonly passphraseFile?: string;
  /** Only what this role reads is given. */
  readonly role?: string;
}

const setting = (description: string): Attributes[string] => ({ type: 'string', use: 'optional', description });

export const SETTINGS: Attributes = {
  vault: setting('The address of the vault. Else OXP_VAULT, else the nearest oxp-vault.yaml or vault above the working directory.'),
  expect: setting('VAULT[@SIZE:ROOT]: the vault this must be, and a point its log must contain. Else OXP_VAULT_EXPECT.'),
  identity: setting('The identity file. Else OXP_VAULT_IDENTITY, or its content in OXP_VAULT_IDENTITY_DATA.'),
  passphrase_file: setting('Where the passphrase of the identity stands. Else OXP_VAULT_PASSPHRASE_FILE.'),
  role: setting('Give only what this role reads. Else OXP_VAULT_ROLE, else whatever the identity may read.'),
};

/** Throws UNSUPPORTED for what is not known yet. */
export function readSettings(config: Config): ProviderSettings {
  const settings = {
    vault: config.text('vault'),
    expect: config.text('expect'),
    identity: config.text('identity'),
    passphraseFile: config.text('passphrase_file'),
    role: config.text('role'),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
