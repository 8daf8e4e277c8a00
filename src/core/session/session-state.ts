import type { JsonObject } from '../../base/index.ts'
import { estimateTokens, type ModelHistory } from '../../history/index.ts'
import {
  addUsage,
  NO_TOKENS,
  type ResponseItem,
  type TokenInfo,
  type TokenUsage,
  type TurnContextRecord,
} from '../../protocol/index.ts'
import type { ModelInfo } from '../model/model-catalog.ts'
import { mergeRateLimits } from '../model/rate-limits.ts'
import type { SessionSettings } from '../settings.ts'

/** What lasts as long as the session: settings, the model's history and the counts of it. */
export class SessionState {
  /** What is in force for the next turn. */
  settings: SessionSettings
  #items: ResponseItem[]
  #contextBaseline: TurnContextRecord | undefined
  #tokenInfo: TokenInfo | null
  #rateLimits: JsonObject | null = null
  /** Items that the last counts are of. */
  #countedItems: number
  #windowNumber: number

  /** `windowNumber`: compactions before this session. */
  constructor(history: ModelHistory, settings: SessionSettings, windowNumber = 0) {
    this.settings = settings
    this.#items = [...history.items]
    this.#contextBaseline = history.contextBaseline
    this.#tokenInfo = history.tokenInfo
    this.#countedItems = history.items.length
    this.#windowNumber = windowNumber
  }

  /** Goes on from another history: the log has more than this session has put there. */
  replace(history: ModelHistory): void {
    this.#items = [...history.items]
    this.#contextBaseline = history.contextBaseline
    this.#tokenInfo = history.tokenInfo
    this.#countedItems = history.items.length
  }

  /** Goes on from what a compaction has left; `tokens` is what that takes of the window. */
  compact(items: readonly ResponseItem[], tokens: number, { contextWindow }: ModelInfo): void {
    this.#items = [...items]
    this.#contextBaseline = undefined
    this.#windowNumber += 1
    this.#recount(tokens, contextWindow)
  }

  /** Goes on from what is left of the history; the counts up to now stay. */
  rollBack(history: ModelHistory, tokens: number, { contextWindow }: ModelInfo): void {
    this.#items = [...history.items]
    this.#contextBaseline = history.contextBaseline
    this.#recount(tokens, contextWindow)
  }

  #recount(tokens: number, contextWindow: number): void {
    this.#countedItems = this.#items.length
    this.#tokenInfo = {
      total_token_usage: this.#tokenInfo?.total_token_usage ?? NO_TOKENS,
      last_token_usage: { ...NO_TOKENS, total_tokens: tokens },
      model_context_window: contextWindow,
    }
  }

  /** What the next request takes of the window: as counted last, and an estimate of the rest. */
  get activeTokens(): number {
    const counted = this.#tokenInfo?.last_token_usage.total_tokens ?? 0
    return counted + estimateTokens(this.#items.slice(this.#countedItems))
  }

  /** Counts the compactions of the thread; a fork begins anew. */
  get windowNumber(): number {
    return this.#windowNumber
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
    this.#rateLimits = mergeRateLimits(this.#rateLimits, limits)
  }

  /** The model has said that its window is full, whatever was counted. */
  fillWindow({ contextWindow }: ModelInfo): void {
    const full = { ...NO_TOKENS, total_tokens: contextWindow }
    this.#tokenInfo = {
      total_token_usage: full,
      last_token_usage: full,
      model_context_window: contextWindow,
    }
    this.#countedItems = this.#items.length
  }

  /** Adds a response's counts; without counts, what is known stays. */
  countTokens(usage: TokenUsage | null, contextWindow: number): void {
    if (!usage) return
    this.#tokenInfo = {
      total_token_usage: addUsage(this.#tokenInfo?.total_token_usage ?? NO_TOKENS, usage),
      last_token_usage: usage,
      model_context_window: contextWindow,
    }
    this.#countedItems = this.#items.length
  }
}
