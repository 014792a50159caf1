/** Closed schemas of the op bodies that concern secrets (docs/format.md, "Ops"). */
import * as v from 'valibot';
import { Hex32, Name, RulePath, sortedSet, Text, Time } from '../wire.js';
import { Statement } from './statement.js';

export const SecretSeal = v.strictObject({ statement: Statement });
export type SecretSeal = v.InferOutput<typeof SecretSeal>;

/** UTF-16 code units that the log gives a purpose. */
export const MAX_PURPOSE = 200;
const Purpose = v.pipe(Text, v.maxLength(MAX_PURPOSE));

/** True for what the log takes as the purpose of an opening. */
export function isPurpose(text: string): boolean {
  return v.is(Purpose, text);
}

export const SecretOpen = v.union([
  /** Exactly these versions were opened. */
  v.strictObject({ statements: v.pipe(sortedSet(Hex32), v.minLength(1)), purpose: Purpose, online: v.boolean() }),
  /** A session that may open what these paths match, recorded before it serves. */
  v.strictObject({ scope: v.pipe(sortedSet(RulePath), v.minLength(1)), purpose: Purpose, online: v.boolean() }),
  /** The end of a session: what it really opened. `session` is the digest of the entry that began it. */
  v.strictObject({ session: Hex32, statements: sortedSet(Hex32), purpose: Purpose, online: v.boolean() }),
]);
export type SecretOpen = v.InferOutput<typeof SecretOpen>;

/** An empty scope ends all that its signer may end; `notAfter` 0 ends what it names. For each name the newest of an owner decides (standing.ts). */
export const SecretStanding = v.strictObject({ machine: Name, scope: sortedSet(RulePath), notAfter: Time });
export type SecretStanding = v.InferOutput<typeof SecretStanding>;

export const SecretRetire = v.strictObject({ statement: Hex32 });
export type SecretRetire = v.InferOutput<typeof SecretRetire>;
