import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mustRun } from '../support/run.js';
import { describeWith } from '../support/tools.js';
import { person, type VaultOwner } from './person.js';

const BOOTSTRAP = `secrets:
  app/password: { kind: password }
  dns/tsig: { kind: tsig }
  pki/root: { kind: pki-root, subject: { CN: Root }, algorithm: ecdsa-p256 }
  ssh/bootstrap: { kind: ssh-key }
  terraform/state: { kind: state-key }
`;

/** Two versions of some secrets, sealed under two epochs of the role key. */
async function filled(pq: readonly string[]): Promise<VaultOwner> {
  const alice = person('alice');
  await alice.must(['identity', 'create', '--person', 'alice', '--device', 'laptop', '--no-passphrase', ...pq]);
  await alice.must(['init', '--name', 'platform', ...pq]);
  alice.write('bootstrap.yaml', BOOTSTRAP);
  await alice.must(['seal']);
  await alice.must(['role', 'rekey', 'team']);
  await alice.must(['rotate', 'app/password']);
  await alice.must(['seal', 'docs/binary', '--from', '-'], { input: Uint8Array.from({ length: 70_000 }, (_, i) => i % 251) });
  return alice;
}

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).toSorted();

/** `age -d` with the identity gives the role key; `age -d` with that gives every file as its tool wants it. */
async function recoverAll(age: string, pq: readonly string[]): Promise<void> {
  const alice = await filled(pq);
  const vault = join(alice.work, 'vault');
  const grant = filesBelow(join(vault, 'roles', 'team')).filter((path) => path.includes('/alice-')).at(-1)!;
  const roleKey = join(alice.home, 'team.txt');
  mkdirSync(alice.home, { recursive: true });
  writeFileSync(roleKey, (await mustRun(age, ['-d', '-i', join(alice.home, '.config', 'oxp-vault', 'identity.age'), grant])).stdout, { mode: 0o600 });

  const versions = filesBelow(join(vault, 'secrets'));
  expect(versions).toHaveLength(7);
  for (const path of versions) {
    const [, name, version] = /secrets\/(.*)\/(\d{4})-[0-9a-f]{8}\.age$/.exec(path)!;
    const recovered = await mustRun(age, ['-d', '-i', roleKey, path]);
    expect(recovered.stdout).toEqual((await alice.must(['open', name!, '--at', String(Number(version))])).stdout);
  }
}

describeWith(['age'], 'recovery with plain age', () => {
  it('gets every version of every secret of a role with two commands', async () => {
    await expect(recoverAll('age', [])).resolves.toBeUndefined();
  });
});

describeWith(['age@1.3'], 'recovery of a post-quantum vault with plain age', (paths) => {
  it('gets every version of every secret of a role with two commands', async () => {
    await expect(recoverAll(paths['age@1.3'], ['--pq'])).resolves.toBeUndefined();
  });
});
