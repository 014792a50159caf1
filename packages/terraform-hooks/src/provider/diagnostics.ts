/** How an error looks in Terraform. It goes to a terminal, to logs and into CI output: never a value. */
import { VaultError } from '@oxp-vault/core';
import { AttributeFault } from './schema.js';

const SEVERITY_ERROR = 1;

/** A Diagnostic message. */
export interface Diagnostic {
  readonly severity: number;
  readonly summary: string;
  readonly detail: string;
  readonly attribute?: { readonly steps: readonly { readonly attributeName: string }[] };
}

/** What nobody foresaw is INTERNAL, and its own message is not shown: it may quote what it stumbled over. */
export function diagnosticOf(error: unknown): Diagnostic {
  if (error instanceof AttributeFault) return { ...diagnosticOf(error.fault), attribute: { steps: [{ attributeName: error.attribute }] } };
  const { code, message, details, hint } =
    error instanceof VaultError ? error : new VaultError('INTERNAL', 'something happened that the provider does not know how to handle', { hint: `Please report it (${error instanceof Error ? error.name : typeof error}).` });
  const lines = [...details, ...(hint === undefined ? [] : [hint]), `More: oxp-vault help ${code}`];
  return { severity: SEVERITY_ERROR, summary: `${code}: ${message}`, detail: lines.join('\n') };
}
