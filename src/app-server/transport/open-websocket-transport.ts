import type { WebSocketTransport, WebSocketTransportOptions } from './websocket-transport.ts'

/** Loads what stdio does without: `node:http` and `ws`. Throws `TransportError`. */
export async function openWebSocketTransport(
  options: WebSocketTransportOptions,
): Promise<WebSocketTransport> {
  const { WebSocketTransport } = await import('./websocket-transport.ts')
  return await WebSocketTransport.open(options)
}
