/** What a model can do, as far as requests and limits depend on it. */
export interface ModelInfo {
  /** Tokens of context that a thread may fill: 95 % of the model's window. */
  readonly contextWindow: number
  /** Tokens from which a thread is condensed: 90 % of the window. */
  readonly autoCompactTokens: number
  /** Undefined for a model that takes no `reasoning`. */
  readonly defaultEffort: string | undefined
  readonly defaultVerbosity: string | undefined
  readonly hasParallelToolCalls: boolean
  /** Takes `apply_patch` as a custom tool with a grammar. */
  readonly hasPatchTool: boolean
}

const USABLE_SHARE = 0.95
const FULL_SHARE = 0.9
/** Source: observed in 0.133.0 for every model here, and its default for unknown ones. */
const WINDOW = 272_000

/** Model that a home without `model` uses; the default of 0.133.0's time. */
export const DEFAULT_MODEL = 'gpt-5.4'

const KNOWN = /^(gpt-5|codex-)/

/**
 * Known families take reasoning, patches and parallel calls; a name we do not know is sent the
 * plain request that every Responses endpoint understands.
 */
export function modelInfo(model: string, contextWindow: number = WINDOW): ModelInfo {
  const isKnown = KNOWN.test(model)
  return {
    contextWindow: Math.floor(contextWindow * USABLE_SHARE),
    autoCompactTokens: Math.floor(contextWindow * FULL_SHARE),
    defaultEffort: isKnown ? 'medium' : undefined,
    defaultVerbosity: isKnown ? 'low' : undefined,
    hasParallelToolCalls: isKnown,
    hasPatchTool: isKnown,
  }
}
