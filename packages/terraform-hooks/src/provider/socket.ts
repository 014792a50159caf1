/** Where a provider listens: a socket in a directory that only its owner can enter, and that goes when the provider does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Server, ServerCredentials } from '@grpc/grpc-js';
import { type SelfSigned, VaultError } from '@oxp-vault/core';
import type { Address } from './handshake.js';

/** `sun_path` less its zero byte: 108 on Linux, 104 elsewhere. */
const LONGEST_PATH = 103;

export interface Listening {
  readonly address: Address;
  /** Removes the socket and its directory. May be called at any time, and more than once. */
  remove(): void;
}

export interface Tls {
  readonly own: SelfSigned;
  /** PEM: the only client that is let in. */
  readonly client: string;
}

/** Without TLS only on a Unix socket. Throws UNSUPPORTED, STORE_IO. */
export async function listen(server: Server, tls: Tls | undefined): Promise<Listening> {
  const credentials = tls === undefined ? ServerCredentials.createInsecure() : ServerCredentials.createSsl(Buffer.from(tls.client), [{ private_key: Buffer.from(tls.own.key), cert_chain: Buffer.from(tls.own.certificate) }], true);
  const directory = process.platform === 'win32' ? undefined : makeDirectory();
  const remove = (): void => {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  };
  try {
    if (directory !== undefined) {
      const path = join(directory, 's');
      if (Buffer.byteLength(path) <= LONGEST_PATH) {
        await bind(server, `unix:${path}`, credentials);
        return { address: { network: 'unix', text: path }, remove };
      }
    }
    if (tls === undefined) throw new VaultError('UNSUPPORTED', 'without TLS the provider answers on a Unix socket only, and cannot have one here', { hint: 'Unset TF_DISABLE_PLUGIN_TLS, or name a shorter directory in TMPDIR.' });
    return { address: { network: 'tcp', text: `127.0.0.1:${await bind(server, '127.0.0.1:0', credentials)}` }, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** mkdtemp makes it with mode 0700. */
function makeDirectory(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'oxp-vault-tf-'));
  } catch (cause) {
    throw new VaultError('STORE_IO', `cannot make a directory for the provider's socket below ${tmpdir()}`, { cause });
  }
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(new VaultError('STORE_IO', 'the provider cannot listen on its socket', { cause: error }));
    });
  });
}
