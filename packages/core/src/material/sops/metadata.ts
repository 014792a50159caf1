/** The metadata block of a SOPS file (stores/stores.go). Nothing vouches for it but the MAC over what it describes. */
import * as v from 'valibot';
import { badSops, unsupportedSops } from './model.js';

const AgeKey = v.object({ recipient: v.string(), enc: v.string() });
const Flag = v.pipe(v.union([v.boolean(), v.literal('true'), v.literal('false')]), v.transform((flag) => flag === true || flag === 'true'));

const Metadata = v.object({
  age: v.optional(v.nullable(v.array(AgeKey))),
  key_groups: v.optional(v.nullable(v.array(v.object({ age: v.optional(v.nullable(v.array(AgeKey))) })))),
  lastmodified: v.string(),
  mac: v.optional(v.nullable(v.string())),
  version: v.string(),
  unencrypted_suffix: v.optional(v.nullable(v.string())),
  encrypted_suffix: v.optional(v.nullable(v.string())),
  unencrypted_regex: v.optional(v.nullable(v.string())),
  encrypted_regex: v.optional(v.nullable(v.string())),
  unencrypted_comment_regex: v.optional(v.nullable(v.string())),
  encrypted_comment_regex: v.optional(v.nullable(v.string())),
  mac_only_encrypted: v.optional(v.nullable(Flag)),
});

const RULES = ['unencrypted_suffix', 'encrypted_suffix', 'unencrypted_regex', 'encrypted_regex', 'unencrypted_comment_regex', 'encrypted_comment_regex'] as const;
/** What sops takes where a file names no rule. */
const DEFAULT_SUFFIX = '_unencrypted';

export interface CryptRule {
  readonly by: (typeof RULES)[number];
  readonly pattern: string;
}

export interface SopsMetadata {
  /** One armored age file of the data key for each recipient. */
  readonly keys: readonly { readonly recipient: string; readonly enc: string }[];
  /** RFC 3339, as written: what the MAC is bound to. */
  readonly lastModified: string;
  /** Encrypted; empty where there is none. */
  readonly mac: string;
  readonly macOnlyEncrypted: boolean;
  readonly rule: CryptRule;
}

/** Throws BAD_MATERIAL where there is none or it is malformed, UNSUPPORTED for a data key in several parts or without age. */
export function readMetadata(raw: unknown): SopsMetadata {
  if (raw === undefined || raw === null) throw badSops('has no sops metadata: it is not encrypted, or somebody took the metadata off', 'A file in clear is taken in as it is: oxp-vault seal NAME --from FILE');
  const parsed = v.safeParse(Metadata, raw);
  if (!parsed.success) throw badSops(`has metadata that sops does not write: ${v.getDotPath(parsed.issues[0]) ?? 'sops'}`);
  const { age, key_groups: groups, lastmodified, mac, mac_only_encrypted: macOnly } = parsed.output;
  const rules = RULES.flatMap((by) => (parsed.output[by] ? [{ by, pattern: parsed.output[by] }] : []));
  if (rules.length > 1) throw badSops('has more than one rule for what is encrypted, which sops refuses as well');
  if (groups && groups.length > 1) throw unsupportedSops('has its data key split over several key groups, which this release does not combine');
  const keys = [...(age ?? []), ...(groups?.[0]?.age ?? [])];
  if (keys.length === 0) throw unsupportedSops('has no age recipient: its data key is under a KMS or PGP key');
  return { keys, lastModified: lastmodified, mac: mac ?? '', macOnlyEncrypted: macOnly ?? false, rule: rules[0] ?? { by: 'unencrypted_suffix', pattern: DEFAULT_SUFFIX } };
}

/** Whether the value under these keys is encrypted; undefined where only its form can tell, because the rule goes by comments. */
export function cryptRule({ by, pattern }: CryptRule): (keys: readonly string[]) => boolean | undefined {
  switch (by) {
    case 'unencrypted_suffix':
      return (keys) => !keys.some((key) => key.endsWith(pattern));
    case 'encrypted_suffix':
      return (keys) => keys.some((key) => key.endsWith(pattern));
    case 'unencrypted_regex':
    case 'encrypted_regex': {
      const expression = goRegex(pattern);
      return (keys) => keys.some((key) => expression.test(key)) === (by === 'encrypted_regex');
    }
    case 'unencrypted_comment_regex':
    case 'encrypted_comment_regex':
      return () => undefined;
  }
}

/** RE2 as far as both know it: flags stand at the beginning there. */
function goRegex(pattern: string): RegExp {
  const [, flags = '', rest = pattern] = /^\(\?([ims]+)\)([^]*)$/.exec(pattern) ?? [];
  try {
    return new RegExp(rest, `u${flags}`);
  } catch {
    throw unsupportedSops('has a rule for what is encrypted whose regular expression is not understood here');
  }
}
