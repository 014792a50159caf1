/**
 * The messages of Terraform's plugin protocol 6 (package tfplugin6) that a provider without resources meets. The field numbers are the
 * protocol's; the names are not sent, so they are ours. What is left out here is skipped when it is received.
 */
import protobuf from 'protobufjs/light.js';

interface Field {
  readonly type: string;
  readonly id: number;
  readonly rule?: 'repeated';
  readonly keyType?: 'string';
}

export type Fields = Readonly<Record<string, Field>>;

/** What a call sends and what it gets. */
export interface Call {
  readonly request: Fields;
  readonly response: Fields;
}

export const one = (type: string, id: number): Field => ({ type, id });
export const many = (type: string, id: number): Field => ({ rule: 'repeated', type, id });
export const named = (type: string, id: number): Field => ({ keyType: 'string', type, id });

export const VALUE = 'DynamicValue';
export const DIAGNOSTIC = 'Diagnostic';

const SHARED: Readonly<Record<string, Fields>> = {
  DynamicValue: { msgpack: one('bytes', 1), json: one('bytes', 2) },
  Diagnostic: { severity: one('int32', 1), summary: one('string', 2), detail: one('string', 3), attribute: one('AttributePath', 4) },
  AttributePath: { steps: many('AttributeStep', 1) },
  AttributeStep: { attributeName: one('string', 1) },
  Schema: { version: one('int32', 1), block: one('Block', 2) },
  Block: { version: one('int32', 1), attributes: many('Attribute', 2), description: one('string', 4) },
  Attribute: {
    name: one('string', 1),
    type: one('bytes', 2),
    description: one('string', 3),
    required: one('bool', 4),
    optional: one('bool', 5),
    computed: one('bool', 6),
    sensitive: one('bool', 7),
    writeOnly: one('bool', 11),
  },
  ServerCapabilities: { planDestroy: one('bool', 1), getProviderSchemaOptional: one('bool', 2) },
};

const config = one(VALUE, 2);
const typeName = one('string', 1);
const diagnostics = (id: number): Field => many(DIAGNOSTIC, id);

/** The service tfplugin6.Provider. Each answer has its diagnostics under a number of its own. */
export const PROVIDER_CALLS = {
  GetProviderSchema: {
    request: {},
    response: {
      provider: one('Schema', 1),
      resourceSchemas: named('Schema', 2),
      dataSourceSchemas: named('Schema', 3),
      diagnostics: diagnostics(4),
      serverCapabilities: one('ServerCapabilities', 6),
      ephemeralResourceSchemas: named('Schema', 8),
    },
  },
  ValidateProviderConfig: { request: { config: one(VALUE, 1) }, response: { diagnostics: diagnostics(2) } },
  ConfigureProvider: { request: { terraformVersion: one('string', 1), config }, response: { diagnostics: diagnostics(1) } },
  StopProvider: { request: {}, response: { error: one('string', 1) } },
  ValidateDataResourceConfig: { request: { typeName, config }, response: { diagnostics: diagnostics(1) } },
  ReadDataSource: { request: { typeName, config }, response: { state: one(VALUE, 1), diagnostics: diagnostics(2) } },
  ValidateEphemeralResourceConfig: { request: { typeName, config }, response: { diagnostics: diagnostics(1) } },
  OpenEphemeralResource: { request: { typeName, config }, response: { diagnostics: diagnostics(1), result: one(VALUE, 3) } },
  RenewEphemeralResource: { request: { typeName }, response: { diagnostics: diagnostics(1) } },
  CloseEphemeralResource: { request: { typeName }, response: { diagnostics: diagnostics(1) } },
} as const satisfies Record<string, Call>;

/** grpc.health.v1.Health, which go-plugin asks whether the service "plugin" is there. */
export const HEALTH_CALLS = { Check: { request: { service: one('string', 1) }, response: { status: one('int32', 1) } } } as const satisfies Record<string, Call>;

/** plugin.GRPCController of go-plugin. */
export const CONTROLLER_CALLS = { Shutdown: { request: {}, response: {} } } as const satisfies Record<string, Call>;

export interface Codec {
  encode(message: object): Buffer;
  decode(bytes: Buffer): object;
}

/** What turns the messages of each call into bytes and back, by `${method}Request` and `${method}Response`. */
export function codecs(calls: Readonly<Record<string, Call>>): (message: string) => Codec {
  const messages = Object.entries(calls).flatMap(([method, { request, response }]) => [[`${method}Request`, request], [`${method}Response`, response]] as const);
  const nested = Object.fromEntries([...Object.entries(SHARED), ...messages].map(([name, fields]) => [name, { fields: { ...fields } }]));
  const root = protobuf.Root.fromJSON({ nested });
  return (message) => {
    const type = root.lookupType(message);
    return {
      encode: (value) => Buffer.from(type.encode(value).finish()),
      decode: (bytes) => type.toObject(type.decode(bytes), { defaults: true, bytes: Buffer }),
    };
  };
}
