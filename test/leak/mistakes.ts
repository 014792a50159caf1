/** Values that each kind refuses, and everything that people type or write down wrongly, with a canary where the fault is. */
import { canary, core, input, release, type Stage } from './stage.js';

export const kubeconfig = (token: string): string =>
  `apiVersion: v1\nkind: Config\nclusters: [{ name: c, cluster: { server: "https://kube.example.internal:6443" } }]\ncontexts: [{ name: x, context: { cluster: c, user: u } }]\ncurrent-context: x\nusers: [{ name: u, user: { token: ${token} } }]\n`;

export const inventory = (password: string): string => `all:\n  hosts:\n    web1.example.internal: { ansible_become_password: ${password} }\n`;

/** What each kind refuses, with a canary where the fault is. */
export function malformed(label: string): [kind: string, text: string][] {
  const c = core(label);
  const pem = (title: string): string => `-----BEGIN ${title}-----\n${Buffer.from(canary(label)).toString('base64')}\n-----END ${title}-----\n`;
  return [
    ['pki-root', pem('PRIVATE KEY')], ['pki-root', c], ['pki-root', `${pem('CERTIFICATE')}${pem('EC PRIVATE KEY')}`], ['pki-intermediate', pem('RSA PRIVATE KEY')],
    ['ssh-key', pem('OPENSSH PRIVATE KEY')], ['ssh-key', c], ['ssh-ca', pem('PRIVATE KEY')],
    ['tsig', `key "k." { algorithm hmac-sha256; secret "${c}!!"; };`], ['tsig', `key ${c} {`], ['tsig', `key "k." { algorithm ${c}; secret "AAAA"; };`],
    ['state-key', ''], ['state-key', `\x00${c}\n\n${c}`],
    ['api-key', `{"access":"SCWDEMODEMODEMODEMO0","secret":"${c}"}`], ['api-key', `{"secret":"${c}",`], ['api-key', `{"secret":"${c}","${c}":1}`], ['api-key', `${c}\n${c}\n`],
    ['kubeconfig', kubeconfig(`"${c}`)], ['kubeconfig', `token: ${c}`], ['kubeconfig', kubeconfig(`{ a: ${c} }`)], ['kubeconfig', `${c}: [`], ['kubeconfig', kubeconfig(`*${c}`)],
    ['ansible-inventory', inventory(`"${c}`)], ['ansible-inventory', `[web\nweb1 ansible_password=${c}\n`], ['ansible-inventory', `all: ${c}`], ['ansible-inventory', inventory(`&${c} *${c}x`)],
    ['password', `\xff${c}`], ['password', `${c}\n${c}`],
  ];
}

export async function sealFaults(s: Stage): Promise<void> {
  release(s, 'Bad');
  for (const [i, [kind, text]] of malformed('Bad').entries()) {
    const file = input(s, `bad-${i}`, Buffer.from(text, 'latin1'));
    await s.cli(2, ['seal', 'bad/one', '--kind', kind, '--from', file, ...(i % 2 === 0 ? [] : ['--json'])]);
  }
  await s.cli(2, ['seal', 'bad/one', '--kind', 'kubeconfig', '--from', '-'], { input: kubeconfig(`"${core('Bad')}`) });
  await s.cli(2, ['seal', 'bad/one', '--from', s.inputs]);
  await s.cli(2, ['seal', 'imported/password', '--from', 'x', 'y/z']);
  for (const key of ['value', 'password', 'secret', 'token', 'length', 'sub.ject', '__proto__', '']) await s.cli(2, ['seal', 'bad/one', '--kind', 'password', '--set', `${key}=${core('Bad')}`]);
  await s.cli(2, ['seal', 'bad/one', '--kind', 'password', '--set', core('Bad')]);
  await s.cli(2, ['seal', 'bad/one', '--kind', core('Bad')]);
  await s.cli(2, ['seal', core('Bad')]);
  await s.cli(2, ['seal', 'bad/one', `--value=${core('Bad')}`]);
  await s.cli(2, ['seal', 'bad/one', `--password=${core('Bad')}`, '--json']);
  await s.cli(2, ['seal', 'bad/one', `-p${core('Bad')}`]);
  for (const text of [
    `secrets: { a/b: { kind: password, value: ${core('Bad')} } }`, `secrets: { a/b: { kind: password, import: { env: "${canary('Bad').replace(/["\\]/g, '')}" } } }`, `secrets: { a/b: ${core('Bad')} }`,
    `secrets:\n  a/b: { kind: password, import: "${core('Bad')}`, `secrets: { a/b: { kind: api-key, import: { env: { secret: "${core('Bad')} x" } } } }`, core('Bad'), `secrets: { a/b: { kind: ${core('Bad')} } }`,
    `secrets: { a/b: { kind: password, length: ${core('Bad')} } }`, `secrets: { a/b: { kind: document, import: { stdin: ${core('Bad')} } } }`, `secrets: { a/b: *${core('Bad')} }`,
  ]) {
    await s.cli(2, ['seal', '--bootstrap', input(s, 'bootstrap-bad.yaml', text)]);
  }
  const shape = input(s, 'bootstrap-scw.yaml', 'secrets: { a/b: { kind: api-key, provider: scaleway, import: { env: { access: SCW_ACCESS_KEY, secret: SCW_SECRET_KEY } } } }');
  await s.cli(2, ['seal', '--bootstrap', shape], { env: { SCW_ACCESS_KEY: core('Bad'), SCW_SECRET_KEY: core('Bad') } });
}
