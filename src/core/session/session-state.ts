import type { JsonObject } from '../../base/index.ts'
import type { ModelHistory } from '../../history/index.ts'
import {
  addUsage,
  NO_TOKENS,
  type ResponseItem,
  type TokenInfo,
  type TokenUsage,
  type TurnContextRecord,
} from '../../protocol/index.ts'

/** What lasts as long as the session: the model's history and the counts that go with it. */
export class SessionState {
  #items: ResponseItem[]
  #contextBaseline: TurnContextRecord | undefined
  #tokenInfo: TokenInfo | null
  #rateLimits: JsonObject | null = null

  constructor(history: ModelHistory) {
    this.#items = [...history.items]
    this.#contextBaseline = history.contextBaseline
    this.#tokenInfo = history.tokenInfo
  }

  /** Goes on from another history: the log has more than this session has put there. */
  replace(history: ModelHistory): void {
    this.#items = [...history.items]
    this.#contextBaseline = history.contextBaseline
    this.#tokenInfo = history.tokenInfo
  }

  get items(): readonly ResponseItem[] {
    return this.#items
  }

  get contextBaseline(): TurnContextRecord | undefined {
    return this.#contextBaseline
  }

  get tokenInfo(): TokenInfo | null {
    return this.#tokenInfo
  }

  get rateLimits(): JsonObject | null {
    return this.#rateLimits
  }

  append(...items: readonly ResponseItem[]): void {
    this.#items.push(...items)
  }

  setContextBaseline(record: TurnContextRecord): void {
    this.#contextBaseline = record
  }

  setRateLimits(limits: JsonObject): void {
    this.#rateLimits = limits
  }

  /** Adds a response's counts; without counts, what is known stays. */
  countTokens(usage: TokenUsage | null, contextWindow: number): void {
    if (!usage) return
    this.#tokenInfo = {
      total_token_usage: addUsage(this.#tokenInfo?.total_token_usage ?? NO_TOKENS, usage),
      last_token_usage: usage,
      model_context_window: contextWindow,
    }
  }
}
