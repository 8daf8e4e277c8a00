import { type JsonObject, objectAt, stringAt } from '../../base/index.ts'
import type { ResponseItem } from '../../protocol/index.ts'
import { untilAborted } from '../until-aborted.ts'
import { toldBy } from './answer-headers.ts'
import { errorOfFrame, isUnknownResponse } from './error-frame.ts'
import { HandshakeRefused } from './handshake-refused.ts'
import { IdleWatch } from './idle-watch.ts'
import { inputSince, type PreviousResponse } from './incremental-input.ts'
import type { ModelClient, ModelConnection, ModelEvent, ModelRequest } from './model-client.ts'
import { httpError } from './model-errors.ts'
import type { ModelSocket } from './model-socket.ts'
import type { ModelEndpoint } from './provider.ts'
import { rateLimitsOfFrame } from './rate-limits.ts'
import {
  asciiJson,
  callerHeaders,
  lineage,
  requestBody,
  responsesUrl,
  windowId,
} from './request-form.ts'
import { decodeResponseEvent, parseEventData } from './response-events.ts'

const CONNECT_TIMEOUT_MS = 15_000
const PING_MS = 30_000

/** Says which form of frames is spoken. Source: observed of 0.133.0. */
const BETA = 'responses_websockets=2026-02-06'

/** The server wants no WebSocket. */
const UPGRADE_REQUIRED = 426

/** One request on its way. */
interface Asking {
  readonly socket: ModelSocket
  readonly request: ModelRequest
  /** False for a request that only gets the server ready. */
  readonly isGenerating: boolean
  readonly signal: AbortSignal
}

/**
 * The Responses API over one WebSocket, kept from request to request. A request that only adds to
 * the previous one sends what is new, as long as the connection holds; whatever ends a response
 * early ends the connection too, so that no frame of it is ever taken for another's. Requests go
 * over HTTP once the server has refused to upgrade, or the session has fallen back.
 */
export class WebSocketConnection implements ModelConnection {
  readonly #options: ModelEndpoint
  readonly #http: ModelClient
  readonly #url: URL
  readonly #lifetime = new AbortController()
  #socket: ModelSocket | undefined
  #previous: PreviousResponse | undefined
  #prewarming: Promise<void> | undefined
  #isHttp = false
  /** The connection whose turn state was told: that holds for the turn that it was opened in. */
  #introduced: ModelSocket | undefined

  constructor(options: ModelEndpoint, http: ModelClient) {
    this.#options = options
    this.#http = http
    this.#url = responsesUrl(options.provider)
    this.#url.protocol = this.#url.protocol === 'https:' ? 'wss:' : 'ws:'
  }

  get isKept(): boolean {
    return !this.#isHttp
  }

