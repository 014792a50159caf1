/** A Terraform provider as a library: `@oxp-vault/terraform-hooks/provider`. Apart from the rest, because gRPC takes its time to load. */
export { type Diagnostic, diagnosticOf } from './diagnostics.js';
export { decodeValue, encodeValue, UNKNOWN, type Value, type Values, type WireValue } from './dynamic-value.js';
export { addService, pluginServer } from './grpc.js';
export { type Address, type Handshake, handshakeLine, readHandshake, reattachValue } from './handshake.js';
export { type Call, type Fields, many, named, one, VALUE } from './messages.js';
export { type Extend, servePlugin, serveReattach } from './plugin.js';
export { type Handler, type Provider, providerHandlers, type Request, type Source } from './provider.js';
export { type Attribute, AttributeFault, type Attributes, type Block, Config, type Type, wireSchema } from './schema.js';
export { type ProviderSettings } from './settings.js';
export { listen, type Listening, type Tls } from './socket.js';
export { type Connect, PROVIDER_SOURCE, vaultProvider } from './vault-provider.js';
