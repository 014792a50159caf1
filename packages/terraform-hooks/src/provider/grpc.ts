/** The services of a plugin on a gRPC server. */
import { logVerbosity, type sendUnaryData, Server, type ServerUnaryCall, type ServiceDefinition, setLogVerbosity, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { type Call, codecs, CONTROLLER_CALLS, HEALTH_CALLS, PROVIDER_CALLS } from './messages.js';
import type { Handler, Request } from './provider.js';

type Handlers = Readonly<Record<string, Handler>>;

const SERVING = 1;

/** A server that offers a provider. `onShutdown`: Terraform is done with it. */
export function pluginServer(handlers: Handlers, onShutdown: () => void): Server {
  // GRPC_VERBOSITY and GRPC_TRACE are for people who look for faults in gRPC: not on a channel that carries secrets.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server();
  addService(server, 'grpc.health.v1.Health', HEALTH_CALLS, { Check: async () => ({ status: SERVING }) });
  addService(server, 'plugin.GRPCController', CONTROLLER_CALLS, {
    Shutdown: async () => {
      onShutdown();
      return {};
    },
  });
  addService(server, 'tfplugin6.Provider', PROVIDER_CALLS, handlers);
  return server;
}

export function addService(server: Server, name: string, calls: Readonly<Record<string, Call>>, handlers: Handlers): void {
  const codec = codecs(calls);
  const methods: Record<string, ServiceDefinition[string]> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const method of Object.keys(calls)) {
    const [request, response] = [codec(`${method}Request`), codec(`${method}Response`)];
    methods[method] = {
      path: `/${name}/${method}`,
      requestStream: false,
      responseStream: false,
      requestSerialize: (message: object) => request.encode(message),
      requestDeserialize: (bytes: Buffer) => request.decode(bytes),
      responseSerialize: (message: object) => response.encode(message),
      responseDeserialize: (bytes: Buffer) => response.decode(bytes),
    };
    implementation[method] = unary(handlers[method]!);
  }
  server.addService(methods, implementation);
}

/** What a handler throws is a fault of the provider itself: everything else is a diagnostic in its answer. */
function unary(handler: Handler) {
  const reply = async (request: Request, done: sendUnaryData<object>): Promise<void> => {
    let answer: object;
    try {
      answer = await handler(request);
    } catch {
      done({ code: status.INTERNAL, details: 'the provider failed' }); // and not what it says: that may quote a value
      return;
    }
    done(null, answer);
  };
  return (call: ServerUnaryCall<Request, object>, done: sendUnaryData<object>): void => void reply(call.request, done);
}
