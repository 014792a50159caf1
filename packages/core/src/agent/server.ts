/** The agent itself: one unlocked session behind a socket, until it is told to end or its time is over. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { chmod } from 'node:fs/promises';
import { rmSync } from 'node:fs';
import * as v from 'valibot';
import { listQueued } from '../engine/queue.js';
import { isVaultError, VaultError } from '../errors.js';
import { drainQueue } from '../operations/copies/drain.js';
import { openValue } from '../operations/opening/one-value.js';
import { parseView, planOpening, type View } from '../operations/opening/views.js';
import type { Session } from '../operations/opening/session.js';
import { readableBy } from '../operations/opening/open.js';
import { toBase64 } from '../primitives/hash.js';
import { errnoOf, storeError } from '../stores/io-error.js';
import { connectAgent } from './client.js';
import { type AgentStatus, faultOf, mustMean, ORIGIN, PATHS, RenderRequest, SecretsRequest, statusOf } from './protocol.js';
import { prepareSocket, removeSocket } from './socket.js';
import { appendFor, drainFor } from './writing.js';

/** Bytes of a question, and of one that brings files along. */
const MAX_REQUEST = 1024 * 1024;
const MAX_APPEND = 256 * 1024 * 1024;
/** Milliseconds between two looks for news of the vault. */
const REFRESH = 60_000;

export interface ServeOptions {
  readonly socket: string;
  /** Whole seconds since 1970. */
  readonly until: number;
  /** True: it also signs what is written every day below its scope (writing.ts). */
  readonly writes?: boolean;
}

export interface RunningAgent {
  readonly socket: string;
  /** Ends it: the session is closed in the log, the socket is gone. */
  stop(): Promise<void>;
  /** Resolves once it has ended, by itself or by `stop`; rejects where the end of the session could not be recorded. */
  readonly ended: Promise<void>;
}

/** Serves a session. Throws AGENT_RUNNING where another agent answers at that place, AGENT_UNSAFE, STORE_IO. */
export async function serveAgent(session: Session, { socket, until, writes = false }: ServeOptions): Promise<RunningAgent> {
  await prepareSocket(socket);
  const other = await connectAgent(socket);
  if (other) {
    const { pid, person } = other.found;
    throw new VaultError('AGENT_RUNNING', `an agent of ${person} is running for this vault already (process ${pid})`, { hint: 'Use it, or end it first: oxp-vault agent stop' });
  }
  // What is left is of one that was killed.
  rmSync(socket, { force: true });
  const serving = new Serving(session, socket, until, writes);
  await serving.listen();
  return serving;
}

class Serving implements RunningAgent {
  readonly socket: string;
  readonly ended: Promise<void>;
  readonly #session: Session;
  readonly #until: number;
  readonly #since: number;
  readonly #writes: boolean;
  readonly #server: Server;
  #timers: NodeJS.Timeout[] = [];
  #fault: VaultError | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #ending: Promise<void> | undefined;
  #settle!: { resolve: () => void; reject: (error: unknown) => void };

