/** A Scaleway API key as Scaleway's tools and an S3 client find it in their environment. */
import { findVersion, type Secret, type Vault, VaultError, type View } from '@oxp-vault/core';

/** https://github.com/scaleway/scaleway-sdk-go, scw: variables by public part of the key. */
const PUBLIC: readonly (readonly [string, string])[] = [
  ['access', 'SCW_ACCESS_KEY'], ['project', 'SCW_DEFAULT_PROJECT_ID'], ['organization', 'SCW_DEFAULT_ORGANIZATION_ID'], ['region', 'SCW_DEFAULT_REGION'],
  // Object storage speaks S3, and Terraform's backend for it asks for these.
  ['access', 'AWS_ACCESS_KEY_ID'], ['region', 'AWS_DEFAULT_REGION'],
];
const PRIVATE = ['SCW_SECRET_KEY', 'AWS_SECRET_ACCESS_KEY'];

export interface ScalewayVariables {
  /** As the statement has them. */
  readonly shown: readonly (readonly [variable: string, value: string])[];
  readonly secret: Secret;
  /** What the secret is called. */
  readonly hidden: readonly string[];
}

/** Throws FORMAT_UNSUITABLE for what is no Scaleway key, and what opening throws. */
export async function scalewayVariables(vault: Vault, name: string, read: (view: View) => Promise<Secret>): Promise<ScalewayVariables> {
  const { statement } = findVersion(vault, name);
  const parts = statement.public;
  if (statement.kind !== 'api-key' || parts['provider'] !== 'scaleway') {
    throw new VaultError('FORMAT_UNSUITABLE', `${name} is no Scaleway API key`, { hint: 'Give it to the variable that the program reads: --env VAR=NAME' });
  }
  const shown = PUBLIC.flatMap(([part, variable]): [string, string][] => {
    const value = parts[part];
    return typeof value === 'string' ? [[variable, value]] : [];
  });
  return { shown, secret: await read({ name, field: 'secret' }), hidden: PRIVATE };
}
