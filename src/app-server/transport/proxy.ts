import { once } from 'node:events'
import { createConnection } from 'node:net'
import type { Readable, Writable } from 'node:stream'
import { errorText } from '../../base/index.ts'
import { TransportError } from './transport-error.ts'

/**
 * Carries bytes between a stream pair and a Unix socket, unchanged, until the socket ends. Throws
 * `TransportError` when nobody serves it.
 */
export async function proxyToSocket(
  path: string,
  { input, output }: { readonly input: Readable; readonly output: Writable },
): Promise<void> {
  const socket = createConnection({ path, allowHalfOpen: true })
  try {
    await once(socket, 'connect')
    input.pipe(socket)
    // Left open: what ends is the socket, not this program's output.
    socket.pipe(output, { end: false })
    output.once('error', () => socket.destroy())
    await once(socket, 'end')
  } catch (error) {
    const reason = `failed to connect to socket at ${path}: ${errorText(error)}`
    throw new TransportError('failed', reason, error)
  } finally {
    input.unpipe(socket)
    input.destroy()
    socket.destroy()
  }
}
