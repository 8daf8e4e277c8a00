import { STATUS_CODES } from 'node:http'
import { createParser } from 'eventsource-parser'
import { type Clock, isObject, type JsonObject } from '../../base/index.ts'
import { backoffMs } from './backoff.ts'
import { type HttpAnswer, httpPost } from './http-post.ts'
import { type ModelClient, ModelError, type ModelEvent, type ModelRequest } from './model-client.ts'
import { disconnected, httpError } from './model-errors.ts'
import { rateLimitsOf } from './rate-limits.ts'
import { decodeResponseEvent } from './response-events.ts'

/** Where a model is served, and how patient to be with it. */
export interface ModelProvider {
  readonly id: string
  readonly name: string
  /** Without trailing slash; `/responses` is added. */
  readonly baseUrl: string
  /** Sent as `Authorization: Bearer`; never logged. */
  readonly bearerToken: string | undefined
  readonly headers: { readonly [name: string]: string }
  readonly queryParams: { readonly [name: string]: string }
  readonly requestMaxRetries: number
  readonly streamMaxRetries: number
  readonly streamIdleTimeoutMs: number
}

export interface ResponsesClientOptions {
  readonly provider: ModelProvider
  readonly clock: Clock
  /** Name of the client program, for `originator` and `user-agent`. */
  readonly originator: string
  readonly version: string
  /** Id of the home, told to the endpoint as `x-codex-installation-id`. */
  readonly installationId: () => Promise<string>
}

/** The Responses API over HTTP and server-sent events. */
export class ResponsesClient implements ModelClient {
  readonly #options: ResponsesClientOptions
  readonly #url: URL

  constructor(options: ResponsesClientOptions) {
    this.#options = options
    const url = new URL(`${options.provider.baseUrl}/responses`)
    for (const [name, value] of Object.entries(options.provider.queryParams)) {
      url.searchParams.set(name, value)
    }
    this.#url = url
  }

  async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    using watch = new IdleWatch(this.#options.provider.streamIdleTimeoutMs, signal)
    const answer = await this.#post(request, watch)
    const turnState = answer.headers['x-codex-turn-state']
    yield {
      type: 'started',
      rateLimits: rateLimitsOf(answer.headers),
      ...(turnState ? { turnState } : {}),
    }
    for await (const data of serverSentEvents(answer.body, watch)) {
      watch.throwIfEnded()
      const event = decodeResponseEvent(data)
      if (event?.type === 'completed') {
        watch.letGo()
        answer.release()
        yield event
        return
      }
      if (event) yield event
    }
    throw disconnected('stream closed before response.completed')
  }

  /** Retries transport errors and 5xx in silence; any other answer is the caller's to judge. */
  async #post(request: ModelRequest, watch: IdleWatch): Promise<HttpAnswer> {
    const { provider, clock } = this.#options
    const installationId = await this.#options.installationId()
    const body = JSON.stringify(requestBody(request, installationId))
    for (let retry = 0; ; retry += 1) {
      const failure = await this.#tryPost(request, body, watch)
      if (!(failure instanceof ModelError)) return failure
      const isWorthRetrying = failure.isRetryable && (failure.httpStatus ?? 500) >= 500
      if (!isWorthRetrying || retry >= provider.requestMaxRetries) throw failure
      await clock.sleep(failure.retryAfterMs ?? backoffMs(retry + 1), watch.signal)
    }
  }

  async #tryPost(
    request: ModelRequest,
    body: string,
    watch: IdleWatch,
  ): Promise<HttpAnswer | ModelError> {
    try {
      const headers = requestHeaders(request, this.#options)
      const post = { url: this.#url, headers, body, signal: watch.signal }
      const answer = await watch.during(httpPost(post))
      if (answer.status >= 200 && answer.status < 300) return answer
      return httpError({
        status: answer.status,
        statusText: STATUS_CODES[answer.status] ?? '',
        body: await watch.during(wholeText(answer.body)),
        url: this.#url.href,
        headers: answer.headers,
        nowMs: this.#options.clock.nowMs(),
      })
    } catch (error) {
      watch.throwIfEnded()
      return disconnected(`error sending request for url (${this.#url.href})`, { cause: error })
    }
  }
}

/** The longest time that a timer can count. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Aborts when nothing has arrived for too long, or when the caller's signal does. */
class IdleWatch implements Disposable {
  readonly #controller = new AbortController()
  readonly #idleMs: number
  readonly #outer: AbortSignal
  readonly #forward = () => this.#controller.abort(this.#outer.reason)
  #isIdle = false
  #isLetGo = false

  constructor(idleMs: number, outer: AbortSignal) {
    this.#idleMs = Math.min(idleMs, MAX_TIMER_MS)
    this.#outer = outer
    outer.throwIfAborted()
    outer.addEventListener('abort', this.#forward, { once: true })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Waits for something from the server: the only time that counts as idle. */
  async during<T>(arrival: Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      this.#isIdle = true
      this.#controller.abort()
    }, this.#idleMs)
    try {
      return await arrival
    } finally {
      clearTimeout(timer)
    }
  }

  /** The caller's abort as it is, an idle end as an error; nothing when neither happened. */
  throwIfEnded(): void {
    this.#outer.throwIfAborted()
    if (this.#isIdle) throw disconnected('idle timeout waiting for SSE')
  }

  /** The response is whole: neither time nor the caller may abort what is left of it. */
  letGo(): void {
    this.#isLetGo = true
    this.#outer.removeEventListener('abort', this.#forward)
  }

  [Symbol.dispose](): void {
    const isOver = this.#isLetGo
    this.letGo()
    if (!isOver) this.#controller.abort()
  }
}

/** Of one event: a model's answer must not fill the memory. */
const MAX_EVENT_CHARS = 32_000_000

/** The body of an error; more than this of it says nothing more. */
const ERROR_BODY_BYTES = 64 * 1024

async function wholeText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes > ERROR_BODY_BYTES) break
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function* serverSentEvents(
  body: AsyncIterable<Uint8Array>,
  watch: IdleWatch,
): AsyncGenerator<JsonObject> {
  const ready: JsonObject[] = []
  let isTooLong = false
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARS,
    onEvent: ({ data }) => {
      const value = parseData(data)
      if (value) ready.push(value)
    },
    onError: ({ type }) => {
      isTooLong ||= type === 'max-buffer-size-exceeded'
    },
  })
  const decoder = new TextDecoder()
  for await (const chunk of watched(body, watch)) {
    parser.feed(decoder.decode(chunk, { stream: true }))
    yield* ready.splice(0)
    if (isTooLong) throw new ModelError('the model sent an event of over 32 million characters')
  }
}

