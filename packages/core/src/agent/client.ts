/** Asking an agent. Both ends look at whose the socket is; nothing is sent to one that could be somebody else's. */
import { request, type IncomingMessage } from 'node:http';
import * as v from 'valibot';
import type { Deputy, FileSource } from '../deputy.js';
import { VaultError } from '../errors.js';
import type { Acts } from '../engine/append.js';
import type { Card } from '../policy/card.js';
import { fromBase64, toBase64 } from '../primitives/hash.js';
import { Secret } from '../secret.js';
import { errnoOf } from '../stores/io-error.js';
import { AgentStatus, AppendAnswer, type AppendRequest, DrainAnswer, errorFrom, faultFrom, ORIGIN, PATHS, SecretsAnswer, type SecretsRequest } from './protocol.js';
import { socketIsThere } from './socket.js';

const MAX_ANSWER = 256 * 1024 * 1024;

export interface Agent {
  /** Where it listens. */
  readonly socket: string;
  /** What it said when it was met. */
  readonly found: AgentStatus;
  status(): Promise<AgentStatus>;
  /** Values by name, `field` and version. Throws what opening throws, NOT_ALLOWED outside of its scope, WRONG_VAULT, AGENT_UNREACHABLE. */
  secrets(request: SecretsRequest): Promise<readonly AgentSecret[]>;
  /** Lets it look for news of the vault now. Throws what that throws. */
  refresh(): Promise<AgentStatus>;
  /** What acts through it for a person, in one vault. */
  deputy(vault: string, card: Card): Deputy;
  /** Asks it to end. */
  stop(): Promise<void>;
}

export interface AgentSecret {
  readonly name: string;
  readonly field?: string;
  readonly version: number;
  readonly kind: string;
  readonly value: Secret;
}

/** The agent that listens there; undefined where nobody does. Throws AGENT_UNSAFE. */
export async function connectAgent(socket: string): Promise<Agent | undefined> {
  if (!socketIsThere(socket)) return undefined;
  const agent = clientOf(socket);
  try {
    return { ...agent, found: await agent.status() };
  } catch (error) {
    // Left by one that was killed: nobody listens.
    if (error instanceof VaultError && error.code === 'AGENT_UNREACHABLE' && errnoOf(error.cause) === 'ECONNREFUSED') return undefined;
    throw error;
  }
}

/** The agent that somebody has named. Throws AGENT_UNREACHABLE where nobody listens, AGENT_UNSAFE. */
export async function requireAgent(socket: string): Promise<Agent> {
  const agent = await connectAgent(socket);
  if (agent) return agent;
  throw unreachable(socket, undefined);
}

/** The files of versions from an agent, as `openViews` takes them. */
export function agentSource(agent: Pick<Agent, 'secrets'>, vault: string): FileSource {
  return async (wanted) => (await agent.secrets({ vault, secrets: [...wanted] })).map(({ name, version, value }) => ({ name, version, file: value }));
}

function appendRequest(vault: string, { acts, files }: Acts, keep: boolean): AppendRequest {
  return { vault, acts: acts.map(({ op, body }) => ({ op, body: { ...body } })), files: files.map(({ path, bytes }) => ({ path, base64: toBase64(bytes) })), keep };
}

function clientOf(socket: string): Omit<Agent, 'found'> {
  const ask = async <T>(method: 'GET' | 'POST', path: string, schema: v.GenericSchema<unknown, T>, body?: unknown): Promise<T> => {
    const answer = await send(socket, method, path, body);
    const parsed = v.safeParse(schema, answer);
    if (!parsed.success) throw errorFrom(undefined);
    return parsed.output;
  };
  return {
    socket,
    status: () => ask('GET', PATHS.status, AgentStatus),
    async secrets(wanted) {
      const { secrets } = await ask('POST', PATHS.secrets, SecretsAnswer, wanted);
      return secrets.map(({ name, field, version, kind, base64 }) => {
        const bytes = fromBase64(base64);
        if (!bytes) throw errorFrom(undefined);
        return { name, ...(field === undefined ? {} : { field }), version, kind, value: Secret.take(bytes) };
      });
    },
    refresh: () => ask('POST', PATHS.refresh, AgentStatus, {}),
    deputy(vault, card) {
      return {
        card,
        open: agentSource(this, vault),
        async append(acts, { keep }) {
          const { size, root, digests, waits } = await ask('POST', PATHS.append, AppendAnswer, appendRequest(vault, acts, keep));
          return { point: { size, root }, digests, ...(waits ? { waits: faultFrom(waits) } : {}) };
        },
        async drain() {
          const { size, root, ...drained } = await ask('POST', PATHS.drain, DrainAnswer, { vault });
          return { point: { size, root }, ...drained };
        },
      };
    },
    async stop() {
      await send(socket, 'POST', PATHS.stop, {});
    },
  };
}

async function send(socketPath: string, method: string, path: string, body: unknown): Promise<unknown> {
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = payload ? { 'content-type': 'application/json', 'content-length': payload.length } : {};
    const asking = request(ORIGIN + path, { socketPath, method, headers, agent: false }, resolve);
    asking.on('error', (cause) => reject(unreachable(socketPath, cause)));
    asking.end(payload);
  });
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      if ((size += chunk.length) > MAX_ANSWER) throw errorFrom(undefined);
      chunks.push(chunk);
    }
  } catch (cause) {
    throw cause instanceof VaultError ? cause : unreachable(socketPath, cause);
  }
  const answer = parseJson(Buffer.concat(chunks));
  if (response.statusCode !== 200) throw errorFrom(answer);
  return answer;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined; // no answer of ours: the caller says so
  }
}

function unreachable(socket: string, cause: unknown): VaultError {
  return new VaultError('AGENT_UNREACHABLE', `no agent answers at ${socket}: ${errnoOf(cause) ?? 'nobody listens'}`, { cause, hint: 'Start one: oxp-vault agent start. Without it: unset OXP_VAULT_AGENT, and your identity is asked for.' });
}
