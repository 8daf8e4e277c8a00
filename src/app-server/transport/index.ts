export { controlSocketPath, openControlSocket } from './control-socket.ts'
export { type KeptToken, keptToken } from './kept-token.ts'
export { authority, isLoopback, type ListenUrl, parseListenUrl } from './listen-url.ts'
export { openWebSocketTransport } from './open-websocket-transport.ts'
export { proxyToSocket } from './proxy.ts'
export { type ServeOptions, type StopWishes, serveUntilStopped } from './serve.ts'
export { StdioTransport } from './stdio.ts'
export type { Serving, Transport, TransportEnd } from './transport.ts'
export { TransportError } from './transport-error.ts'
export { networkGate } from './upgrade-gate.ts'
export {
  type AuthFlags,
  capabilityToken,
  missingAuth,
  readAuth,
  type WebSocketAuth,
} from './websocket-auth.ts'
