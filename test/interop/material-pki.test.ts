import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { isVaultError } from '../../packages/core/src/errors.js';
import type { Material } from '../../packages/core/src/material/index.js';
import { pkiIntermediate, pkiRoot } from '../../packages/core/src/material/pki.js';
import { mustRun, run } from '../support/run.js';
import { tempDir } from '../support/tmp.js';
import { describeWith } from '../support/tools.js';

const now = Math.floor(Date.now() / 1000);
const text = (material: Material): string => material.file.useText((pem) => pem);
const certificate = (material: Material): string => String(material.public['certificate']);

describeWith(['openssl'], 'openssl', ({ openssl }) => {
  const dir = tempDir('pki');
  const at = (name: string, content?: string): string => {
    const path = join(dir, name);
    if (content !== undefined) writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const ask = async (...args: string[]): Promise<string> => (await mustRun(openssl, args)).text;

  /** A server certificate for one DNS name, signed by `issuer` with openssl alone. */
  const leaf = async (issuer: Material, dns: string, extensions = `subjectAltName=DNS:${dns}`): Promise<string> => {
    const name = dns.replaceAll('.', '-');
    await mustRun(openssl, ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`), '-subj', `/CN=${name}`]);
    const signer = ['-CA', at(`ca-of-${name}.crt`, certificate(issuer)), '-CAkey', at(`ca-of-${name}.key`, text(issuer)), '-CAcreateserial'];
    await mustRun(openssl, ['x509', '-req', '-in', at(`${name}.csr`), ...signer, '-days', '1', '-out', at(`${name}.crt`), '-extfile', at(`${name}.ext`, `${extensions}\n`)]);
    return at(`${name}.crt`);
  };
  const verify = (root: Material, chain: readonly Material[], file: string) =>
    run(openssl, ['verify', '-x509_strict', '-CAfile', at('roots.pem', certificate(root)), ...(chain.length === 0 ? [] : ['-untrusted', at('chain.pem', chain.map(certificate).join(''))]), file]);

  describe.each(['ecdsa-p384', 'ecdsa-p256', 'ed25519', 'rsa-4096'])('%s', (algorithm) => {
    let root: Material;
    let issuing: Material;
    beforeAll(async () => {
      root = await pkiRoot.generate!(pkiRoot.parameters({ algorithm, subject: { CN: `Example "Root", ${algorithm}`, O: 'Exämple', C: 'DE' } }), { now, name: 'pki/root' });
      issuing = await pkiIntermediate.generate!(
        pkiIntermediate.parameters({ algorithm, issuer: 'pki/root', subject: { CN: 'Example Issuing' }, permit: ['example.internal'], exclude: ['no.example.internal'], usages: ['serverAuth', 'clientAuth'] }),
        { now, name: 'pki/issuing', issuer: async () => root },
      );
    });

    it('accepts the chain', async () => {
      expect(await verify(root, [], at('root.crt', certificate(root)))).toMatchObject({ code: 0 });
      expect(await verify(root, [], at('issuing.crt', certificate(issuing)))).toMatchObject({ code: 0 });
    });

    it('sees the profile of a root', async () => {
      const shown = await ask('x509', '-in', at('root.crt', certificate(root)), '-noout', '-text');
      expect(shown).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:1\n/);
      expect(shown).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
      expect(shown).not.toContain('Extended Key Usage');
      expect(shown).toContain('Version: 3 (0x2)');
      const [skid, akid] = [/Subject Key Identifier:\s+([0-9A-F:]+)/, /Authority Key Identifier:\s+(?:keyid:)?([0-9A-F:]+)/].map((pattern) => pattern.exec(shown)?.[1]?.replaceAll(':', '').toLowerCase());
      expect(skid).toBe(root.public['skid']);
      expect(akid).toBe(skid);
    });

    it('sees the profile of an intermediate', async () => {
      const shown = await ask('x509', '-in', at('issuing.crt', certificate(issuing)), '-noout', '-text');
      expect(shown).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0\n/);
      expect(shown).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
      expect(shown).toMatch(/Extended Key Usage:\s+TLS Web Server Authentication, TLS Web Client Authentication\n/);
      expect(shown).toMatch(/Name Constraints: critical\s+Permitted:\s+DNS:example\.internal\s+Excluded:\s+DNS:no\.example\.internal\n/);
      const akid = /Authority Key Identifier:\s+(?:keyid:)?([0-9A-F:]+)/.exec(shown)?.[1]?.replaceAll(':', '').toLowerCase();
      expect(akid).toBe(root.public['skid']);
    });

    it('reads the public parts as we do', async () => {
      const file = at('issuing.crt', certificate(issuing));
      expect(await ask('x509', '-in', file, '-noout', '-fingerprint', '-sha256')).toContain(`=${String(issuing.public['fingerprint'])}\n`);
      expect((await ask('x509', '-in', file, '-noout', '-serial')).trim().toLowerCase()).toBe(`serial=${String(issuing.public['serial'])}`);
      expect(Date.parse((await ask('x509', '-in', file, '-noout', '-enddate')).replace('notAfter=', ''))).toBe(Number(issuing.public['notAfter']) * 1000);
    });

    it('takes the key, which is the certificate’s', async () => {
      for (const material of [root, issuing]) {
        const ofKey = await ask('pkey', '-in', at('any.key', text(material)), '-pubout');
        expect(ofKey).toBe(await ask('x509', '-in', at('any.crt', certificate(material)), '-noout', '-pubkey'));
      }
    });

    it('accepts a leaf within the permitted names and refuses others', async () => {
      expect(await verify(root, [issuing], await leaf(issuing, 'a.example.internal'))).toMatchObject({ code: 0 });
      for (const name of ['a.example.org', 'a.no.example.internal', 'notexample.internal']) {
        const outcome = await verify(root, [issuing], await leaf(issuing, name));
        expect(outcome.code).not.toBe(0);
        expect(outcome.stderr).toMatch(/permitted subtree violation|excluded subtree violation/);
      }
    });

    it('refuses a CA below the path length', async () => {
      const rogue = await leaf(issuing, 'ca.example.internal', 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash');
      const made = { kind: 'pki-intermediate', parameters: {}, public: { certificate: await ask('x509', '-in', rogue) }, file: (await fileOf(at('ca-example-internal.key'))).file };
      const outcome = await verify(root, [made, issuing], await leaf(made, 'b.example.internal'));
      expect(outcome.code).not.toBe(0);
      expect(outcome.stderr).toContain('path length constraint exceeded');
    });
  });

  const fileOf = async (path: string): Promise<Pick<Material, 'file'>> => {
    const { Secret } = await import('../../packages/core/src/secret.js');
    return { file: Secret.fromText((await mustRun('cat', [path])).text) };
  };

  it('writes UTCTime until 2049 and GeneralizedTime from 2050', async () => {
    const made = await pkiRoot.generate!(pkiRoot.parameters({ years: 30, subject: { CN: 'Long' } }), { now: Date.UTC(2026, 0, 1) / 1000, name: 'x' });
    const times = (await ask('asn1parse', '-in', at('long.crt', certificate(made)))).match(/(?:UTCTIME|GENERALIZEDTIME)\s*:\w+/g);
    expect(times?.map((time) => time.replace(/\s/g, ''))).toEqual(['UTCTIME:260101000000Z', 'GENERALIZEDTIME:20551231235959Z']);
    const edge = await pkiRoot.generate!(pkiRoot.parameters({ years: 24, subject: { CN: 'Edge' } }), { now: Date.UTC(2026, 0, 1) / 1000, name: 'x' });
    expect(await ask('asn1parse', '-in', at('edge.crt', certificate(edge)))).toMatch(/UTCTIME\s+:491231235959Z/);
  });

  describe('a CA made with openssl', () => {
    const selfSigned = async (algorithm: readonly string[], extensions: readonly string[]): Promise<string> => {
      await mustRun(openssl, ['req', '-x509', '-nodes', ...algorithm, '-keyout', at('own.key'), '-out', at('own.crt'), '-days', '30', '-subj', '/C=DE/O=Example/CN=Own', ...extensions.flatMap((extension) => ['-addext', extension])]);
      return (await mustRun('cat', [at('own.key'), at('own.crt')])).text;
    };
    const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'];
    const importRoot = (pem: string): Promise<Material> => pkiRoot.import(new TextEncoder().encode(pem), pkiRoot.parameters({}, 'import'), { now: now + 60, name: 'pki/root' });

    it('is taken in and can issue', async () => {
      const taken = await importRoot(await selfSigned(EC, ['keyUsage=critical,keyCertSign,cRLSign', 'nameConstraints=critical,permitted;DNS:example.internal']));
      expect(taken.public).toMatchObject({ algorithm: 'ecdsa-p384', permit: ['example.internal'] });
      expect(taken.parameters).toMatchObject({ subject: { C: 'DE', O: 'Example', CN: 'Own' } });
      expect((await pkiRoot.check(taken, { now: now + 60 })).every(({ ok }) => ok)).toBe(true);
      const issued = await pkiIntermediate.generate!(pkiIntermediate.parameters({ issuer: 'pki/root', subject: { CN: 'Below' } }), { now: now + 60, name: 'x', issuer: async () => taken });
      expect(await run(openssl, ['verify', '-attime', String(now + 120), '-CAfile', at('own.crt'), at('below.crt', certificate(issued))])).toMatchObject({ code: 0 });
    });

    it.each([
      ['without the right to sign certificates', EC, ['keyUsage=critical,digitalSignature'], /is no CA certificate/],
      ['that is no CA', EC, ['keyUsage=critical,keyCertSign', 'basicConstraints=critical,CA:FALSE'], /is no CA certificate|cannot be read/],
      ['that constrains addresses', EC, ['keyUsage=critical,keyCertSign', 'nameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0'], /other than DNS names/],
      ['with a short key', ['-newkey', 'rsa:1024'], ['keyUsage=critical,keyCertSign'], /shorter than 2048/],
    ])('is refused %s', async (_title, algorithm, extensions, message) => {
      const error: unknown = await importRoot(await selfSigned(algorithm, extensions)).catch((caught: unknown) => caught);
      expect(isVaultError(error, 'BAD_MATERIAL') && error.message).toMatch(message);
    });
  });
});
