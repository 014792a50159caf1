/** The provider over a port: what it gives, what it refuses, and where a value may stand in an answer. */
import { describe, expect, it } from 'vitest';
import { VaultError } from '../../../../packages/core/src/index.js';
import type { SecretPort, SecretRef } from '../../../../packages/terraform-hooks/src/index.js';
import { decodeValue, type Diagnostic, encodeValue, providerHandlers, type ProviderSettings, UNKNOWN, type Values, vaultProvider, type WireValue } from '../../../../packages/terraform-hooks/src/provider/index.js';

const VALUE = 'CANARY-value';

interface Fake extends SecretPort {
  readonly reads: (SecretRef & { format?: string })[];
}

function port(bytes: Uint8Array = Buffer.from(VALUE)): Fake {
  const reads: Fake['reads'] = [];
  return {
    reads,
    look: (ref) => (ref.name === 'no/such' ? Promise.reject(new VaultError('SECRET_NOT_FOUND', 'there is no secret no/such', { hint: 'See: oxp-vault list' })) : Promise.resolve({ name: ref.name, version: ref.version ?? 3, kind: 'pki-root', public: { fingerprint: 'ab', validity: { to: 5 } }, private: ref.field !== 'certificate' })),
    read: (ref, format) => {
      reads.push({ ...ref, ...(format === undefined ? {} : { format }) });
      return Promise.resolve(bytes);
    },
  };
}

type Answer = { diagnostics?: Diagnostic[]; state?: WireValue; result?: WireValue };

function provider(at: SecretPort = port(), settings: Values = {}) {
  const connected: ProviderSettings[] = [];
  const handlers = providerHandlers(vaultProvider(async (given) => (connected.push(given), at)));
  const ask = async (method: keyof typeof handlers, typeName: string, config: Values): Promise<Answer> => handlers[method]({ typeName, config: encodeValue({ name: null, field: null, version: null, format: null, ...config }) });
  const ready = handlers.ConfigureProvider({ config: encodeValue(settings) });
  return {
    connected,
    handlers,
    ask,
    open: async (config: Values) => (await ready, ask('OpenEphemeralResource', 'oxpvault_secret', config)),
    look: async (config: Values) => (await ready, ask('ReadDataSource', 'oxpvault_public', config)),
  };
}

const said = ({ diagnostics = [] }: Answer): string[] => diagnostics.map(({ summary }) => summary);

describe('the ephemeral resource oxpvault_secret', () => {
  it('gives the value as text and in base64, with the version that was read', async () => {
    const at = port();
    const { open } = provider(at);
    const answer = await open({ name: 'db/password', field: 'password' });
    expect(answer.diagnostics).toEqual([]);
    expect(at.reads).toEqual([{ name: 'db/password', field: 'password', version: 3 }]);
    expect(decodeValue(answer.result!)).toEqual({ name: 'db/password', field: 'password', version: 3, kind: 'pki-root', format: null, value: VALUE, base64: Buffer.from(VALUE).toString('base64') });
  });

  it('gives bytes that are no text in base64 alone, and wipes them', async () => {
    const bytes = Uint8Array.of(0xff, 0, 1);
    const { open } = provider(port(bytes));
    expect(decodeValue((await open({ name: 'p12' })).result!)).toMatchObject({ value: null, base64: '/wAB' });
    expect(bytes).toEqual(new Uint8Array(3));
  });

  it('passes the format and the version on as the person has them', async () => {
    const at = port();
    const { open } = provider(at);
    await open({ name: 'dns/tsig', format: 'bind' });
    await open({ name: 'dns/tsig', format: 'bind', version: 2 });
    expect(at.reads).toEqual([{ name: 'dns/tsig', format: 'bind' }, { name: 'dns/tsig', format: 'bind', version: 2 }]);
  });

  it('refuses with the code, and names the attribute', async () => {
    const { open, ask } = provider();
    expect(said(await open({ name: 'no/such' }))).toEqual(['SECRET_NOT_FOUND: there is no secret no/such']);
    const misplaced = await open({ name: 'a#b' });
    expect(misplaced.diagnostics).toMatchObject([{ severity: 1, detail: expect.stringContaining('belongs into `field`') as string, attribute: { steps: [{ attributeName: 'name' }] } }]);
    expect(decodeValue(misplaced.result!)).toBeNull();
    for (const config of [{ name: 'Not A Name' }, { name: 'a', version: 0 }]) expect(said(await ask('ValidateEphemeralResourceConfig', 'oxpvault_secret', config))).toHaveLength(1);
    expect(said(await ask('ValidateEphemeralResourceConfig', 'oxpvault_secret', { name: UNKNOWN, version: UNKNOWN }))).toEqual([]);
    expect(said(await open({ name: UNKNOWN }))).toEqual(['UNSUPPORTED: name is not known before the apply']);
  });

  it('keeps what an unforeseen error says to itself', async () => {
    const { open } = provider({ ...port(), read: () => Promise.reject(new Error(VALUE)) });
    const answer = await open({ name: 'a' });
    expect(said(answer)).toEqual([expect.stringMatching(/^INTERNAL/)]);
    expect(JSON.stringify(answer)).not.toContain(VALUE);
  });
});

