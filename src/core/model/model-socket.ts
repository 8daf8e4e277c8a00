import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { errorCode } from '../../base/index.ts'
import { ConnectionFailure } from './connection-failure.ts'
import { HandshakeRefused } from './handshake-refused.ts'
import { type HttpHeaders, headersOf, wholeText } from './http-post.ts'
import { ModelError } from './model-client.ts'
import { disconnected } from './model-errors.ts'

/** Of one frame: a model's answer must not fill the memory. */
const MAX_FRAME_BYTES = 32_000_000

/** Characters that may wait for a slow reader before the server is made to wait. */
const MAX_WAITING_CHARS = 1024 * 1024

/** Of frames that came in one go, packed: what has been read already cannot be made to wait. */
const MAX_QUEUED_CHARS = MAX_FRAME_BYTES + MAX_WAITING_CHARS

/** How long the server may take to say farewell. */
const CLOSE_TIMEOUT_MS = 500

export interface OpenSocket {
  readonly url: URL
  readonly headers: { readonly [name: string]: string }
  readonly connectTimeoutMs: number
  /** How often a connection that nothing is asked on is looked after. */
  readonly pingMs: number
  readonly signal: AbortSignal
}

/**
 * One WebSocket to the model: text frames in and out, one response at a time. Frames that nobody
 * has asked for are dropped. What is left of it once it has ended is the reason, as a `ModelError`.
 */
export class ModelSocket {
  readonly #socket: WebSocket
  readonly #pingMs: number
  readonly #closed: Promise<void>
  #headers: HttpHeaders = {}
  readonly #waiting: string[] = []
  #waitingChars = 0
  #wasOpen = false
  #isAsked = false
  #end: ModelError | undefined
  #wake: (() => void) | undefined
  #pinging: NodeJS.Timeout | undefined
  #isAlive = true

  private constructor(options: OpenSocket) {
    this.#pingMs = options.pingMs
    this.#socket = new WebSocket(options.url, {
      headers: { ...options.headers },
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: true,
      followRedirects: false,
    })
    this.#socket.on('message', (data, isBinary) => this.#take(String(data), isBinary))
    this.#socket.on('pong', () => {
      this.#isAlive = true
    })
    this.#socket.on('error', (error) => {
      this.#endWith(this.#wasOpen ? brokenBy(error, options.url) : unopened(error, options.url))
    })
    this.#closed = new Promise((resolve) => {
      this.#socket.once('close', (code) => {
        this.#endWith(disconnected(code === LOST ? CUT : CLOSED))
        clearInterval(this.#pinging)
        resolve()
      })
    })
  }

  /** Throws `HandshakeRefused`, `ModelError`, or the signal's reason. */
  static async open(options: OpenSocket): Promise<ModelSocket> {
    const { signal, connectTimeoutMs } = options
    signal.throwIfAborted()
    const socket = new ModelSocket(options)
    const timer = setTimeout(() => socket.#endWith(notInTime(options)), connectTimeoutMs)
    const onAbort = () => socket.terminate()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      await socket.#opened()
      return socket
    } catch (error) {
      signal.throwIfAborted()
      const reason = socket.#end ?? error
      socket.terminate()
      throw reason
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Those of the handshake's answer. */
  get headers(): HttpHeaders {
    return this.#headers
  }

  /** True when no response is on its way. */
  get isSettled(): boolean {
    return !this.#isAsked
  }

  get isOpen(): boolean {
    return this.#end === undefined
  }

  /** Asks for a response. */
  ask(text: string): void {
    clearInterval(this.#pinging)
    this.#isAsked = true
    if (this.#end === undefined) this.#socket.send(text)
  }

  /** The next frame of the response. Throws `ModelError` when the connection ends first. */
  async next(): Promise<string> {
    for (;;) {
      const text = this.#waiting.shift()
      if (text !== undefined) {
        this.#waitingChars -= text.length
        if (this.#waitingChars <= MAX_WAITING_CHARS && this.#socket.isPaused) this.#socket.resume()
        return text
      }
      if (this.#end) throw this.#end
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** The response is whole. Until the next one, the server is asked now and then if it is there. */
  settle(): void {
    this.#isAsked = false
    this.#forget()
    this.#isAlive = true
    clearInterval(this.#pinging)
    this.#pinging = setInterval(() => this.#ping(), this.#pingMs).unref()
  }

  /** Ends the connection at once. */
  terminate(): void {
    this.#endWith(disconnected(CUT))
  }

  /** Says farewell, and waits for the server to do so too, but not for long. */
  async close(): Promise<void> {
    if (this.#end === undefined) this.#socket.close(1000)
    const timer = setTimeout(() => this.terminate(), CLOSE_TIMEOUT_MS)
    await this.#closed
    clearTimeout(timer)
  }

  #opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once('upgrade', (answer) => {
        this.#headers = headersOf(answer)
      })
      this.#socket.once('open', () => {
        this.#wasOpen = true
        resolve()
      })
      this.#socket.once('unexpected-response', (_request, answer: IncomingMessage) => {
        refusal(answer).then(reject, reject)
      })
      this.#socket.once('close', () => reject(this.#end))
    })
  }

  #take(text: string, isBinary: boolean): void {
    if (!this.#isAsked || this.#end) return
    if (isBinary) {
      this.#endWith(disconnected('unexpected binary websocket event'))
      return
    }
    this.#waiting.push(text)
    this.#waitingChars += text.length
    if (this.#waitingChars > MAX_QUEUED_CHARS) this.#endWith(tooMuch())
    else if (this.#waitingChars > MAX_WAITING_CHARS) this.#socket.pause()
    this.#wake?.()
  }

  #ping(): void {
    if (!this.#isAlive) this.terminate()
    else if (this.#end === undefined) {
      this.#isAlive = false
      this.#socket.ping()
    }
  }

  /** The first reason counts. */
  #endWith(reason: ModelError): void {
    if (this.#end) return
    this.#end = reason
    this.#socket.terminate()
    this.#wake?.()
  }

  #forget(): void {
    this.#waiting.length = 0
    this.#waitingChars = 0
    if (this.#socket.isPaused) this.#socket.resume()
  }
}

/** What a close is told as that came without a close frame. */
const LOST = 1006

const CUT = 'WebSocket protocol error: Connection reset without closing handshake'
const CLOSED = 'websocket closed by server before response.completed'

function brokenBy(error: Error, url: URL): ModelError {
  if (errorCode(error) === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return tooMuch()
  return disconnected(`WebSocket protocol error: ${error.message}`, {
    cause: new ConnectionFailure(url, error),
  })
}

function tooMuch(): ModelError {
  return new ModelError('the model sent an event of over 32 million bytes')
}

function notInTime({ url, connectTimeoutMs }: OpenSocket): ModelError {
  const cause = new ConnectionFailure(url, `no connection within ${connectTimeoutMs / 1000} s`)
  return new ModelError('request timed out', { isRetryable: true, cause })
}

function unopened(error: Error, url: URL): ModelError {
  return disconnected(`error sending request for url (${url.href})`, {
    cause: new ConnectionFailure(url, error),
  })
}

async function refusal(answer: IncomingMessage): Promise<HandshakeRefused> {
  const body = await wholeText(answer)
  answer.destroy()
  return new HandshakeRefused(answer.statusCode ?? 0, headersOf(answer), body)
}
