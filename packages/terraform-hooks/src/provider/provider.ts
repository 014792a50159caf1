/** A provider without managed resources, and how it answers the calls of plugin protocol 6. */
import { VaultError } from '@oxp-vault/core';
import { type Diagnostic, diagnosticOf } from './diagnostics.js';
import { encodeValue, type Values, type WireValue } from './dynamic-value.js';
import type { PROVIDER_CALLS } from './messages.js';
import { type Block, Config, wireSchema } from './schema.js';

/** A data source or an ephemeral resource: what it says becomes part of the state, or is forgotten when it is closed. */
export interface Source extends Block {
  /** Judges what is known of a configuration. */
  validate?(config: Config): void;
  /** The computed attributes; what the person has said need not be repeated. */
  read(config: Config): Promise<Values>;
}

export interface Provider extends Block {
  validate?(config: Config): void;
  /** Called before anything is read; again whenever the settings may have changed. */
  configure(config: Config): void;
  readonly dataSources: Readonly<Record<string, Source>>;
  readonly ephemeralResources: Readonly<Record<string, Source>>;
}

/** The members of the requests that are looked at. */
export interface Request {
  readonly typeName?: string;
  readonly config?: WireValue;
}

export type Handler = (request: Request) => Promise<object>;

export function providerHandlers(provider: Provider): Record<keyof typeof PROVIDER_CALLS, Handler> {
  const { dataSources, ephemeralResources } = provider;
  const schemas = (sources: Readonly<Record<string, Source>>): object => Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, wireSchema(source)]));
  const judge = async (check: () => void): Promise<object> => ({ diagnostics: await faultsOf(async () => check()) });
  return {
    GetProviderSchema: async () => ({
      provider: wireSchema(provider),
      resourceSchemas: {},
      dataSourceSchemas: schemas(dataSources),
      ephemeralResourceSchemas: schemas(ephemeralResources),
      serverCapabilities: { getProviderSchemaOptional: true },
    }),
    ValidateProviderConfig: (request) => judge(() => provider.validate?.(configOf(request))),
    ConfigureProvider: (request) => judge(() => provider.configure(configOf(request))),
    ValidateDataResourceConfig: (request) => judge(() => find(dataSources, request).validate?.(configOf(request))),
    ValidateEphemeralResourceConfig: (request) => judge(() => find(ephemeralResources, request).validate?.(configOf(request))),
    ReadDataSource: (request) => answer('state', () => readWhole(find(dataSources, request), configOf(request))),
    OpenEphemeralResource: (request) => answer('result', () => readWhole(find(ephemeralResources, request), configOf(request))),
    // Nothing is held open: what was read was read once.
    RenewEphemeralResource: async () => ({}),
    CloseEphemeralResource: async () => ({}),
    // What is under way is short, and ends well or badly by itself.
    StopProvider: async () => ({}),
  };
}

function configOf(request: Request): Config {
  return Config.read(request.config ?? {});
}

function find(sources: Readonly<Record<string, Source>>, { typeName = '' }: Request): Source {
  const source = Object.hasOwn(sources, typeName) ? sources[typeName] : undefined;
  if (!source) throw new VaultError('UNSUPPORTED', 'the provider has nothing of that type', { hint: 'Terraform and the provider do not fit together: run terraform init again.' });
  return source;
}

/** Every attribute has to be there, as null at least. */
async function readWhole(source: Source, config: Config): Promise<WireValue> {
  const given = await source.read(config);
  return encodeValue(Object.fromEntries(Object.keys(source.attributes).map((name) => [name, given[name] ?? config.get(name)])));
}

async function answer(member: 'state' | 'result', read: () => Promise<WireValue>): Promise<object> {
  let value: WireValue = encodeValue(null);
  const diagnostics = await faultsOf(async () => {
    value = await read();
  });
  return { [member]: value, diagnostics };
}

async function faultsOf(run: () => Promise<void>): Promise<Diagnostic[]> {
  try {
    await run();
    return [];
  } catch (error) {
    return [diagnosticOf(error)];
  }
}
