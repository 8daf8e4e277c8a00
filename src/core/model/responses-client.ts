import { createParser } from 'eventsource-parser'
import type { JsonObject } from '../../base/index.ts'
import { checkArguments } from '../arguments.ts'
import { toldBy } from './answer-headers.ts'
import { backoffMs } from './backoff.ts'
import { ConnectionFailure } from './connection-failure.ts'
import { type HttpAnswer, httpPost, wholeText } from './http-post.ts'
import { IdleWatch } from './idle-watch.ts'
import {
  type ModelClient,
  type ModelConnection,
  ModelError,
  type ModelEvent,
  type ModelRequest,
  plainConnection,
} from './model-client.ts'
import { disconnected, httpError } from './model-errors.ts'
import { completeEndpoint, type ModelEndpoint, type ResponsesClientOptions } from './provider.ts'
import { rateLimitsOf } from './rate-limits.ts'
import { callerHeaders, requestBody, responsesUrl } from './request-form.ts'
import { decodeResponseEvent, parseEventData } from './response-events.ts'
import { WebSocketConnection } from './websocket-connection.ts'

const STREAM_HEADERS = { accept: 'text/event-stream', 'content-type': 'application/json' }

/** The Responses API over HTTP and server-sent events. */
export class ResponsesClient implements ModelClient {
  readonly #options: ModelEndpoint
  readonly #url: URL

  /** Throws `SessionError` `invalid_argument`; nothing is asked before the first request. */
  constructor(options: ResponsesClientOptions) {
    checkArguments('ResponsesClient', options)
    this.#options = completeEndpoint(options)
    this.#url = responsesUrl(this.#options.provider)
  }

  /** Over a WebSocket where the provider has them, and HTTP where that fails. */
  open(): ModelConnection {
    const hasSockets = this.#options.provider.supportsWebsockets === true
    return hasSockets ? new WebSocketConnection(this.#options, this) : plainConnection(this)
  }

  async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    using watch = new IdleWatch(this.#options.provider.streamIdleTimeoutMs, signal, {
      what: 'SSE',
      url: this.#url,
    })
    const answer = await this.#post(request, watch)
    yield { type: 'started', rateLimits: rateLimitsOf(answer.headers), ...toldBy(answer.headers) }
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
    const body = JSON.stringify({
      ...requestBody(request, request),
      client_metadata: { 'x-codex-installation-id': installationId },
    })
    for (let retry = 0; ; retry += 1) {
      const failure = await this.#tryPost(request, body, watch)
      if (!(failure instanceof ModelError)) return failure
      // A 5xx is tried again here even where the stream would not be: an overloaded model (503).
      const { httpStatus, isRetryable } = failure
      const isWorthRetrying = httpStatus === null ? isRetryable : httpStatus >= 500
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
      const headers = callerHeaders(request, this.#options, STREAM_HEADERS)
      const post = { url: this.#url, headers, body, signal: watch.signal }
      const answer = await watch.during(httpPost(post))
      if (answer.status >= 200 && answer.status < 300) return answer
      return httpError({
        status: answer.status,
        body: await watch.during(wholeText(answer.body)),
        url: this.#url.href,
        headers: answer.headers,
        nowMs: this.#options.clock.nowMs(),
      })
    } catch (error) {
      watch.throwIfEnded()
      return disconnected(`error sending request for url (${this.#url.href})`, {
        cause: new ConnectionFailure(this.#url, error),
      })
    }
  }
}

/** Of one event: a model's answer must not fill the memory. */
const MAX_EVENT_CHARS = 32_000_000

async function* serverSentEvents(
  body: AsyncIterable<Uint8Array>,
  watch: IdleWatch,
): AsyncGenerator<JsonObject> {
  const ready: JsonObject[] = []
  let isTooLong = false
  const parser = createParser({
    maxBufferSize: MAX_EVENT_CHARS,
    onEvent: ({ data }) => {
      const value = parseEventData(data)
      if (value) ready.push(value)
    },
    onError: ({ type }) => {
      isTooLong ||= type === 'max-buffer-size-exceeded'
    },
  })
  const decoder = new TextDecoder()
  for await (const chunk of watched(body, watch)) {
    parser.feed(decoder.decode(chunk, { stream: true }))
    // Not `yield*`: that is a step of waiting more for each event.
    for (const data of ready.splice(0)) yield data
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
      throw disconnected(what, { cause: watch.failure(error) })
    })
    if (next.done) return
    yield next.value
  }
}
