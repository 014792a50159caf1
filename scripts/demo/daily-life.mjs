// A platform that runs: people open what their team may read, tools get the files that they want, and age alone would do.
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { as, aside, chapter, deskOf, quietly, scratch, tool } from './stage.mjs';

const ZONE = `include "in/dns/rfc2136_tsig_secret.key";
zone "example.internal" { type primary; file "/dev/null"; allow-transfer { key "external-dns."; }; };
`;

export async function dailyLife(vault) {
  chapter('Carol opens what her team may read. Every opening is recorded before she sees a byte.');
  await as('carol', 'list');
  await as('carol', 'open --role platform --out in');
  await as('carol', 'open dns/rfc2136_tsig_secret --format external-dns');
  await as('carol', 'open scaleway/root', { expect: 4, note: 'What is not for her stays closed.' });
  await as('alice', 'open pki/root', { expect: 4, note: 'And what is under custody is nobody\'s to open.' });
  await tools();
  await withoutUs(vault);
}

async function tools() {
  chapter('The files are those that the tools want.');
  await quietly('alice', 'open pki/issuing ssh/bootstrap --out out');
  writeFileSync(join(deskOf('alice'), 'root.crt'), await quietly('alice', 'open pki/root#certificate'));
  await tool('openssl', 'verify -CAfile root.crt out/pki/issuing.crt');
  await tool('ssh-keygen', '-l -f out/ssh/bootstrap');
  writeFileSync(join(deskOf('carol'), 'named.conf'), ZONE);
  if (await tool('named-checkconf', 'named.conf', { person: 'carol' })) aside('silence is consent');
  await tool('kubectl', '--kubeconfig in/kube/root.kubeconfig config get-contexts', { person: 'carol' });
  await tool('ansible-inventory', '-i in/ansible/inventory.yml --graph kube', { person: 'carol' });
}

async function withoutUs({ git, directory }) {
  chapter('And without us: plain age recovers a role, and then its secrets.');
  const copy = git ? join(scratch, 'copy') : directory;
  if (git) await tool('git', `clone -q --branch oxp-vault ${directory} ${copy}`, { person: 'carol' });
  const grants = join(copy, 'roles', 'platform', '0002');
  const versions = join(copy, 'secrets', 'dns', 'rfc2136_tsig_secret');
  const grant = readdirSync(grants).find((name) => name.startsWith('carol-'));
  const [version] = readdirSync(versions);
  const identity = join(scratch, 'carol', '.config', 'oxp-vault', 'identity.age');
  const there = await tool('age', `-d -i ${identity} -o platform.txt ${join(grants, grant)}`, { person: 'carol' });
  if (there) await tool('age', `-d -i platform.txt ${join(versions, version)}`, { person: 'carol' });
}
