import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { failure, opened, streamed, streamedText } from './opened.js';

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

async function manifests(...call: Parameters<typeof streamedText>): Promise<unknown[]> {
  return parseAllDocuments(await streamedText(...call)).map((document): unknown => document.toJS());
}

describe('k8s-secret', () => {
  it('makes one Secret of each, named after it, the key being its last segment', async () => {
    const secrets = [opened('db/main_password', 'hunter2', { kind: 'password', version: 3 }), opened('app.x', Uint8Array.of(255, 0))];
    expect(await manifests('k8s-secret', secrets)).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'app-x', labels: { 'app.kubernetes.io/managed-by': 'oxp-vault' }, annotations: { 'oxp-vault/source': 'app.x v1' } },
        type: 'Opaque',
        data: { 'app.x': '/wA=' },
      },
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'db-main-password', labels: { 'app.kubernetes.io/managed-by': 'oxp-vault' }, annotations: { 'oxp-vault/source': 'db/main_password v3' } },
        type: 'Opaque',
        data: { main_password: base64('hunter2') },
      },
    ]);
  });

  it('puts all into the one Secret that is named, under their whole names', async () => {
    const text = await streamedText('k8s-secret', [opened('a/x', '1'), opened('b/x', '2', { version: 2 })], { secretName: 'all.of-it', namespace: 'apps' });
    expect(parse(text)).toMatchObject({
      metadata: { name: 'all.of-it', namespace: 'apps', annotations: { 'oxp-vault/source': 'a/x v1, b/x v2' } },
      type: 'Opaque',
      data: { 'a.x': base64('1'), 'b.x': base64('2') },
    });
  });

  it('names a field as key and in the name', async () => {
    expect(await manifests('k8s-secret', [opened('a/x', '1', { field: 'content' })])).toMatchObject([
      { metadata: { name: 'a-x-content', annotations: { 'oxp-vault/source': 'a/x#content v1' } }, data: { 'x.content': base64('1') } },
    ]);
  });

  it('refuses secrets that would meet in one name or key', async () => {
    await expect(streamed('k8s-secret', [opened('a/x'), opened('a.x')])).rejects.toMatchObject({ code: 'FORMAT_UNSUITABLE' });
    await expect(streamed('k8s-secret', [opened('a/x'), opened('a.x')], { secretName: 'one' })).rejects.toThrow('a/x and a.x would both be called a.x');
  });

  it('refuses more than 1 MiB of data', async () => {
    expect(await streamed('k8s-secret', [opened('a', new Uint8Array(1024 * 1024))])).toBeInstanceOf(Uint8Array);
    const error = await failure(streamed('k8s-secret', [opened('a', new Uint8Array(1024 * 1024 + 1))]));
    expect(error).toMatchObject({ code: 'FORMAT_UNSUITABLE', message: 'the Kubernetes Secret a would hold 1048577 bytes, more than 1 MiB' });
  });

  it('refuses a name longer than Kubernetes takes, unless another is given', async () => {
    const long = opened(`a${'/b2345678'.repeat(28)}c2`);
    expect(long.name).toHaveLength(255);
    await expect(streamed('k8s-secret', [long])).rejects.toMatchObject({ code: 'FORMAT_UNSUITABLE' });
    expect(await manifests('k8s-secret', [long], { secretName: 'short' })).toMatchObject([{ metadata: { name: 'short' } }]);
    const key = opened(`a${'x'.repeat(254)}`);
    const error = await failure(streamed('k8s-secret', [key], { secretName: 'short' }));
    expect(error.message).toMatch(/cannot be a key of a Kubernetes Secret$/);
  });
});