describe('the data source oxpvault_public', () => {
  it('gives the public parts, and reads nothing', async () => {
    const at = port();
    const { look } = provider(at);
    expect(decodeValue((await look({ name: 'pki/root' })).state!)).toEqual({ name: 'pki/root', field: null, version: 3, kind: 'pki-root', public: { fingerprint: 'ab', validity: '{"to":5}' }, value: null });
    expect(at.reads).toEqual([]);
  });

  it('gives a public field, and never a private one', async () => {
    const at = port();
    const { look } = provider(at);
    expect(decodeValue((await look({ name: 'pki/root', field: 'certificate' })).state!)).toMatchObject({ value: VALUE });
    at.reads.splice(0);
    const refused = await look({ name: 'pki/root', field: 'key' });
    expect(said(refused)).toEqual([expect.stringMatching(/^SECRET_IN_STATE: /)]);
    expect(refused.diagnostics![0]!.detail).toContain('ephemeral "oxpvault_secret"');
    expect(decodeValue(refused.state!)).toBeNull();
    expect(at.reads).toEqual([]);
  });
});

describe('the provider block', () => {
  it('is passed on, and nothing is connected before a secret is asked for', async () => {
    const { connected, open, look } = provider(port(), { vault: 'v', passphrase_file: 'f', role: 'r', identity: null, expect: null });
    expect(connected).toEqual([]);
    await open({ name: 'a' });
    await look({ name: 'a' });
    expect(connected).toEqual([{ vault: 'v', passphraseFile: 'f', role: 'r' }]);
  });

  it('is met anew when it is configured again, and after a failure', async () => {
    let tries = 0;
    const handlers = providerHandlers(vaultProvider(async () => {
      if (tries++ === 0) throw new VaultError('VAULT_NOT_FOUND', 'no vault');
      return port();
    }));
    const open = (): Promise<Answer> => handlers.OpenEphemeralResource({ typeName: 'oxpvault_secret', config: encodeValue({ name: 'a' }) });
    expect(said(await open())).toEqual([expect.stringMatching(/^INTERNAL: .*before it was configured/)]);
    await handlers.ConfigureProvider({});
    expect(said(await open())).toEqual(['VAULT_NOT_FOUND: no vault']);
    expect(said(await open())).toEqual([]);
    await open();
    expect(tries).toBe(2);
    await handlers.ConfigureProvider({});
    await open();
    expect(tries).toBe(3);
  });

  it('that is not known yet is refused', async () => {
    const { handlers } = provider();
    const answer = (await handlers.ConfigureProvider({ config: encodeValue({ vault: UNKNOWN }) })) as Answer;
    expect(answer.diagnostics).toMatchObject([{ summary: 'UNSUPPORTED: vault is not known before the apply', attribute: { steps: [{ attributeName: 'vault' }] } }]);
    expect(await handlers.ValidateProviderConfig({ config: encodeValue({ vault: UNKNOWN }) })).toEqual({ diagnostics: [] });
  });
});

describe('the schema', () => {
  it('marks the value as sensitive wherever there is one, and has no resources', async () => {
    const schema = (await provider().handlers.GetProviderSchema({})) as { resourceSchemas: object; ephemeralResourceSchemas: Record<string, { block: { attributes: { name: string; sensitive: boolean }[] } }> };
    expect(schema.resourceSchemas).toEqual({});
    expect(schema.ephemeralResourceSchemas['oxpvault_secret']!.block.attributes.filter(({ sensitive }) => sensitive).map(({ name }) => name)).toEqual(['value', 'base64']);
  });

  it('has no type but its own', async () => {
    for (const method of ['ReadDataSource', 'OpenEphemeralResource'] as const) expect(said(await provider().ask(method, 'toString', { name: 'a' }))).toEqual([expect.stringMatching(/^UNSUPPORTED/)]);
  });
});
