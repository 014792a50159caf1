/** The server itself: who is let in, what go-plugin finds there, and what is left behind. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { selfSignedCertificate } from '../../../../packages/core/src/index.js';
import { listen, type Listening, pluginServer, providerHandlers, type Tls, vaultProvider } from '../../../../packages/terraform-hooks/src/provider/index.js';
import { type ClientTls, grpcCall } from '../../../support/grpc-client.js';
import { tempDir } from '../../../support/tmp.js';

const handlers = providerHandlers(vaultProvider(() => Promise.reject(new Error('not asked here'))));
const EMPTY = new Uint8Array();
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  vi.unstubAllEnvs();
});

async function serve(tls?: Tls): Promise<Listening & { path: string; shutdowns: number[] }> {
  const shutdowns: number[] = [];
  const server = pluginServer(handlers, () => void shutdowns.push(1));
  const listening = await listen(server, tls);
  stops.push(() => (server.forceShutdown(), listening.remove()));
  return { ...listening, path: listening.address.text, shutdowns };
}

describe('the socket', () => {
  it('lies in a directory of its own that nobody else can enter, and goes with it', async () => {
    const { address, path, remove } = await serve();
    expect(address.network).toBe('unix');
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    expect(statSync(path).isSocket()).toBe(true);
    remove();
    expect(existsSync(dirname(path))).toBe(false);
    remove();
  });

  it('is a port of this machine where its path would be too long, and then never without TLS', async () => {
    const long = tempDir('long'.padEnd(80, 'g'));
    vi.stubEnv('TMPDIR', join(long, 'not-there'));
    await expect(serve()).rejects.toMatchObject({ code: 'STORE_IO' });
    vi.stubEnv('TMPDIR', long);
    await expect(serve()).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    const own = await selfSignedCertificate('localhost');
    expect((await serve({ own, client: own.certificate })).address).toMatchObject({ network: 'tcp', text: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string });
  });
});

describe('what go-plugin finds', () => {
  it('is healthy, tells its schema, and hears of the end', async () => {
    const { path, shutdowns } = await serve();
    expect(await grpcCall(path, '/grpc.health.v1.Health/Check', Buffer.from('0a06706c7567696e', 'hex'))).toEqual({ status: 0, message: Buffer.of(0x08, 1) });
    const schema = await grpcCall(path, '/tfplugin6.Provider/GetProviderSchema', EMPTY);
    expect(schema.status).toBe(0);
    expect(schema.message.toString('latin1')).toContain('oxpvault_secret');
    expect(shutdowns).toEqual([]);
    expect(await grpcCall(path, '/plugin.GRPCController/Shutdown', EMPTY)).toMatchObject({ status: 0, message: { length: 0 } });
    expect(shutdowns).toEqual([1]);
  });

  it('has nothing else', async () => {
    const { path } = await serve();
    for (const method of ['/plugin.GRPCBroker/StartStream', '/tfplugin6.Provider/ApplyResourceChange']) expect((await grpcCall(path, method, EMPTY)).status).toBe(12);
  });
});

/** As the side that is sent away learns it, sooner or later. */
const CUT_OFF = /alert|reset|ECONN|hang up|closed/;

describe('mutual TLS', () => {
  const call = (path: string, tls: ClientTls) => grpcCall(path, '/grpc.health.v1.Health/Check', EMPTY, tls);

  it('lets in the one client whose certificate it was told, and nobody else', async () => {
    const [own, client, other] = await Promise.all(['localhost', 'localhost', 'localhost'].map((name) => selfSignedCertificate(name)));
    const { path } = await serve({ own: own!, client: client!.certificate });
    const as = (who?: typeof own): ClientTls => ({ ca: own!.certificate, ...(who ? { cert: who.certificate, key: who.key } : {}) });
    expect((await call(path, as(client))).status).toBe(0);
    await expect(call(path, as())).rejects.toThrow(CUT_OFF);
    await expect(call(path, as(other))).rejects.toThrow(CUT_OFF);
    await expect(grpcCall(path, '/grpc.health.v1.Health/Check', EMPTY)).rejects.toThrow(CUT_OFF);
    // The client knows the server by its certificate, too.
    await expect(call(path, { ...as(client), ca: other!.certificate })).rejects.toThrow(/certificate/);
  });

  it('has a certificate for localhost on P-256, for both sides, that is its own root', async () => {
    const { certificate, der } = await selfSignedCertificate('localhost');
    const x509 = new X509Certificate(certificate);
    expect(x509.raw).toEqual(Buffer.from(der));
    expect(x509).toMatchObject({ subjectAltName: 'DNS:localhost', ca: true, keyUsage: ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'] });
    expect(x509.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(x509.verify(x509.publicKey)).toBe(true);
  });
});
