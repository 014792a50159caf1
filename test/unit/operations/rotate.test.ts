import { describe, expect, it } from 'vitest';
import { parseBootstrap } from '../../../packages/core/src/material/bootstrap.js';
import { planSeal } from '../../../packages/core/src/operations/sealing/bootstrap.js';
import { planRotation } from '../../../packages/core/src/operations/sealing/rotate.js';
import { runSealPlan } from '../../../packages/core/src/operations/sealing/run.js';
import { newestVersion } from '../../../packages/core/src/seal/state.js';
import type { Vault } from '../../../packages/core/src/vault.js';
import { foundTeam } from '../../support/team.js';

async function seal(vault: Vault, yaml: string): Promise<void> {
  const { secrets } = await parseBootstrap(yaml, 'bootstrap.yaml');
  const port = { env: () => 'value', file: async () => undefined, stdin: async () => undefined };
  await runSealPlan(vault, await planSeal(vault, secrets, { port, mode: 'missing' }));
}

const newest = (vault: Vault, name: string) => newestVersion(vault.state.secrets.versions.get(name) ?? [])!.statement;

describe('rotation', () => {
  it('gives each kind its next version from its signed parameters', async () => {
    const vault = await (await foundTeam()).as('alice');
    await seal(vault, `secrets:
  app/password: { kind: password, length: 30 }
  ci/token: { kind: api-key }
  dns/tsig: { kind: tsig, key: external-dns., algorithm: hmac-sha512 }
  ssh/bootstrap: { kind: ssh-key, comment: bootstrap@example.internal }
  terraform/state: { kind: state-key }
`);
    const names = ['app/password', 'ci/token', 'dns/tsig', 'ssh/bootstrap', 'terraform/state'];
    const before = names.map((name) => newest(vault, name));
    const plan = await planRotation(vault, names);
    expect(plan.steps.every((step) => step.todo !== '' && step.inUse.length === 1)).toBe(true);
    const lines = await runSealPlan(vault, plan);
    expect(lines.map((line) => [line.name, line.version, line.action])).toEqual(names.map((name) => [name, 2, 'generate']));
    for (const [i, name] of names.entries()) {
      const { parameters, ...next } = newest(vault, name);
      expect(next.origin).toEqual({ how: 'generated' });
      expect(next.ciphertext.sha256).not.toBe(before[i]!.ciphertext.sha256);
      if (name !== 'dns/tsig') expect(parameters).toEqual(before[i]!.parameters);
    }
    expect(newest(vault, 'app/password').public).toEqual({ size: 30 });
    expect(newest(vault, 'dns/tsig').public).toMatchObject({ keyname: 'external-dns-v2.', algorithm: 'hmac-sha512' });
  });

  it('has an intermediate signed by its root, and refuses to make a root with words on how', async () => {
    const vault = await (await foundTeam()).as('alice');
    await seal(vault, `secrets:
  pki/root: { kind: pki-root, subject: { CN: Root }, algorithm: ecdsa-p256 }
  pki/issuing: { kind: pki-intermediate, issuer: pki/root, subject: { CN: Issuing }, algorithm: ecdsa-p256 }
`);
    const lines = await runSealPlan(vault, await planRotation(vault, ['pki/issuing', 'pki/root']));
    expect(lines.find((line) => line.name === 'pki/issuing')).toMatchObject({ action: 'generate', version: 2 });
    expect(lines.find((line) => line.name === 'pki/root')!.refusal).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining('pki-root-succession') });
    expect((newest(vault, 'pki/issuing').public['chain'] as string[])[0]).toBe(newest(vault, 'pki/root').public['certificate']);
  });

  it('refuses what was imported, what this person may not write, and what is not there', async () => {
    const team = await foundTeam();
    const vault = await team.as('alice');
    await seal(vault, `secrets:\n  notes: { kind: document, import: { env: X } }\n  a: { kind: password }\n`);
    const [notes] = (await planRotation(vault, ['notes'])).steps;
    expect(notes!.line.refusal).toMatchObject({ code: 'UNSUPPORTED', hint: expect.stringContaining('oxp-vault seal notes --from FILE') });
    expect(notes!.source).toBeUndefined();
    const [theirs] = (await planRotation(await team.as('carol'), ['a'])).steps;
    expect(theirs!.line.refusal).toMatchObject({ code: 'NOT_ALLOWED' });
    await expect(planRotation(vault, ['nope'])).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND' });
    await expect(planRotation(vault, ['a', 'a'])).rejects.toMatchObject({ code: 'USAGE' });
  });
});
