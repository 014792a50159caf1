/**
 * The canonical form of a TSIG key name: lower case, with the final dot (RFC 8945 section 4.2: names are compared as DNS names).
 * Undefined for what is none: labels of 1 to 63 letters, digits, `-` and `_`; 253 characters without the final dot.
 */
export function canonicalKeyName(name: string): string | undefined {
  const labels = name.toLowerCase().replace(/\.$/, '').split('.');
  if (labels.join('.').length > 253) return undefined;
  return labels.every((label) => /^[a-z0-9_-]{1,63}$/.test(label)) ? `${labels.join('.')}.` : undefined;
}

/**
 * The name of the key that follows: `external-dns.`, `external-dns-v2.`, `external-dns-v3.`. Name servers refuse two keys of one
 * name, and both must be served while clients change over. Only the first label changes. Takes and gives canonical names;
 * undefined where the label has no room left.
 */
export function nextKeyName(name: string): string | undefined {
  const [, base, number, rest] = /^([^.]*?)(?:-v([1-9]\d{0,8}))?(\..*)$/.exec(name)!;
  return canonicalKeyName(`${base}-v${number === undefined ? 2 : Number(number) + 1}${rest}`);
}

/** Whether two canonical names are of one series, so that one can follow the other. */
export function sameKeySeries(a: string, b: string): boolean {
  const base = (name: string): string => name.replace(/^([^.]*?)-v[1-9]\d{0,8}\./, '$1.');
  return base(a) === base(b);
}
