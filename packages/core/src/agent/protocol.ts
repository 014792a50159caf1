/** What is said over the socket of an agent (docs/agent.md): HTTP, so that `curl --unix-socket` alone is a client. */
import * as v from 'valibot';
import { ERROR_CODES, type ErrorClass, type ErrorCode } from '../error-codes.js';
import { VaultError } from '../errors.js';

/** Host names mean nothing on a Unix socket; a URL has to have one. */
export const ORIGIN = 'http://oxp-vault';

export const PATHS = {
  status: '/v1/status',
  /** Followed by the name: the value, as it is. */
  secret: '/v1/secret/',
  secrets: '/v1/secrets',
  render: '/v1/render',
  refresh: '/v1/refresh',
  append: '/v1/append',
  drain: '/v1/drain',
  stop: '/v1/stop',
} as const;

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

export const AgentStatus = v.object({
  vault: v.string(),
  address: v.string(),
  person: v.string(),
  device: v.string(),
  scope: v.array(v.string()),
  pid: Count,
  /** True where it also signs what is written every day below its scope. */
  writes: v.optional(v.boolean()),
  /** Whole seconds since 1970. */
  since: Count,
  until: Count,
  entries: Count,
  /** Root of the log at that size: what is kept by it stays right until there is news. */
  root: v.string(),
  /** Names that were opened so far. */
  opened: v.array(v.string()),
  /** Why what it knows of the vault may be old: the newest fault of looking for news. */
  fault: v.optional(v.object({ code: v.string(), message: v.string() })),
});
export type AgentStatus = v.InferOutput<typeof AgentStatus>;

const Wanted = v.pipe(v.array(v.object({ name: v.string(), field: v.optional(v.string()), version: v.optional(v.pipe(Count, v.minValue(1))) })), v.minLength(1), v.maxLength(1000));

/** Several at once, or all that a role reads; all, or an error. `vault`, where given, is the one that must be meant. */
export const SecretsRequest = v.union([v.object({ vault: v.optional(v.string()), secrets: Wanted }), v.object({ vault: v.optional(v.string()), role: v.string() })]);
export type SecretsRequest = v.InferOutput<typeof SecretsRequest>;

export const SecretsAnswer = v.object({
  secrets: v.array(v.object({ name: v.string(), field: v.optional(v.string()), version: Count, kind: v.string(), base64: v.string() })),
});
export type SecretsAnswer = v.InferOutput<typeof SecretsAnswer>;

/** The same as one document in a format of `open` that is a stream of bytes. */
export const RenderRequest = v.object({ vault: v.optional(v.string()), secrets: Wanted, format: v.string() });

export const RenderAnswer = v.object({ format: v.string(), base64: v.string() });

const Fault = v.object({ code: v.string(), message: v.string(), hint: v.optional(v.string()) });
const ErrorAnswer = v.object({ error: Fault });

/** What is to be signed and appended, all or nothing, as bodies by op: no bytes are signed that somebody else has made. */
export const AppendRequest = v.strictObject({
  vault: v.string(),
  acts: v.pipe(v.array(v.strictObject({ op: v.string(), body: v.record(v.string(), v.unknown()) })), v.minLength(1)),
  files: v.array(v.strictObject({ path: v.string(), base64: v.string() })),
  /** Where the store cannot be written, they wait in the queue. */
  keep: v.boolean(),
});
export type AppendRequest = v.InferOutput<typeof AppendRequest>;

const point = { size: Count, root: v.string() };
export const AppendAnswer = v.object({ ...point, digests: v.array(v.string()), waits: v.optional(Fault) });

export const DrainRequest = v.strictObject({ vault: v.string() });
export const DrainAnswer = v.object({
  ...point,
  appended: v.array(v.string()),
  rejected: v.array(v.object({ digest: v.string(), op: v.string(), person: v.string(), reason: v.string() })),
  present: Count,
});

/** Throws WRONG_VAULT where a question means another vault than the one that is served. */
export function mustMean(served: string, asked: string | undefined): void {
  if (asked !== undefined && asked !== served) throw new VaultError('WRONG_VAULT', `this agent serves vault ${served.slice(0, 8)}, and ${asked.slice(0, 8)} is asked for`);
}

const STATUS: Readonly<Record<ErrorClass, number>> = { unexpected: 500, usage: 400, denied: 403, 'not-found': 404, conflict: 409, 'needs-others': 409, identity: 401, verification: 502, store: 503 };

export function statusOf(error: VaultError): number {
  return STATUS[error.class];
}

/** The error that the agent reports, as its own client throws it. */
export function errorFrom(body: unknown): VaultError {
  const parsed = v.safeParse(ErrorAnswer, body);
  return faultFrom(parsed.success ? parsed.output.error : { code: '', message: '' });
}

/** An error as it is told over the socket. */
export function faultOf({ code, message, hint }: VaultError): v.InferOutput<typeof Fault> {
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

export function faultFrom({ code, message, hint }: v.InferOutput<typeof Fault>): VaultError {
  if (!isCode(code)) return new VaultError('AGENT_UNREACHABLE', 'the agent gave an answer that this release does not understand', { hint: 'Start it anew: oxp-vault agent stop, then oxp-vault agent start' });
  return new VaultError(code, message, hint === undefined ? {} : { hint });
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}
