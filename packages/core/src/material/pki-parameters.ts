import * as v from 'valibot';
import { isSecretName, type JsonObject } from '../wire.js';
import { integer, line, oneOf, ParameterError, parseParameters } from './parameters.js';

export const CA_ALGORITHMS = ['ecdsa-p384', 'ecdsa-p256', 'ed25519', 'rsa-4096'] as const;
export type CaAlgorithm = (typeof CA_ALGORITHMS)[number];

/** A CA given in three texts instead of one PEM bundle. */
export const CA_IMPORT_FIELDS = { key: 'required', certificate: 'required', chain: 'optional' } as const;

/** Attributes of a distinguished name in the order in which they are written, with their upper bounds (RFC 5280 appendix A). */
export const SUBJECT_ATTRIBUTES = { C: 2, ST: 128, L: 128, O: 64, OU: 64, CN: 64 } as const;
export type Subject = { readonly [A in keyof typeof SUBJECT_ATTRIBUTES]?: string };

export const CA_USAGES = ['serverAuth', 'clientAuth', 'codeSigning', 'emailProtection', 'timeStamping', 'ocspSigning'] as const;

const SubjectSchema = v.strictObject({
  CN: line(SUBJECT_ATTRIBUTES.CN),
  O: v.exactOptional(line(SUBJECT_ATTRIBUTES.O)),
  OU: v.exactOptional(line(SUBJECT_ATTRIBUTES.OU)),
  C: v.exactOptional(v.pipe(v.string(), v.regex(/^[A-Z]{2}$/, 'expected the two capital letters of a country'))),
  ST: v.exactOptional(line(SUBJECT_ATTRIBUTES.ST)),
  L: v.exactOptional(line(SUBJECT_ATTRIBUTES.L)),
});

/** A DNS name as a name constraint takes it (RFC 5280 section 4.2.1.10): it stands for itself and all below it. */
const DNS_WORDS = 'expected a DNS name in lower case without a leading dot or *';
const DnsName = v.pipe(
  v.string(),
  v.maxLength(253, DNS_WORDS),
  v.regex(/^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/, DNS_WORDS),
);
const DnsNames = v.pipe(
  v.array(DnsName),
  v.minLength(1, 'expected one DNS name at least'),
  v.maxLength(100, 'expected 100 DNS names at most'),
  v.check((names: string[]) => new Set(names).size === names.length, 'has the same name twice'),
);

const common = {
  subject: v.exactOptional(SubjectSchema),
  algorithm: v.optional(oneOf(CA_ALGORITHMS), 'ecdsa-p384'),
  permit: v.exactOptional(DnsNames),
  exclude: v.exactOptional(DnsNames),
};

const Root = v.strictObject({
  ...common,
  years: v.optional(integer(1, 40), 20),
  'path-length': v.optional(integer(0, 8), 1),
});

const Intermediate = v.strictObject({
  issuer: v.exactOptional(v.pipe(v.string(), v.check(isSecretName, 'expected the name of a secret, such as pki/root'))),
  ...common,
  years: v.optional(integer(1, 40), 5),
  'path-length': v.optional(integer(0, 8), 0),
  /** Extended key usages: with them, what it issues is good for nothing else. */
  usages: v.exactOptional(
    v.pipe(
      v.array(oneOf(CA_USAGES)),
      v.minLength(1, 'expected one usage at least'),
      v.check((usages) => new Set(usages).size === usages.length, 'has the same usage twice'),
    ),
  ),
});

export function isSubject(value: unknown): value is Subject {
  return v.is(SubjectSchema, value);
}

export type RootParameters = v.InferOutput<typeof Root>;
export type IntermediateParameters = v.InferOutput<typeof Intermediate>;

/** An imported CA brings its subject along; one to be made needs it said. */
export function rootParameters(raw: JsonObject, origin: 'generate' | 'import' = 'generate'): RootParameters {
  const parsed = parseParameters('pki-root', Root, raw);
  if (origin === 'generate' && parsed.subject === undefined) throw missing('pki-root', 'subject', 'subject: { CN: Example Root, O: Example }');
  return parsed;
}

export function intermediateParameters(raw: JsonObject, origin: 'generate' | 'import' = 'generate'): IntermediateParameters {
  const parsed = parseParameters('pki-intermediate', Intermediate, raw);
  if (origin === 'generate' && parsed.subject === undefined) throw missing('pki-intermediate', 'subject', 'subject: { CN: Example Issuing CA, O: Example }');
  if (origin === 'generate' && parsed.issuer === undefined) throw missing('pki-intermediate', 'issuer', 'issuer: the secret that holds the CA above, such as pki/root');
  return parsed;
}

function missing(kind: string, field: string, hint: string): ParameterError {
  return new ParameterError(kind, field, 'is missing', hint);
}
