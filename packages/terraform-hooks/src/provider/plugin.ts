/** A provider as the process that Terraform starts for it, and ends. */
import type { Server } from '@grpc/grpc-js';
import { selfSignedCertificate } from '@oxp-vault/core';
import { pluginServer } from './grpc.js';
import { type Handshake, handshakeLine, reattachValue } from './handshake.js';
import type { Handler } from './provider.js';
import { listen, type Listening } from './socket.js';

/** The name that go-plugin asks for. */
const SERVER_NAME = 'localhost';
/** Milliseconds. */
const LOOK_FOR_PARENT = 1000;
const LONGEST_FAREWELL = 200;

/** Gives a server further services before it listens. */
export type Extend = (server: Server) => void;

/** Serves until Terraform says that it is done, or is gone. `print` writes to standard output. Throws UNSUPPORTED, STORE_IO. */
export async function servePlugin(handlers: Readonly<Record<string, Handler>>, handshake: Handshake, print: (line: string) => Promise<void>, extend: Extend = () => undefined): Promise<void> {
  // Ctrl-C reaches the whole process group: Terraform takes it, finishes what it is at, and then ends us.
  process.on('SIGINT', () => undefined);
  const server = pluginServer(handlers, () => farewell(server));
  extend(server);
  const { clientCertificate } = handshake;
  // Automatic mutual TLS: each side makes a certificate for this one run, and tells the other before they talk.
  const own = clientCertificate === undefined ? undefined : await selfSignedCertificate(SERVER_NAME);
  const listening = await listen(server, own === undefined ? undefined : { own, client: clientCertificate! });
  removeOnExit(listening);
  leaveWithParent();
  await print(handshakeLine(listening.address, own?.der, handshake));
}

/** Serves several runs of Terraform, one after the other, and gives the value of TF_REATTACH_PROVIDERS that leads there. */
export async function serveReattach(source: string, handlers: Readonly<Record<string, Handler>>): Promise<string> {
  // A run that has finished says so, as to any plugin: this one stays.
  const listening = await listen(pluginServer(handlers, () => undefined), undefined);
  removeOnExit(listening);
  return reattachValue(source, listening.address, process.pid);
}

/** The answer still has to leave. */
function farewell(server: Server): void {
  setTimeout(() => process.exit(0), LONGEST_FAREWELL);
  setImmediate(() => server.tryShutdown(() => process.exit(0)));
}

function removeOnExit(listening: Listening): void {
  process.on('exit', () => listening.remove());
  for (const [signal, number] of [['SIGTERM', 15], ['SIGHUP', 1]] as const) process.on(signal, () => process.exit(128 + number));
}

/** A Terraform that was killed says nothing: nobody shall be left who holds an unlocked identity. */
function leaveWithParent(): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit(0);
  }, LOOK_FOR_PARENT).unref();
}
