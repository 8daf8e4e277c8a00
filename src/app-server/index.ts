export {
  AppServer,
  type AppServerOptions,
  type ClientPort,
  type ThreadRuntime,
} from './app-server.ts'
export type { Wire } from './connection.ts'
export { schemaTypes } from './protocol/schema-types.ts'
export {
  type AuthFlags,
  authority,
  capabilityToken,
  controlSocketPath,
  isLoopback,
  keptToken,
  type ListenUrl,
  missingAuth,
  networkGate,
  openControlSocket,
  openWebSocketTransport,
  parseListenUrl,
  proxyToSocket,
  readAuth,
  type Serving,
  StdioTransport,
  type StopWishes,
  serveUntilStopped,
  type Transport,
  TransportError,
  type WebSocketAuth,
} from './transport/index.ts'
