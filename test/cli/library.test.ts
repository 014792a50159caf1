import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { root } from '../packaging/built.js';
import { buildCli } from './harness.js';
import { owner } from './person.js';

describe('examples/platform.mjs, a program of infrastructure as code', () => {
  beforeAll(buildCli, 300_000);

  it('builds its resources of public parts, and uses a value that nothing of it shows', async () => {
    const alice = await owner();
    alice.write('bootstrap.yaml', 'secrets:\n  dns/rfc2136_tsig_secret: { kind: tsig, key: external-dns. }\n  pki/root: { kind: pki-root, subject: { CN: Example Root }, algorithm: ecdsa-p256 }\n');
    await alice.must(['seal']);
    // As somebody has it who installed the package.
    mkdirSync(join(alice.work, 'node_modules', '@oxp-vault'), { recursive: true });
    symlinkSync(join(root, 'packages', 'core'), join(alice.work, 'node_modules', '@oxp-vault', 'core'));
    copyFileSync(join(root, 'examples', 'platform.mjs'), join(alice.work, 'platform.mjs'));
    const { code, text, stderr } = await alice.run(process.execPath, ['platform.mjs']);
    expect([code, stderr]).toEqual([0, '']);
    const resources = JSON.parse(text) as { type: string; inputs: Record<string, unknown> }[];
    expect(resources.map(({ type }) => type)).toEqual(['dns:TsigKey', 'pki:TrustAnchor', 'dns:Zone']);
    expect(resources[2]!.inputs).toEqual({ updatedWith: 'external-dns.', accepted: true });
    expect(resources[1]!.inputs['certificate']).toContain('BEGIN CERTIFICATE');
    const secret = (await alice.must(['open', 'dns/rfc2136_tsig_secret#secret'])).text;
    expect(text).not.toContain(secret);
    expect((await alice.must(['audit', 'log'])).text).toContain('opened dns/rfc2136_tsig_secret v1 (platform program: zone update)');
  });
});
