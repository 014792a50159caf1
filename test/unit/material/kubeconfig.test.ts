import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hasEmbeddedCredential } from '../../../packages/core/src/material/index.js';
import { kubeconfig } from '../../../packages/core/src/material/kubeconfig.js';
import { pkiRoot } from '../../../packages/core/src/material/pki.js';
import { failures, generate, NOW, read, refused, Secret, take, textOf } from './helpers.js';

const SECRET = '11111111-2222-3333-4444-555555555555';
const b64 = (text: string): string => Buffer.from(text).toString('base64');
const config = (user: string, server = 'https://c.api.k8s.fr-par.scw.cloud:6443'): string => `apiVersion: v1
kind: Config
clusters:
  - name: root
    cluster: { server: "${server}", certificate-authority-data: AAAA }
contexts:
  - name: admin@root
    context: { cluster: root, user: admin }
current-context: admin@root
users:
  - name: admin
    user: ${user}
`;
const ca = await generate(pkiRoot, { subject: { CN: 'admin' }, years: 1 });
const withCertificate = (key: string): string => config(`{ client-certificate-data: ${b64(String(ca.public['certificate']))}, client-key-data: ${b64(key)} }`);
const jwt = `${b64('{"alg":"RS256"}')}.${Buffer.from(JSON.stringify({ exp: NOW + 3600, sub: 'x' })).toString('base64url')}.c2ln`.replaceAll('=', '');

describe('import', () => {
  it('keeps the bytes and publishes what is not secret', async () => {
    const text = `# by hand\r\n${config(`{ token: ${SECRET} }`)}\n\n`;
    const file = await take(kubeconfig, text);
    expect(textOf(file)).toBe(text);
    expect(file.public).toEqual({
      clusters: [{ name: 'root', server: 'https://c.api.k8s.fr-par.scw.cloud:6443' }],
      users: [{ name: 'admin', auth: { how: 'token', provider: 'scaleway' } }],
      context: 'admin@root',
    });
    expect(JSON.stringify(file.public)).not.toContain(SECRET);
    expect(read(kubeconfig, file, 'server')).toBe('https://c.api.k8s.fr-par.scw.cloud:6443');
    expect(read(kubeconfig, file, 'context')).toBe('admin@root');
    expect(kubeconfig.rotation({}, file.public).words).toContain('at Scaleway, by hand');
    expect(await failures(kubeconfig, file)).toEqual([]);
  });

  it.each([
    [`{ token: ${SECRET} }`, { how: 'token', provider: 'scaleway' }, 'token, a Scaleway API key, expiry unknown', true],
    ['{ token: abcdef }', { how: 'token' }, 'token, expiry unknown', true],
    [`{ token: ${jwt} }`, { how: 'token', notAfter: NOW + 3600 }, 'token, until 2026-11-23', true],
    ['{ username: a, password: b }', { how: 'basic' }, 'user name and password', true],
    ['{ exec: { apiVersion: client.authentication.k8s.io/v1, command: scw, args: [k8s, exec-credential] } }', { how: 'exec', command: 'scw' }, 'exec plugin scw, no credential inside', false],
    ['{ exec: { command: "a b\\e[31m" } }', { how: 'exec', command: '(unprintable)' }, 'exec plugin (unprintable), no credential inside', false],
    ['{ auth-provider: { name: oidc } }', { how: 'auth-provider', name: 'oidc' }, 'auth provider oidc, no credential inside', false],
    ['{ client-certificate: /a.crt, client-key: /a.key }', { how: 'files' }, 'files elsewhere, no credential inside', false],
    ['{ client-key: /a.key }', { how: 'files' }, 'files elsewhere, no credential inside', false],
    ['{ client-key-data: AAAA }', { how: 'none' }, 'no credential inside', false],
    [`{ client-certificate-data: ${b64(String(ca.public['certificate']))}, client-key: /a.key }`, { how: 'files' }, 'files elsewhere, no credential inside', false],
    ['{ token: "", password: "" }', { how: 'none' }, 'no credential inside', false],
    ['{ token: a.b.c }', { how: 'token' }, 'token, expiry unknown', true],
    ['{ tokenFile: /token }', { how: 'files' }, 'files elsewhere, no credential inside', false],
    ['{}', { how: 'none' }, 'no credential inside', false],
    ['null', { how: 'none' }, 'no credential inside', false],
  ])('tells how %s authenticates', async (user, auth, words, embedded) => {
    const file = await take(kubeconfig, config(user));
    expect(file.public['users']).toEqual([{ name: 'admin', auth }]);
    expect(kubeconfig.facts(file.public)).toBe(words);
    expect(hasEmbeddedCredential(file.public)).toBe(embedded);
    expect(await failures(kubeconfig, file)).toEqual([]);
  });

  it('may have no current context', async () => {
    for (const line of ['', 'current-context: ""\n']) {
      const file = await take(kubeconfig, config('{ token: x }').replace('current-context: admin@root\n', line));
      expect(file.public).not.toHaveProperty('context');
      expect(kubeconfig.rotation({}, file.public).words).not.toContain('Scaleway');
    }
  });

  it('tells a client certificate with its end', async () => {
    const file = await take(kubeconfig, withCertificate(textOf(ca)));
    expect(file.public['users']).toEqual([{ name: 'admin', auth: { how: 'client-certificate', notAfter: ca.public['notAfter'] } }]);
    expect(kubeconfig.facts(file.public)).toBe('client certificate, until 2027-11-23');
    expect(hasEmbeddedCredential(file.public)).toBe(true);
    expect(await failures(kubeconfig, file)).toEqual([]);
  });

  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'.split('').map((n, i) => `${n}: &${n} [${Array(9).fill(`*${'abcdefghi'[i]}`).join(',')}]`).join('\n')}\n`;
  it.each([
    ['aliases', config('*u').replace('clusters:', 'x: &u { token: hunter2 }\nclusters:'), /alias/],
    ['a bomb', bomb + config('{}'), /alias/],
    ['two documents', `${config('{}')}---\n${config('{}')}`, /second document/],
    ['the same key twice', config('{ token: hunter2, token: x }'), /line 12: the same key twice/],
    ['no YAML', 'a: "hunter2\n', /line \d+/],
    ['a list', '- hunter2', /apiVersion is missing/],
    ['nothing', '', /is empty|map with/],
    ['another kind', config('{}').replace('kind: Config', 'kind: Secret'), /kind is missing or not/],
    ['no clusters', config('{}').replace(/clusters:[^]*contexts/, 'clusters: []\ncontexts'), /clusters is missing/],
    ['a token that is no text', config('{ token: [hunter2] }'), /users\.0\.user\.token/],
    ['a server that is no URL', config('{}', 'hunter2'), /not a URL/],
    ['a user name in the server', config('{}', 'https://hunter2@c/'), /password in its URL/],
    ['a password in the server', config('{}', 'https://u:hunter2@c/'), /password in its URL/],
    ['a context that is not there', config('{}').replace('current-context: admin@root', 'current-context: x'), /current-context/],
    ['a name with control characters', config('{}').replace('name: admin\n', 'name: "a\\e[31m"\n'), /control characters/],
    ['a certificate that is none', config('{ client-certificate-data: aHVudGVyMg==, client-key-data: aHVudGVyMg== }'), /not a certificate/],
    ['bytes that are no text', new Uint8Array([0xff]), /UTF-8/],
  ])('refuses %s', async (_title, text, message) => {
    expect((await refused('BAD_MATERIAL', () => take(kubeconfig, text), 'hunter2')).message).toMatch(message);
  });

  it('refuses a file of many megabytes', async () => {
    expect((await refused('BAD_MATERIAL', () => take(kubeconfig, config('{}') + '# '.repeat(3_000_000)))).message).toContain('larger than 4 MiB');
  });
});

