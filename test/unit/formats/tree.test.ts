import { describe, expect, it } from 'vitest';
import { failure, generated, opened, streamed, streamedText, written } from './opened.js';

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

describe('files', () => {
  it('needs a directory', async () => {
    const error = await failure(streamed('files', [opened('a')]));
    expect(error).toMatchObject({ code: 'USAGE', hint: 'Add --out DIR.' });
  });

  it('names each kind as its tools want it; only what is public is readable for others', async () => {
    const root = await generated('pki/root', 'pki-root', { subject: { CN: 'Example Root' }, algorithm: 'ed25519' });
    const issuing = await generated('pki/issuing', 'pki-intermediate', { issuer: 'pki/root', subject: { CN: 'Example Issuing' }, algorithm: 'ed25519' }, { issuers: [root] });
    const ssh = await generated('ssh/bootstrap', 'ssh-key');
    const tsig = await generated('dns/rfc2136_tsig_secret', 'tsig');
    const state = await generated('terraform/state', 'state-key');
    const token = await generated('app/token', 'api-key');
    const scaleway = opened('scaleway/root', '{"access":"x"}', { kind: 'api-key' });
    const yaml = opened('ansible/inventory', 'all: {}', { kind: 'ansible-inventory', public: { format: 'yaml' } });
    const ini = opened('ansible/old', '[all]', { kind: 'ansible-inventory', public: { format: 'ini' } });
    const kube = opened('kube/root', 'x', { kind: 'kubeconfig' });
    const secrets = [root.secret, issuing.secret, ssh.secret, tsig.secret, state.secret, token.secret, scaleway, yaml, ini, kube, opened('notes')];
    const files = await written('files', secrets);
    expect([...files].map(([path, { mode }]) => `${path} ${mode?.toString(8)}`)).toEqual([
      'ansible/inventory.yml 600',
      'ansible/old.ini 600',
      'app/token 600',
      'dns/rfc2136_tsig_secret.key 600',
      'kube/root.kubeconfig 600',
      'notes 600',
      'pki/issuing.chain.crt 644',
      'pki/issuing.crt 644',
      'pki/issuing.key 600',
      'pki/root.crt 644',
      'pki/root.key 600',
      'scaleway/root.json 600',
      'ssh/bootstrap 600',
      'ssh/bootstrap.pub 644',
      'terraform/state 600',
    ]);
    expect(text(files.get('pki/issuing.chain.crt')?.bytes)).toBe(text(files.get('pki/root.crt')?.bytes));
    for (const { secret } of [root, issuing, ssh, tsig, state, token]) {
      const extension = secret.kind.startsWith('pki-') || secret.kind === 'tsig' ? '.key' : '';
      expect(secret.file.use((file) => Buffer.compare(file, files.get(secret.name + extension)!.bytes)), secret.name).toBe(0);
    }
  });

  it('writes a field alone, private or public as the kind says', async () => {
    const { secret } = await generated('dns/key', 'tsig');
    const files = await written('files', [
      { ...secret, field: 'secret' },
      { ...secret, field: 'keyname' },
    ]);
    expect([...files].map(([path, { mode }]) => [path, mode])).toEqual([
      ['dns/key.keyname', 0o644],
      ['dns/key.secret', 0o600],
    ]);
    expect(text(files.get('dns/key.keyname')?.bytes)).toBe('dns-key.');
  });

  it('refuses two secrets that would share a path', async () => {
    const { secret } = await generated('dns/key', 'tsig');
    const error = await failure(written('files', [secret, opened('dns/key.key')]));
    expect(error).toMatchObject({ code: 'FORMAT_UNSUITABLE', message: 'dns/key and dns/key.key would both be called dns/key.key' });
  });

  it('refuses a file where another needs a directory', async () => {
    const ssh = await generated('ssh/bootstrap', 'ssh-key');
    await expect(written('files', [ssh.secret, opened('ssh/bootstrap/extra')])).rejects.toMatchObject({ code: 'FORMAT_UNSUITABLE' });
    await expect(written('files', [ssh.secret, opened('ssh/bootstrap.pub/extra')])).rejects.toThrow(/ssh\/bootstrap\.pub$/);
  });

  it('keeps a kind that this version does not know as it is', async () => {
    expect([...(await written('files', [opened('a/b', 'x', { kind: 'of-tomorrow' })])).keys()]).toEqual(['a/b']);
    expect(await streamedText('raw', [opened('a/b', 'x', { kind: 'of-tomorrow' })])).toBe('x');
  });
});
