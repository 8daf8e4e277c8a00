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
  readonly verbosity?: string
  /** JSON Schema of the answer, for this turn. */
  readonly outputSchema?: JsonObject
  readonly threadId: string
  readonly sessionId: string
  /** Compactions so far. */
  readonly windowNumber: number
  /** Sent as `x-codex-turn-metadata`. */
  readonly turnMetadata: JsonObject
  /** Echo of what the server asked to be told again in this turn. */
  readonly turnState?: string
}

export type ModelEvent =
  /** Headers have arrived. */
  | { readonly type: 'started'; readonly rateLimits: JsonObject; readonly turnState?: string }
  | { readonly type: 'itemAdded'; readonly id: string; readonly kind: string }
  | { readonly type: 'textDelta'; readonly itemId: string; readonly delta: string }
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
  readonly cause?: unknown
}

/** A request that brought no complete response. The message is for a person. */
export class ModelError extends Error {
  override readonly name = 'ModelError'
  readonly codexErrorInfo: Json
  readonly isRetryable: boolean
  readonly retryAfterMs: number | undefined
  readonly httpStatus: number | null

  constructor(message: string, options: ModelErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.codexErrorInfo = options.codexErrorInfo ?? 'other'
    this.isRetryable = options.isRetryable ?? false
    this.retryAfterMs = options.retryAfterMs
    this.httpStatus = options.httpStatus ?? null
  }
}