describe('check', () => {
  it('looks at the client certificate and its key', async () => {
    const file = await take(kubeconfig, withCertificate(textOf(ca)));
    expect(await failures(kubeconfig, file, NOW + 400 * 24 * 3600)).toMatchObject([{ check: 'client certificate of admin is valid' }]);
    expect(await failures(kubeconfig, file, NOW - 1)).toMatchObject([{ check: 'client certificate of admin is valid' }]);
    const other = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
    expect(await failures(kubeconfig, await take(kubeconfig, withCertificate(String(other))))).toEqual([{ check: 'client key of admin matches', ok: false }]);
    expect(await failures(kubeconfig, await take(kubeconfig, withCertificate('hunter2')))).toHaveLength(1);
  });

  it('binds the file to the public parts', async () => {
    const file = await take(kubeconfig, config(`{ token: ${SECRET} }`));
    expect(await failures(kubeconfig, { ...file, file: Secret.fromText(config('{ exec: { command: scw } }')) })).toEqual([{ check: 'public parts match', ok: false, detail: 'different: users' }]);
    expect(await failures(kubeconfig, { ...file, file: Secret.fromText('hunter2') })).toMatchObject([{ check: 'parses', ok: false }]);
  });
});

it('believes no public parts of another form', () => {
  expect(hasEmbeddedCredential({ users: [{ name: 'x', auth: { how: 'token', extra: 1 } }] })).toBe(false);
  expect(kubeconfig.facts({})).toBe('no users');
  expect(kubeconfig.generate).toBeUndefined();
});
