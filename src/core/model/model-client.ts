import type { Json, JsonObject } from '../../base/index.ts'
import type { ResponseItem, TokenUsage } from '../../protocol/index.ts'

/** One request to the model: the body's changing parts, and what its headers say. */
export interface ModelRequest {
  readonly model: string
  /** Fixed for the life of a session. */
  readonly instructions: string
  readonly input: readonly ResponseItem[]
  readonly tools: readonly JsonObject[]
  readonly parallelToolCalls: boolean
  /** Null for a model without reasoning. */
  readonly reasoning: { readonly effort: string; readonly summary?: string } | null
  readonly serviceTier?: string
  readonly verbosity?: string
  /** JSON Schema of the answer, for this turn. */
  readonly outputSchema?: JsonObject
  readonly threadId: string
  /** Of the root of a tree of agents; the thread's own id where there is no tree. */
  readonly sessionId: string
  /** What kind of agent asks, where it is not the root: `review`, `collab_spawn`, … */
  readonly subagent?: string
  /** Of an agent that another one has spawned. */
  readonly parentThreadId?: string
  /** Compactions so far. */
  readonly windowNumber: number
  /** Sent as `x-codex-turn-metadata`. */
  readonly turnMetadata: JsonObject
  /** Echo of what the server asked to be told again in this turn. */
  readonly turnState?: string
}

export type ModelEvent =
  /** The endpoint answers. */
  | {
      readonly type: 'started'
      /** Null where the endpoint told none. */
      readonly rateLimits: JsonObject | null
      readonly turnState?: string
      /** The model that answers, where the endpoint says so. */
      readonly model?: string
    }
  /** A snapshot told in the midst of a response. */
  | { readonly type: 'rateLimits'; readonly rateLimits: JsonObject }
  | { readonly type: 'itemAdded'; readonly id: string; readonly item: ResponseItem }
  | { readonly type: 'textDelta'; readonly itemId: string; readonly delta: string }
  /** What the model thinks, as it comes: `index` is that of the part within the item. */
  | {
      readonly type: 'reasoningDelta'
      readonly itemId: string
      readonly kind: 'summary' | 'raw'
      readonly index: number
      readonly delta: string
    }
  /** A new part of the summary begins. */
  | { readonly type: 'reasoningSectionBreak'; readonly itemId: string; readonly index: number }
  /** `id` is the provider's; the item is in its stored form. */
  | { readonly type: 'itemDone'; readonly id: string; readonly item: ResponseItem }
  | {
      readonly type: 'completed'
      readonly usage: TokenUsage | null
      /** False when the model wants another request although it called no tool. */
      readonly endTurn: boolean
    }

/**
 * The seam to the model. One call, one response: ends with `completed` or a `ModelError`. When the
 * signal aborts it stops at once, throwing the signal's reason.
 */
export interface ModelClient {
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelEvent>
  /** The way of one session to the model; without it, all of them share the client. */
  open?(): ModelConnection
}

/**
 * One session's way to the model, owned by the session. It may keep a connection from one request
 * to the next; requests come one after the other.
 */
export interface ModelConnection extends ModelClient, AsyncDisposable {
  /** True while requests go over a connection that is kept, and that may break in between. */
  readonly isKept: boolean
  /**
   * Gets ready for the first request, which is like this one but for its input and turn. In the
   * background: what fails is found again by the first request.
   */
  prewarm(request: ModelRequest): void
  /** Takes another transport for the rest of the session; false when there is none left. */
  fallBack(): boolean
}

/** The way of one session over a client that keeps no connections. */
export function openConnection(client: ModelClient): ModelConnection {
  return client.open?.() ?? plainConnection(client)
}

export function plainConnection(client: ModelClient): ModelConnection {
  return {
    isKept: false,
    stream: (request, signal) => client.stream(request, signal),
    prewarm: () => undefined,
    fallBack: () => false,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

export interface ModelErrorOptions {
  /** Machine-readable cause in the app-server's spelling. */
  readonly codexErrorInfo?: Json
  /** Whether another attempt of the same request may help. */
  readonly isRetryable?: boolean
  /** What the server asked to be waited. */
  readonly retryAfterMs?: number
  /** The HTTP status behind a broken stream, where there was one. */
  readonly httpStatus?: number
  /** The snapshot that came with the refusal. */
  readonly rateLimits?: JsonObject
  readonly cause?: unknown
}

/** A request that brought no complete response. The message is for a person. */
export class ModelError extends Error {
  override readonly name = 'ModelError'
  readonly codexErrorInfo: Json
  readonly isRetryable: boolean
  readonly retryAfterMs: number | undefined
  readonly httpStatus: number | null
  readonly rateLimits: JsonObject | undefined

  constructor(message: string, options: ModelErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.codexErrorInfo = options.codexErrorInfo ?? 'other'
    this.isRetryable = options.isRetryable ?? false
    this.retryAfterMs = options.retryAfterMs
    this.httpStatus = options.httpStatus ?? null
    this.rateLimits = options.rateLimits
  }
}
