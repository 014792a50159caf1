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

const ErrorAnswer = v.object({ error: v.object({ code: v.string(), message: v.string(), hint: v.optional(v.string()) }) });

const STATUS: Readonly<Record<ErrorClass, number>> = { unexpected: 500, usage: 400, denied: 403, 'not-found': 404, conflict: 409, 'needs-others': 409, identity: 401, verification: 502, store: 503 };

export function statusOf(error: VaultError): number {
  return STATUS[error.class];
}

/** The error that the agent reports, as its own client throws it. */
export function errorFrom(body: unknown): VaultError {
  const parsed = v.safeParse(ErrorAnswer, body);
  const { code = '', message = '', hint } = parsed.success ? parsed.output.error : {};
  if (!isCode(code)) return new VaultError('AGENT_UNREACHABLE', 'the agent gave an answer that this release does not understand', { hint: 'Start it anew: oxp-vault agent stop, then oxp-vault agent start' });
  return new VaultError(code, message, hint === undefined ? {} : { hint });
}

function isCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}
