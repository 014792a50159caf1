/** Secret manifests through the real kubectl, against a stand-in for the API server that shows what kubectl sends. */
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mustRun } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';
import { generated, opened, streamed, written } from '../unit/formats/opened.js';

interface Sent {
  readonly path: string;
  readonly body: { metadata: { name: string; namespace?: string }; type: string; data: Record<string, string> };
}

const sent: Sent[] = [];
let server: Server;

/** The least that `kubectl create` asks: which groups and resources there are, and to take an object. */
async function answer(request: IncomingMessage): Promise<[number, unknown]> {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  if (request.method === 'POST') {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Sent['body'];
    sent.push({ path, body });
    return [201, body];
  }
  if (path === '/api') return [200, { kind: 'APIVersions', versions: ['v1'] }];
  if (path === '/apis') return [200, { kind: 'APIGroupList', apiVersion: 'v1', groups: [] }];
  if (path === '/api/v1') {
    const secret = { name: 'secrets', singularName: 'secret', namespaced: true, kind: 'Secret', verbs: ['create', 'get'] };
    return [200, { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'v1', resources: [secret] }];
  }
  return [404, { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 }];
}

beforeAll(async () => {
  server = createServer((request, response) => {
    answer(request).then(
      ([status, body]) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});

afterAll(() => {
  server.close();
});

describeWith(['kubectl'], 'manifests through kubectl', ({ kubectl }) => {
  async function create(manifest: Uint8Array): Promise<Sent[]> {
    const { port } = server.address() as AddressInfo;
    const home = tempDir();
    sent.length = 0;
    await mustRun(kubectl, ['create', '--server', `http://127.0.0.1:${port}`, '--validate=false', '-f', '-'], {
      input: manifest,
      env: { PATH: process.env['PATH'], HOME: home, KUBECONFIG: '/dev/null' },
    });
    return [...sent];
  }

  it('Opaque: several documents, bytes intact', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const got = await create(await streamed('k8s-secret', [opened('a/binary', bytes), opened('b/text', 'é\n')], { namespace: 'apps' }));
    expect(got.map(({ path }) => path)).toEqual(['/api/v1/namespaces/apps/secrets', '/api/v1/namespaces/apps/secrets']);
    expect(got[0]!.body).toMatchObject({ metadata: { name: 'a-binary', namespace: 'apps' }, type: 'Opaque' });
    expect(new Uint8Array(Buffer.from(got[0]!.body.data['binary']!, 'base64'))).toEqual(bytes);
    expect(got[1]!.body.data).toEqual({ text: Buffer.from('é\n').toString('base64') });
  });

  it('names and keys that YAML 1.1 takes for booleans stay text', async () => {
    const [got] = await create(await streamed('k8s-secret', [opened('a/on', 'x')], { secretName: 'yes', namespace: 'no' }));
    expect(got!.path).toBe('/api/v1/namespaces/no/secrets');
    expect(got!.body).toMatchObject({ metadata: { name: 'yes', namespace: 'no' }, data: { on: 'eA==' } });
  });

  it('a CA is the kubernetes.io/tls Secret that kubectl itself makes of the same files', async () => {
    const root = await generated('pki/root', 'pki-root', { subject: { CN: 'Example Root' } });
    const { secret } = await generated('pki/issuing', 'pki-intermediate', { issuer: 'pki/root', subject: { CN: 'Example Issuing' } }, { issuers: [root] });
    const [got] = await create(await streamed('k8s-secret', [secret], { namespace: 'cert-manager' }));
    const directory = tempDir();
    const files = await written('pem', [secret]);
    const bytes = (path: string): Uint8Array => files.get(path)!.bytes;
    writeFileSync(join(directory, 'key'), bytes('pki/issuing.key'));
    writeFileSync(join(directory, 'crt'), Buffer.concat([bytes('pki/issuing.crt'), bytes('pki/issuing.chain.crt')]));
    const args = ['create', 'secret', 'tls', 'pki-issuing', '--dry-run=client', '-o', 'json', '--cert', join(directory, 'crt'), '--key', join(directory, 'key')];
    const own = JSON.parse((await mustRun(kubectl, args, { env: { PATH: process.env['PATH'], HOME: directory, KUBECONFIG: '/dev/null' } })).text) as Sent['body'];
    expect(got!.body.metadata.name).toBe('pki-issuing');
    expect({ type: got!.body.type, data: got!.body.data }).toEqual({ type: own.type, data: own.data });
  });
});
