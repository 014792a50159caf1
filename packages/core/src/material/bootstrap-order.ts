interface Issued {
  readonly name: string;
  readonly kind: string;
  readonly issuer?: string;
}

/**
 * The same secrets with every issuer before what it issues, otherwise in their order. An issuer that is not among them is taken to be
 * in the vault. `fail` makes the error for a secret whose issuer is no CA, or that would in the end issue itself.
 */
export function orderByIssuer<T extends Issued>(secrets: readonly T[], fail: (name: string, fault: string) => Error): T[] {
  const byName = new Map(secrets.map((secret) => [secret.name, secret]));
  const ordered = new Set<T>();
  const place = (secret: T, waiting: readonly string[]): void => {
    if (ordered.has(secret)) return;
    if (waiting.includes(secret.name)) {
      const circle = [...waiting.slice(waiting.indexOf(secret.name)), secret.name];
      throw fail(secret.name, `goes round in a circle: ${circle.join(' is issued by ')}`);
    }
    const issuer = secret.issuer === undefined ? undefined : byName.get(secret.issuer);
    if (issuer !== undefined) {
      if (issuer.kind !== 'pki-root' && issuer.kind !== 'pki-intermediate') throw fail(secret.name, `${issuer.name} is a ${issuer.kind}, not a CA`);
      place(issuer, [...waiting, secret.name]);
    }
    ordered.add(secret);
  };
  for (const secret of secrets) place(secret, []);
  return [...ordered];
}
