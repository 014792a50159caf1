/** How go-plugin and a plugin find each other: a cookie and versions in the environment, one line on standard output. */
import { VaultError } from '@oxp-vault/core';

type Env = Readonly<Record<string, string | undefined>>;

/** Terraform's, for every provider: it keeps people from starting one by hand, and protects nothing. */
const COOKIE_NAME = 'TF_PLUGIN_MAGIC_COOKIE';
const COOKIE = 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2';
const CORE_VERSION = 1;
export const PROTOCOL = 6;

export interface Handshake {
  /** PEM; undefined where TLS was switched off. */
  readonly clientCertificate?: string;
  /** True where the client wants to hear whether one connection may carry several plugins. */
  readonly asksMultiplex: boolean;
}

/** Undefined where it was not Terraform that started this. Throws UNSUPPORTED for a Terraform that speaks no protocol 6. */
export function readHandshake(env: Env): Handshake | undefined {
  if (env[COOKIE_NAME] !== COOKIE) return undefined;
  const versions = (env['PLUGIN_PROTOCOL_VERSIONS'] ?? '').split(',');
  if (!versions.includes(String(PROTOCOL))) {
    throw new VaultError('UNSUPPORTED', `this Terraform does not speak plugin protocol ${PROTOCOL}`, { hint: 'Ephemeral resources need Terraform 1.10 or OpenTofu 1.11.' });
  }
  const clientCertificate = env['PLUGIN_CLIENT_CERT'];
  return { ...(clientCertificate ? { clientCertificate } : {}), asksMultiplex: Boolean(env['PLUGIN_MULTIPLEX_GRPC']) };
}

export interface Address {
  readonly network: 'unix' | 'tcp';
  /** A path, or HOST:PORT. */
  readonly text: string;
}

/** The very first line on standard output. `der`: the server's certificate. */
export function handshakeLine({ network, text }: Address, der: Uint8Array | undefined, { asksMultiplex }: Handshake): string {
  // Go reads it as base64.RawStdEncoding.
  const certificate = der === undefined ? '' : Buffer.from(der).toString('base64').replace(/=+$/, '');
  return `${[CORE_VERSION, PROTOCOL, network, text, 'grpc', certificate, ...(asksMultiplex ? ['false'] : [])].join('|')}\n`;
}

/** The value of TF_REATTACH_PROVIDERS for a provider that is running already. Plain text over the socket, so only its owner may reach it. */
export function reattachValue(source: string, { network, text }: Address, pid: number): string {
  // Test: Terraform leaves the process alone when it has finished.
  return JSON.stringify({ [source]: { Protocol: 'grpc', ProtocolVersion: PROTOCOL, Pid: pid, Test: true, Addr: { Network: network, String: text } } });
}
