/** What goes over the wire, byte by byte where the protocol says so. */
import { describe, expect, it } from 'vitest';
import { VaultError } from '../../../../packages/core/src/index.js';
import { AttributeFault, Config, decodeValue, diagnosticOf, encodeValue, handshakeLine, readHandshake, reattachValue, UNKNOWN, wireSchema } from '../../../../packages/terraform-hooks/src/provider/index.js';
import { codecs, PROVIDER_CALLS } from '../../../../packages/terraform-hooks/src/provider/messages.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('the messages', () => {
  const codec = codecs(PROVIDER_CALLS);

  it('have their diagnostics where each answer of the protocol has them', () => {
    const number = (message: string): number => codec(message).encode({ diagnostics: [{ severity: 1 }] })[0]! >> 3;
    const numbers = Object.keys(PROVIDER_CALLS).filter((method) => method !== 'StopProvider').map((method) => [method, number(`${method}Response`)]);
    // hashicorp/terraform-plugin-go, tfplugin6.proto: each Response has a number of its own.
    expect(Object.fromEntries(numbers)).toEqual({
      GetProviderSchema: 4, ValidateProviderConfig: 2, ConfigureProvider: 1, ValidateDataResourceConfig: 1, ReadDataSource: 2,
      ValidateEphemeralResourceConfig: 1, OpenEphemeralResource: 1, RenewEphemeralResource: 1, CloseEphemeralResource: 1,
    });
  });

  it('carry values, names and faults under the numbers of the protocol', () => {
    // field 3, length 3: DynamicValue { field 1, one byte }
    expect(hex(codec('OpenEphemeralResourceResponse').encode({ result: { msgpack: Uint8Array.of(0x80) } }))).toBe('1a030a0180');
    expect(hex(codec('ReadDataSourceResponse').encode({ state: { msgpack: Uint8Array.of(0x80) } }))).toBe('0a030a0180');
    expect(hex(codec('ReadDataSourceResponse').encode({ diagnostics: [{ severity: 1, summary: 's', detail: 'd', attribute: { steps: [{ attributeName: 'n' }] } }] }))).toBe('120f08011201731a016422050a030a016e');
    const attribute = { name: 'n', type: Buffer.from('"string"'), description: 'd', required: true, sensitive: true, writeOnly: true };
    expect(hex(codec('GetProviderSchemaResponse').encode({ ephemeralResourceSchemas: { t: { block: { attributes: [attribute] } } } }))).toBe(`421f0a0174121a121812160a016e1208${hex(Buffer.from('"string"'))}1a0164200138015801`);
  });

  it('are read back, and what is not known of them is skipped', () => {
    const request = Buffer.concat([Buffer.from('0a0174', 'hex'), Buffer.from('12030a0180', 'hex'), Buffer.from('1a020801', 'hex')]);
    expect(codec('OpenEphemeralResourceRequest').decode(request)).toEqual({ typeName: 't', config: { msgpack: Buffer.of(0x80), json: Buffer.alloc(0) } });
    expect(codec('StopProviderRequest').decode(Buffer.alloc(0))).toEqual({});
  });
});

describe('values', () => {
  it('go as msgpack and come back', () => {
    const value = { text: 'é', none: null, number: 3, yes: true, list: ['a', null], map: { a: { b: 'c' } } };
    expect(decodeValue(encodeValue(value))).toEqual(value);
    expect(decodeValue({ json: Buffer.from('{"a":[1,null]}') })).toEqual({ a: [1, null] });
    expect(decodeValue({})).toBeNull();
  });

  it.each([
    ['type 0, one byte', 'd40000'],
    ['type 12, with what is known of it', 'c7030c8101c3'],
    ['a type of the future', 'c70063'],
    ['the time of msgpack itself', 'd6ff00000000'],
  ])('that Terraform does not know yet are unknown, whatever the extension: %s', (_, extension) => {
    expect(decodeValue({ msgpack: Buffer.from(`81a161${extension}`, 'hex') })).toEqual({ a: UNKNOWN });
  });

  it('that are unknown are sent as the protocol has it: fixext 1, type 0', () => {
    expect(hex(encodeValue({ a: UNKNOWN }).msgpack!)).toBe('81a161d40000');
  });
});

