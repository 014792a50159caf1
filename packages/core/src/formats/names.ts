/** Names that other tools want, derived from a secret's name. */
import { VaultError } from '../errors.js';
import { compareText } from '../primitives/compare.js';
import { label, type OpenedSecret } from './format.js';

/**
 * Pairs each secret with the name that `derive` gives it, in the order of those names. Two secrets with one derived name
 * would overwrite each other without a word: FORMAT_UNSUITABLE.
 */
export function derived(
  secrets: readonly OpenedSecret[],
  derive: (secret: OpenedSecret) => string,
): { readonly name: string; readonly secret: OpenedSecret }[] {
  const taken = new Map<string, OpenedSecret>();
  for (const secret of secrets) {
    const name = derive(secret);
    const other = taken.get(name);
    if (other !== undefined) throw collision(label(other), label(secret), name);
    taken.set(name, secret);
  }
  return [...taken].map(([name, secret]) => ({ name, secret })).sort((a, b) => compareText(a.name, b.name));
}

export function collision(one: string, other: string, name: string): VaultError {
  return new VaultError('FORMAT_UNSUITABLE', `${one} and ${other} would both be called ${name}`, {
    hint: 'Open them one at a time, or as json, which keeps names as they are.',
  });
}

/** `dns/rfc2136_tsig_secret` -> `DNS_RFC2136_TSIG_SECRET`; `pki/root#certificate` -> `PKI_ROOT_CERTIFICATE`. */
export function upperName(secret: OpenedSecret, prefix = ''): string {
  return prefix + identifier(secret).toUpperCase();
}

/** `dns/rfc2136_tsig_secret` stays `dns_rfc2136_tsig_secret`. */
export function lowerName(secret: OpenedSecret, prefix = ''): string {
  return prefix + identifier(secret).toLowerCase();
}

function identifier(secret: OpenedSecret): string {
  return label(secret).replace(/[^A-Za-z0-9]/g, '_');
}

/** `dns/rfc2136_tsig_secret` -> `dns-rfc2136-tsig-secret`, a DNS label save for its length. */
export function dnsName(secret: OpenedSecret): string {
  return label(secret).toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/-$/, '');
}
