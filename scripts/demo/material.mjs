// What a platform is born with: the drafts of the team, and files that come from elsewhere.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deskOf, quietly, scratch } from './stage.mjs';

const POLICY = `custody:
  pki-root:      { all: [ { need: 2, of: [alice, bruno] }, { need: 1, of: [frank] } ] }
  platform-root: { need: 2, of: [carol, dora] }
rules:
  - { path: /, owners: [infra], writers: [infra], readers: [infra] }
  - { path: ansible/, owners: [infra], writers: [infra], readers: [infra, platform] }
  - { path: dns/, owners: [infra], writers: [infra], readers: [infra, platform] }
  - { path: kube/, owners: [infra], writers: [infra], readers: [infra, platform] }
  - { path: pki/root, owners: [infra], writers: [infra], custody: pki-root }
`;

const BOOTSTRAP = `secrets:
  pki/root:                { kind: pki-root, subject: { CN: Example Root, O: Example } }
  pki/issuing:             { kind: pki-intermediate, issuer: pki/root, subject: { CN: Example Issuing }, permit: [example.internal] }
  ssh/bootstrap:           { kind: ssh-key, comment: bootstrap@example.internal }
  dns/rfc2136_tsig_secret: { kind: tsig, key: external-dns., algorithm: hmac-sha256 }
  terraform/state:         { kind: state-key }
  scaleway/root:           { kind: api-key, import: { env: { access: SCW_ACCESS_KEY, secret: SCW_SECRET_KEY } } }
  kube/root:               { kind: kubeconfig, import: { file: kubeconfig.yaml } }
  ansible/inventory:       { kind: ansible-inventory, import: { file: inventory.yml } }
`;

const INVENTORY = `all:
  children:
    dns: { hosts: { ns1.example.internal: {}, ns2.example.internal: {} } }
    kube: { hosts: { "node[1:3].example.internal": {} } }
`;

/** No key of anybody's: a shape. */
export const SCALEWAY = { SCW_ACCESS_KEY: 'SCWDEMODEMODEMODEMO0', SCW_SECRET_KEY: 'c0ffee00-1111-4222-8333-444455556666' };

/** Alice edits the draft that init wrote. Gives what she wrote. */
export function writePolicy() {
  const path = join(deskOf('alice'), 'policy.yaml');
  const draft = readFileSync(path, 'utf8');
  writeFileSync(path, `${draft.slice(0, draft.indexOf('\nrules:'))}\n${POLICY}`);
  return POLICY;
}

/** bootstrap.yaml, and the files that it imports. Gives bootstrap.yaml. */
export async function writeBootstrap() {
  const desk = deskOf('alice');
  await quietly('alice', `generate pki-root --set subject.CN=cluster --set algorithm=ecdsa-p256 --out ${join(scratch, 'cluster')}`);
  writeFileSync(join(desk, 'kubeconfig.yaml'), kubeconfig(readFileSync(join(scratch, 'cluster', 'pki-root.crt')).toString('base64')));
  writeFileSync(join(desk, 'inventory.yml'), INVENTORY);
  writeFileSync(join(desk, 'bootstrap.yaml'), BOOTSTRAP);
  return BOOTSTRAP;
}

function kubeconfig(authority) {
  return `apiVersion: v1
kind: Config
clusters:
  - name: root
    cluster: { server: "https://6f1c6f4e-0000-4000-8000-000000000000.api.k8s.fr-par.scw.cloud:6443", certificate-authority-data: ${authority} }
contexts:
  - name: admin@root
    context: { cluster: root, user: root-admin }
current-context: admin@root
users:
  - name: root-admin
    user: { token: ${SCALEWAY.SCW_SECRET_KEY} }
`;
}