  constructor(session: Session, socket: string, until: number, writes: boolean) {
    this.#session = session;
    this.socket = socket;
    this.#until = until;
    this.#writes = writes;
    this.#since = session.vault.clock.now();
    this.ended = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
    // Whoever only calls `stop` hears of a failure there.
    this.ended.catch(() => undefined);
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  async listen(): Promise<void> {
    const before = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', (error) => reject(errnoOf(error) === 'EADDRINUSE' ? new VaultError('AGENT_RUNNING', 'another agent was started at the same moment', { hint: 'Use it: oxp-vault agent status', cause: error }) : storeError(error, 'cannot listen at', this.socket)));
        this.#server.listen(this.socket, resolve);
      });
    } finally {
      process.umask(before);
    }
    await chmod(this.socket, 0o600);
    this.#timers = [setInterval(() => void this.#keepUp(), REFRESH)];
  }

  stop(): Promise<void> {
    return (this.#ending ??= this.#end());
  }

  async #end(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#server.close();
    this.#server.closeAllConnections();
    try {
      // First: a place that cannot be cleaned up must not cost the record.
      await this.#session.end();
      await removeSocket(this.socket);
      this.#settle.resolve();
    } catch (error) {
      this.#settle.reject(error);
      throw error;
    } finally {
      this.#session.vault.identity?.age.wipe();
    }
  }

  /** Looks for news of the vault, and sends what waits. What fails is said in the status, and tried again. */
  async #keepUp(): Promise<void> {
    if (this.#isOver()) return void this.stop().catch(() => undefined);
    const { vault } = this.#session;
    try {
      await this.#inTurn(async () => {
        await vault.refresh();
        if (vault.confirmed && (await listQueued(vault.local, vault.id, 'queue')).length > 0) await drainQueue(vault);
      });
      this.#fault = undefined;
    } catch (error) {
      this.#fault = asVaultError(error);
    }
  }

  /** One after the other: two writers of one process would only compete for the next place in the log. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work, work);
    this.#turn = result;
    return result;
  }

  /** By the clock: a timer does not count the hours that a machine sleeps. */
  #isOver(): boolean {
    return this.#session.vault.clock.now() >= this.#until;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (this.#isOver()) {
        void this.stop().catch(() => undefined);
        throw new VaultError('AGENT_UNREACHABLE', 'the time of this agent is over', { hint: 'Start it again: oxp-vault agent start' });
      }
      await this.#route(request, response);
    } catch (error) {
      const fault = asVaultError(error);
      answer(response, statusOf(fault), { error: faultOf(fault) });
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = urlOf(request);
    const asked = `${request.method} ${pathname}`;
    if (asked === `GET ${PATHS.status}`) return answer(response, 200, this.#status());
    if (asked === `POST ${PATHS.secrets}`) return answer(response, 200, await this.#secrets(await bodyOf(request)));
    if (asked === `POST ${PATHS.render}`) return answer(response, 200, await this.#rendered(await bodyOf(request)));
    if (asked === `POST ${PATHS.refresh}`) {
      await this.#keepUp();
      if (this.#fault) throw this.#fault;
      return answer(response, 200, this.#status());
    }
    if (asked === `POST ${PATHS.append}`) return answer(response, 200, await this.#write(appendFor, await bodyOf(request, MAX_APPEND)));
    if (asked === `POST ${PATHS.drain}`) return answer(response, 200, await this.#write(drainFor, await bodyOf(request)));
    if (asked === `POST ${PATHS.stop}`) {
      answer(response, 200, {});
      response.once('close', () => void this.stop().catch(() => undefined));
      return;
    }
    if (request.method === 'GET' && pathname.startsWith(PATHS.secret)) return this.#value(pathname.slice(PATHS.secret.length), searchParams, response);
    throw new VaultError('USAGE', 'this agent knows no such question', { hint: `It answers GET ${PATHS.status}, GET ${PATHS.secret}NAME, POST ${PATHS.secrets}, POST ${PATHS.render}, POST ${PATHS.refresh}, POST ${PATHS.append}, POST ${PATHS.drain}, POST ${PATHS.stop}.` });
  }

  #status(): AgentStatus {
    const { vault, scope, opened } = this.#session;
    const { person, device } = vault.requireActor();
    const fault = this.#fault && { code: this.#fault.code, message: this.#fault.message };
    return {
      vault: vault.id, address: vault.store.address, person, device, scope: [...scope], writes: this.#writes, pid: process.pid, since: this.#since, until: this.#until,
      entries: vault.point.size, root: vault.point.root, opened, ...(fault ? { fault } : {}),
    };
  }

  async #secrets(body: unknown): Promise<v.InferInput<typeof import('./protocol.js').SecretsAnswer>> {
    const parsed = v.safeParse(SecretsRequest, body);
    if (!parsed.success) throw new VaultError('USAGE', 'the question is no {"secrets": [{"name": "…"}]}');
    mustMean(this.#session.vault.id, parsed.output.vault);
    const views = 'role' in parsed.output ? readableBy(this.#session.vault, parsed.output.role).map((name): View => ({ name })) : parsed.output.secrets.map(viewOf);
    const opened = [];
    for (const view of views) {
      const { bytes, ...found } = await this.#read(view);
      const { name, field } = view;
      opened.push({ name, ...(field === undefined ? {} : { field }), ...found, base64: toBase64(bytes) });
      bytes.fill(0);
    }
    return { secrets: opened };
  }

  async #rendered(body: unknown): Promise<v.InferInput<typeof import('./protocol.js').RenderAnswer>> {
    const parsed = v.safeParse(RenderRequest, body);
    if (!parsed.success) throw new VaultError('USAGE', 'the question is no {"secrets": [{"name": "…"}], "format": "…"}');
    const { vault, secrets, format } = parsed.output;
    mustMean(this.#session.vault.id, vault);
    const { bytes } = await this.#open(secrets.map(viewOf), format);
    const answered = { format, base64: toBase64(bytes) };
    bytes.fill(0);
    return answered;
  }

  #write<T>(work: (session: Session, body: unknown) => Promise<T>, body: unknown): Promise<T> {
    if (!this.#writes) throw new VaultError('NOT_ALLOWED', 'this agent opens, and writes nothing', { hint: 'Name your identity with --identity FILE, or start one without --read-only' });
    return this.#inTurn(() => work(this.#session, body));
  }

  /** The bytes as `open` would pipe them. */
  async #value(name: string, parameters: URLSearchParams, response: ServerResponse): Promise<void> {
    const [field, version] = [parameters.get('field'), parameters.get('version')];
    if (version !== null && !/^[1-9][0-9]{0,8}$/.test(version)) throw new VaultError('USAGE', 'version is no number of a version');
    const { bytes, version: number, kind } = await this.#read({ ...parseView(textOf(name) + (field === null ? '' : `#${field}`)), ...(version === null ? {} : { version: Number(version) }) });
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes.length, 'oxp-vault-version': String(number), 'oxp-vault-kind': kind });
    response.end(bytes, () => bytes.fill(0));
  }

  async #read(view: View): Promise<{ bytes: Uint8Array; version: number; kind: string }> {
    const { bytes, first } = await this.#open([view], 'raw');
    return { bytes, ...first };
  }

  async #open(views: readonly View[], format: string): Promise<{ bytes: Uint8Array; first: { version: number; kind: string } }> {
    const { vault } = this.#session;
    const opening = await planOpening(vault, views, format, { target: 'stream' });
    const value = await openValue(vault, opening, {}, (wanted) => Promise.all(wanted.map(({ name, version }) => this.#session.open(name, version))));
    const { version, kind } = opening.items[0]!.version.statement;
    try {
      return { bytes: value.use((bytes) => Uint8Array.from(bytes)), first: { version, kind } };
    } finally {
      value.wipe();
    }
  }
}

function viewOf({ name, field, version }: { name: string; field?: string | undefined; version?: number | undefined }): View {
  return { ...parseView(field === undefined ? name : `${name}#${field}`), ...(version === undefined ? {} : { version }) };
}

function urlOf(request: IncomingMessage): URL {
  try {
    return new URL(request.url ?? '/', ORIGIN);
  } catch (cause) {
    throw new VaultError('USAGE', 'the question has no path that could be read', { cause });
  }
}

function textOf(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return ''; // no UTF-8: no name either
  }
}

async function bodyOf(request: IncomingMessage, most = MAX_REQUEST): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if ((size += chunk.length) > most) throw new VaultError('USAGE', 'the question is far longer than any');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    throw new VaultError('USAGE', 'the question is no JSON'); // without the cause, whose message quotes the text
  }
}

function answer(response: ServerResponse, status: number, document: unknown): void {
  const bytes = Buffer.from(`${JSON.stringify(document)}\n`);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length, 'cache-control': 'no-store' });
  response.end(bytes);
}

/** What nobody foresaw may quote what it stumbled over: only its class is told. */
function asVaultError(error: unknown): VaultError {
  return isVaultError(error) ? error : new VaultError('INTERNAL', 'something happened that the agent does not know how to handle', { cause: error });
}
