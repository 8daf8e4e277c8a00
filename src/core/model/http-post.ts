import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { errorCode } from '../../base/index.ts'

const CONNECT_TIMEOUT_MS = 10_000
const RELEASE_TIMEOUT_MS = 1000

export interface HttpAnswer {
  readonly status: number
  readonly headers: HttpHeaders
  /** Throws when the connection breaks before its end. */
  readonly body: AsyncIterable<Uint8Array>
  /**
   * Nothing more of the body is wanted. What little is left of it is read in the background, so
   * that the connection can be used again; one that does not end soon is closed.
   */
  release(): void
}

/** Lower-case names; a header that came twice has its values joined. */
export type HttpHeaders = { readonly [name: string]: string | undefined }

export interface HttpPost {
  readonly url: URL
  readonly headers: { readonly [name: string]: string }
  readonly body: string
  /** Destroys the connection. */
  readonly signal: AbortSignal
}

/**
 * Posts and answers when the headers are there. Connections are kept and used again; a kept one
 * that the server had closed meanwhile is replaced once. `node:http` instead of `fetch`: it takes
 * half the CPU of a turn. It is loaded when it is needed, and not by `import`, which would load
 * what `fetch` needs too.
 */
export async function httpPost(post: HttpPost): Promise<HttpAnswer> {
  try {
    return await postOnce(post)
  } catch (error) {
    const isStale = error instanceof StaleConnection
    if (!isStale || post.signal.aborted) throw error
    return postOnce(post)
  }
}

class StaleConnection extends Error {}

function postOnce({ url, headers, body, signal }: HttpPost): Promise<HttpAnswer> {
  const isSecure = url.protocol === 'https:'
  const { request } = process.getBuiltinModule(isSecure ? 'node:https' : 'node:http')
  return new Promise((resolve, reject) => {
    const bytes = Buffer.from(body)
    const length = { 'content-length': String(bytes.length) }
    const options = { method: 'POST', signal, headers: { ...headers, ...length } }
    const outgoing = request(url, options, (incoming) => resolve(toAnswer(incoming)))
    outgoing.on('error', (error) => {
      const isStale = outgoing.reusedSocket && errorCode(error) === 'ECONNRESET'
      reject(isStale ? new StaleConnection('kept connection was closed', { cause: error }) : error)
    })
    outgoing.on('socket', (socket: Socket) => limitConnecting(outgoing, socket))
    outgoing.end(bytes)
  })
}

function limitConnecting(outgoing: ClientRequest, socket: Socket): void {
  if (!socket.connecting) return
  const timer = setTimeout(() => {
    outgoing.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`))
  }, CONNECT_TIMEOUT_MS)
  const stop = () => clearTimeout(timer)
  socket.once('connect', stop)
  socket.once('close', stop)
}

function toAnswer(incoming: IncomingMessage): HttpAnswer {
  return {
    status: incoming.statusCode ?? 0,
    headers: headersOf(incoming),
    body: chunksOf(incoming),
    release: () => release(incoming),
  }
}

export function headersOf(incoming: IncomingMessage): HttpHeaders {
  const headers: { [name: string]: string | undefined } = {}
  for (const [name, value] of Object.entries(incoming.headers)) {
    headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return headers
}

/** Bytes that may wait for a slow reader before the server is made to wait. */
const MAX_WAITING_BYTES = 1024 * 1024

/**
 * Takes chunks over as they arrive: a stream of Node's own would drop those not read yet when the
 * connection breaks, and with them items that the model had finished.
 */
function chunksOf(incoming: IncomingMessage): AsyncGenerator<Uint8Array> {
  const waiting: Uint8Array[] = []
  let waitingBytes = 0
  let end: { readonly error?: unknown } | undefined
  let wake: (() => void) | undefined
  const finish = (how: { readonly error?: unknown }) => {
    end ??= how
    wake?.()
  }
  incoming.on('data', (chunk: Uint8Array) => {
    waiting.push(chunk)
    waitingBytes += chunk.length
    if (waitingBytes > MAX_WAITING_BYTES) incoming.pause()
    wake?.()
  })
  incoming.once('end', () => finish({}))
  incoming.once('error', (error) => finish({ error }))
  incoming.once('close', () => finish({ error: new Error('the connection was closed') }))
  return (async function* () {
    for (;;) {
      const chunk = waiting.shift()
      if (chunk) {
        waitingBytes -= chunk.length
        if (incoming.isPaused()) incoming.resume()
        yield chunk
      } else if (end) {
        if ('error' in end) throw end.error
        return
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  })()
}

function release(incoming: IncomingMessage): void {
  if (incoming.readableEnded || incoming.destroyed) return
  const timer = setTimeout(() => incoming.destroy(), RELEASE_TIMEOUT_MS).unref()
  incoming.once('close', () => clearTimeout(timer))
  incoming.resume()
}

/** The body of an error; more than this of it says nothing more. */
const ERROR_BODY_BYTES = 64 * 1024

/** The text of a body, as far as it is worth reading. */
export async function wholeText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes > ERROR_BODY_BYTES) break
  }
  return Buffer.concat(chunks).toString('utf8')
}
