import type { JsonObject } from '../base/index.ts'
import type { ApprovalPolicy, SandboxPolicy } from '../protocol/index.ts'

/** What is in force for the turns of a session. */
export interface SessionSettings {
  /** Absolute. */
  readonly cwd: string
  readonly model: string
  /** Id of the provider, as in `config.toml`. */
  readonly modelProvider: string
  readonly approvalPolicy: ApprovalPolicy
  readonly sandboxPolicy: SandboxPolicy
  /** Undefined: the model's default. */
  readonly effort?: string
  readonly reasoningSummary?: string
  readonly verbosity?: string
  /** Tokens of the model's window, where the default is wrong. */
  readonly contextWindow?: number
  /** Tokens from which a thread is condensed, where the model's default is wrong. */
  readonly autoCompactTokens?: number
  readonly developerInstructions?: string
}

/** Who started a session, as its header tells. */
export interface SessionOrigin {
  readonly originator: string
  readonly source: string | JsonObject
  readonly threadSource?: string
}