describe('the schema', () => {
  it('says of each attribute who gives it, and what is kept where', () => {
    const schema = wireSchema({
      description: 'what it is',
      attributes: {
        a: { type: 'string', use: 'required', description: 'A' },
        b: { type: ['map', 'string'], use: 'optional computed', description: 'B', sensitive: true },
        c: { type: 'string', use: 'optional', description: 'C', writeOnly: true },
      },
    });
    const flags = { required: false, optional: false, computed: false, sensitive: false, writeOnly: false };
    expect(schema).toEqual({
      version: 0,
      block: {
        version: 0,
        description: 'what it is',
        attributes: [
          { name: 'a', description: 'A', ...flags, type: Buffer.from('"string"'), required: true },
          { name: 'b', description: 'B', ...flags, type: Buffer.from('["map","string"]'), optional: true, computed: true, sensitive: true },
          { name: 'c', description: 'C', ...flags, type: Buffer.from('"string"'), optional: true, writeOnly: true },
        ],
      },
    });
  });

  it('reads a configuration: text, numbers as numbers and as text, what is not there, what is not known', () => {
    const config = Config.read(encodeValue({ name: 'a', none: null, version: 3, big: '7', half: 1.5, zero: 0, later: UNKNOWN }));
    expect([config.text('name'), config.text('none'), config.text('absent'), config.count('version'), config.count('big')]).toEqual(['a', undefined, undefined, 3, 7]);
    for (const name of ['half', 'zero', 'name']) expect(() => config.count(name)).toThrow(AttributeFault);
    expect(config.isKnown('later')).toBe(false);
    expect(() => config.text('later')).toThrow(/not known before the apply/);
  });
});

describe('a diagnostic', () => {
  it('has the code, what is wrong, where, and what to do', () => {
    const fault = new VaultError('SECRET_NOT_FOUND', 'there is no secret a', { details: ['one'], hint: 'Look.' });
    expect(diagnosticOf(new AttributeFault('name', fault))).toEqual({
      severity: 1, summary: 'SECRET_NOT_FOUND: there is no secret a', detail: 'one\nLook.\nMore: oxp-vault help SECRET_NOT_FOUND', attribute: { steps: [{ attributeName: 'name' }] },
    });
  });

  it('of what nobody foresaw does not quote it', () => {
    for (const error of [new TypeError('CANARY'), 'CANARY', undefined]) {
      const { summary, detail } = diagnosticOf(error);
      expect(summary).toMatch(/^INTERNAL: /);
      expect(summary + detail).not.toContain('CANARY');
    }
  });
});

describe('the handshake', () => {
  const COOKIE = { TF_PLUGIN_MAGIC_COOKIE: 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2' };
  const unix = { network: 'unix', text: '/tmp/x/s' } as const;

  it('tells Terraform from a person', () => {
    expect(readHandshake({})).toBeUndefined();
    expect(readHandshake({ TF_PLUGIN_MAGIC_COOKIE: 'something', PLUGIN_PROTOCOL_VERSIONS: '6' })).toBeUndefined();
    expect(readHandshake({ ...COOKIE, PLUGIN_PROTOCOL_VERSIONS: '5,6', PLUGIN_CLIENT_CERT: 'pem' })).toEqual({ clientCertificate: 'pem', asksMultiplex: false });
    expect(readHandshake({ ...COOKIE, PLUGIN_PROTOCOL_VERSIONS: '6', PLUGIN_MULTIPLEX_GRPC: 'true' })).toEqual({ asksMultiplex: true });
    for (const versions of [undefined, '', '5', '16']) expect(() => readHandshake({ ...COOKIE, PLUGIN_PROTOCOL_VERSIONS: versions })).toThrow(/protocol 6/);
  });

  it('answers in one line of six fields, and a seventh where that is asked for', () => {
    // 0xfb 0xff: characters that URLs write otherwise, and padding that Go's RawStdEncoding does not take.
    expect(handshakeLine(unix, Uint8Array.of(0xfb, 0xff), { asksMultiplex: false })).toBe('1|6|unix|/tmp/x/s|grpc|+/8\n');
    expect(handshakeLine({ network: 'tcp', text: '127.0.0.1:7' }, undefined, { asksMultiplex: true })).toBe('1|6|tcp|127.0.0.1:7|grpc||false\n');
  });

  it('of one that runs already is said in the environment', () => {
    expect(JSON.parse(reattachValue('a/b/c', unix, 7))).toEqual({ 'a/b/c': { Protocol: 'grpc', ProtocolVersion: 6, Pid: 7, Test: true, Addr: { Network: 'unix', String: '/tmp/x/s' } } });
  });
});
