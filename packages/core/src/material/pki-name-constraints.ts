import forge from 'node-forge';

/** DNS name constraints of a CA certificate (RFC 5280 section 4.2.1.10). An absent list constrains nothing. */
export interface NameConstraints {
  readonly permit?: readonly string[];
  readonly exclude?: readonly string[];
}

export const OID_NAME_CONSTRAINTS = '2.5.29.30';

const { asn1 } = forge;
const { Class, Type } = asn1;
/** Context tags 0, 1 and 2, in forge's names for those numbers: it types every tag as a universal one. */
const PERMITTED = Type.NONE;
const EXCLUDED = Type.BOOLEAN;
const DNS_NAME = Type.INTEGER;

/** DER of the NameConstraints value. `@peculiar/x509` has no class for it. */
export function encodeNameConstraints(constraints: NameConstraints): Uint8Array {
  const subtrees = (tag: forge.asn1.Type, names: readonly string[] | undefined): forge.asn1.Asn1[] => {
    if (names === undefined) return [];
    const bases = names.map((name) => asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, [asn1.create(Class.CONTEXT_SPECIFIC, DNS_NAME, false, name)]));
    return [asn1.create(Class.CONTEXT_SPECIFIC, tag, true, bases)];
  };
  const value = asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, [...subtrees(PERMITTED, constraints.permit), ...subtrees(EXCLUDED, constraints.exclude)]);
  return Uint8Array.from(Buffer.from(asn1.toDer(value).getBytes(), 'latin1'));
}

/** Reads what encodeNameConstraints writes; undefined for constraints of other kinds (addresses, directory names…), which are not understood here. */
export function decodeNameConstraints(der: Uint8Array): NameConstraints | undefined {
  const parts = childrenOf(asn1.fromDer(Buffer.from(der).toString('latin1')));
  const lists: { permit?: string[]; exclude?: string[] } = {};
  for (const part of parts) {
    const names = childrenOf(part).map((subtree) => {
      const [base, ...more] = childrenOf(subtree);
      const understood = base !== undefined && more.length === 0 && base.tagClass === Class.CONTEXT_SPECIFIC && base.type === DNS_NAME;
      return understood && typeof base.value === 'string' ? base.value : undefined;
    });
    if (names.includes(undefined)) return undefined;
    lists[part.type === PERMITTED ? 'permit' : 'exclude'] = names as string[];
  }
  return lists;
}

function childrenOf(node: forge.asn1.Asn1): forge.asn1.Asn1[] {
  return Array.isArray(node.value) ? node.value : [];
}

/** Whether `name` is `subtree` or below it. */
export function isWithin(name: string, subtree: string): boolean {
  return name === subtree || name.endsWith(`.${subtree}`);
}

/** The first permitted name of a CA that its issuer does not permit: nothing under it would ever be accepted. */
export function outsideOf(child: NameConstraints, issuer: NameConstraints): string | undefined {
  return child.permit?.find((name) => {
    const permitted = issuer.permit === undefined || issuer.permit.some((subtree) => isWithin(name, subtree));
    return !permitted || (issuer.exclude ?? []).some((subtree) => isWithin(name, subtree));
  });
}
