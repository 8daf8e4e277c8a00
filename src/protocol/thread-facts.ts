import { isObject, type Json, type JsonObject, stringAt } from '../base/index.ts'

/** What of a checkout is kept with a thread. `{}` in a rollout means "explicitly cleared". */
export interface GitInfo {
  readonly commit_hash?: string
  readonly branch?: string
  readonly repository_url?: string
}

/** Who started a thread, as rollouts spell it: `"exec"`, `{"subagent":…}`, `{"custom":…}`. */
export type SessionSource = string | JsonObject

/** A word for lists: `exec`, `cli`, `subagent`, … */
export function sourceKind(source: SessionSource): string {
  if (typeof source === 'string') return source
  return Object.keys(source)[0] ?? 'unknown'
}

/** All words for lists, the last the most exact: `subagent` and `subagent:review`. */
export function sourceKinds(source: SessionSource): string[] {
  const kind = sourceKind(source)
  if (!isObject(source) || kind !== 'subagent') return [kind]
  const { subagent } = source
  const purpose = isObject(subagent) ? Object.keys(subagent)[0] : stringAt(source, 'subagent')
  return [kind, `${kind}:${purpose}`]
}

export function isSubagent(source: SessionSource): boolean {
  return isObject(source) && ('subagent' in source || 'internal' in source)
}

/** Counts of one response, or of a whole thread. */
export interface TokenUsage {
  readonly input_tokens: number
  readonly cached_input_tokens: number
  readonly output_tokens: number
  readonly reasoning_output_tokens: number
  readonly total_tokens: number
}

export const NO_TOKENS: TokenUsage = {
  input_tokens: 0,
  cached_input_tokens: 0,
  output_tokens: 0,
  reasoning_output_tokens: 0,
  total_tokens: 0,
}

export function addUsage(a: TokenUsage, b: TokenUsage): TokenUsage {
  return {
    input_tokens: a.input_tokens + b.input_tokens,
    cached_input_tokens: a.cached_input_tokens + b.cached_input_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    reasoning_output_tokens: a.reasoning_output_tokens + b.reasoning_output_tokens,
    total_tokens: a.total_tokens + b.total_tokens,
  }
}

export interface TokenInfo {
  readonly total_token_usage: TokenUsage
  readonly last_token_usage: TokenUsage
  readonly model_context_window: number | null
}

export const MEMORY_MODES = ['enabled', 'disabled', 'polluted'] as const
/** Whether memories are made of a thread. `polluted`: its content is not to be trusted for that. */
export type MemoryMode = (typeof MEMORY_MODES)[number]

export const GOAL_STATUSES = [
  'active',
  'paused',
  'blocked',
  'usageLimited',
  'budgetLimited',
  'complete',
] as const

/** What a person wants of a thread as a whole, spelled as rollouts and the wire have it. */
export interface ThreadGoal {
  readonly threadId: string
  readonly objective: string
  readonly status: (typeof GOAL_STATUSES)[number]
  /** Null: none. */
  readonly tokenBudget: number | null
  readonly tokensUsed: number
  readonly timeUsedSeconds: number
  /** Unix seconds, as is `updatedAt`. */
  readonly createdAt: number
  readonly updatedAt: number
}

export const APPROVAL_POLICIES = ['untrusted', 'on-failure', 'on-request', 'never'] as const
/** When a person is asked before a command runs. The granular object is carried unchanged. */
export type ApprovalPolicy = (typeof APPROVAL_POLICIES)[number] | JsonObject

export const SANDBOX_MODES = ['read-only', 'workspace-write', 'danger-full-access'] as const
export type SandboxMode = (typeof SANDBOX_MODES)[number]

/** What commands and patches may touch, in the rollout's spelling. */
export type SandboxPolicy =
  | { type: 'danger-full-access' }
  | { type: 'read-only'; network_access?: boolean }
  | { type: 'external-sandbox'; network_access: Json }
  | {
      type: 'workspace-write'
      writable_roots?: string[]
      network_access: boolean
      exclude_tmpdir_env_var: boolean
      exclude_slash_tmp: boolean
    }