  prewarm(request: ModelRequest): void {
    if (this.#prewarming || this.#lifetime.signal.aborted) return
    // What fails here is met again by the first request, which tells it.
    this.#prewarming = this.#prewarm(request).catch(() => undefined)
  }

  fallBack(): boolean {
    if (this.#isHttp) return false
    this.#isHttp = true
    this.#drop()
    return true
  }

  async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    if (this.#prewarming) await untilAborted(this.#prewarming, signal)
    const socket = this.#isHttp ? undefined : await this.#connected(request, signal)
    if (socket) yield* this.#ask({ socket, request, isGenerating: true, signal })
    else yield* this.#http.stream(request, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifetime.abort()
    await this.#prewarming
    await this.#socket?.close()
    this.#socket = undefined
  }

  async #prewarm(request: ModelRequest): Promise<void> {
    const late = AbortSignal.timeout(this.#connectTimeoutMs)
    const signal = AbortSignal.any([late, this.#lifetime.signal])
    const socket = await this.#connected(request, signal)
    if (!socket) return
    for await (const _event of this.#ask({ socket, request, isGenerating: false, signal })) {
      // What it says of itself is of no turn.
    }
  }

  get #connectTimeoutMs(): number {
    return this.#options.provider.websocketConnectTimeoutMs ?? CONNECT_TIMEOUT_MS
  }

  /** The open connection, or a new one; undefined when the server wants none. */
  async #connected(request: ModelRequest, signal: AbortSignal): Promise<ModelSocket | undefined> {
    if (this.#socket?.isOpen) return this.#socket
    this.#drop()
    // The library takes as long to load as a whole request; most sessions never need it.
    const { ModelSocket } = await import('./model-socket.ts')
    try {
      this.#socket = await ModelSocket.open({
        url: this.#url,
        headers: callerHeaders(request, this.#options, { 'openai-beta': BETA }),
        connectTimeoutMs: this.#connectTimeoutMs,
        pingMs: PING_MS,
        signal,
      })
      return this.#socket
    } catch (error) {
      if (!(error instanceof HandshakeRefused)) throw error
      const { status, headers, body } = error
      if (status === UPGRADE_REQUIRED) {
        this.#isHttp = true
        return undefined
      }
      const nowMs = this.#options.clock.nowMs()
      throw httpError({ status, body, url: this.#url.href, headers, nowMs })
    }
  }

  async *#ask(asking: Asking): AsyncGenerator<ModelEvent> {
    const { socket, request, signal } = asking
    const { streamIdleTimeoutMs } = this.#options.provider
    using watch = new IdleWatch(streamIdleTimeoutMs, signal, {
      what: 'websocket',
      url: this.#url,
    })
    const onAbort = () => socket.terminate()
    watch.signal.addEventListener('abort', onAbort, { once: true })
    const fields = requestBody(request, { input: [] })
    const output: ResponseItem[] = []
    try {
      await this.#send(asking, fields)
      if (asking.isGenerating) yield this.#started(socket)
      for await (const data of this.#frames(asking, watch, fields)) {
        watch.throwIfEnded()
        const event = decodeFrame(data)
        if (event?.type === 'itemDone') output.push(event.item)
        if (event?.type === 'completed') {
          watch.letGo()
          const id = stringAt(objectAt(data, 'response') ?? {}, 'id')
          this.#previous = id ? { id, fields, input: [...request.input], output } : undefined
          socket.settle()
          yield event
          return
        }
        if (event) yield event
      }
    } finally {
      watch.signal.removeEventListener('abort', onAbort)
      if (!socket.isSettled) this.#drop()
    }
  }

  /** The handshake's answer stands for the headers that a response does not have here. */
  #started(socket: ModelSocket): ModelEvent {
    const { turnState, ...told } = toldBy(socket.headers)
    const isFirst = this.#introduced !== socket
    this.#introduced = socket
    return {
      type: 'started',
      rateLimits: null,
      ...told,
      ...(turnState && isFirst ? { turnState } : {}),
    }
  }

  /** Until the response is whole, or broken: a kept connection has no end of a response. */
  async *#frames(asking: Asking, watch: IdleWatch, fields: JsonObject): AsyncGenerator<JsonObject> {
    for (let count = 0; ; count += 1) {
      const text = await watch.during(asking.socket.next()).catch((error: unknown) => {
        watch.throwIfEnded()
        throw error
      })
      const frame = parseEventData(text)
      if (frame?.type !== 'error') {
        if (frame) yield frame
        continue
      }
      const canAskInFull = count === 0 && this.#previous !== undefined && isUnknownResponse(frame)
      if (!canAskInFull) {
        const nowMs = this.#options.clock.nowMs()
        throw errorOfFrame({ frame, text, url: this.#url.href, nowMs })
      }
      this.#previous = undefined
      await this.#send(asking, fields)
    }
  }

  /** Only what is new since the previous response, where that is all that differs. */
  async #send({ socket, request, isGenerating }: Asking, fields: JsonObject): Promise<void> {
    const previous = this.#previous
    const since = previous && inputSince(previous, fields, request.input)
    const body =
      previous && since
        ? requestBody(request, { input: since, previousResponseId: previous.id })
        : requestBody(request, request)
    if (!since) this.#previous = undefined
    const metadata = {
      'x-codex-turn-metadata': asciiJson(request.turnMetadata),
      'x-codex-installation-id': await this.#options.installationId(),
      'x-codex-window-id': windowId(request),
      ...lineage(request),
      'x-codex-ws-stream-request-start-ms': String(this.#options.clock.nowMs()),
    }
    socket.ask(
      JSON.stringify({
        type: 'response.create',
        ...body,
        ...(isGenerating ? {} : { generate: false }),
        client_metadata: metadata,
      }),
    )
  }

  #drop(): void {
    this.#socket?.terminate()
    this.#socket = undefined
    this.#previous = undefined
  }
}

function decodeFrame(data: JsonObject): ModelEvent | undefined {
  if (data.type !== 'codex.rate_limits') return decodeResponseEvent(data)
  return { type: 'rateLimits', rateLimits: rateLimitsOfFrame(data) }
}