async function* watched(
  body: AsyncIterable<Uint8Array>,
  watch: IdleWatch,
): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]()
  for (;;) {
    const next = await watch.during(chunks.next()).catch((error: unknown) => {
      watch.throwIfEnded()
      const what = 'Transport error: network error: error decoding response body'
      throw disconnected(what, { cause: error })
    })
    if (next.done) return
    yield next.value
  }
}

function parseData(data: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(data)
    return isObject(value) ? value : undefined
  } catch {
    // A frame that is no JSON carries nothing; the response shows whether it was needed.
    return undefined
  }
}

/** Key order as real Codex sends it. */
function requestBody(request: ModelRequest, installationId: string): JsonObject {
  const text = textControls(request)
  return {
    model: request.model,
    instructions: request.instructions,
    input: request.input as unknown as JsonObject[],
    tools: [...request.tools],
    tool_choice: 'auto',
    parallel_tool_calls: request.parallelToolCalls,
    reasoning: request.reasoning && { ...request.reasoning },
    store: false,
    stream: true,
    include: request.reasoning ? ['reasoning.encrypted_content'] : [],
    prompt_cache_key: request.threadId,
    ...(text ? { text } : {}),
    client_metadata: { 'x-codex-installation-id': installationId },
  }
}

function textControls(request: ModelRequest): JsonObject | undefined {
  if (!request.verbosity && !request.outputSchema) return undefined
  return {
    ...(request.verbosity ? { verbosity: request.verbosity } : {}),
    ...(request.outputSchema
      ? {
          format: {
            type: 'json_schema',
            strict: true,
            schema: request.outputSchema,
            name: 'codex_output_schema',
          },
        }
      : {}),
  }
}

function requestHeaders(
  request: ModelRequest,
  { provider, originator, version }: ResponsesClientOptions,
): { [name: string]: string } {
  const headers: { [name: string]: string } = {
    'x-codex-turn-metadata': asciiJson(request.turnMetadata),
    'x-codex-window-id': `${request.threadId}:${request.windowNumber}`,
    'x-client-request-id': request.threadId,
    'session-id': request.sessionId,
    'thread-id': request.threadId,
    accept: 'text/event-stream',
    'content-type': 'application/json',
    originator: asciiText(originator),
    'user-agent': `${asciiText(originator)}/${version} (${process.platform}; ${process.arch})`,
  }
  if (request.turnState) headers['x-codex-turn-state'] = request.turnState
  if (provider.bearerToken) headers.authorization = `Bearer ${provider.bearerToken.trim()}`
  for (const [name, value] of Object.entries(provider.headers)) headers[name.toLowerCase()] = value
  return headers
}

/** A client's name may hold anything; a header must not. */
function asciiText(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '_')
}

/** Headers are ASCII: every other character becomes a JSON escape. */
function asciiJson(value: JsonObject): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
