import type { Json, JsonObject } from '../base/index.ts'

export type ToolStatus = 'inProgress' | 'completed' | 'failed' | 'declined'

export interface FileUpdateChange {
  /** Absolute path. */
  readonly path: string
  readonly kind: 'add' | 'delete' | 'update'
  /** Absolute new path of an update that moves the file. */
  readonly movePath?: string
  /** Whole text for add and delete, unified hunks without file header for update. */
  readonly diff: string
}

/** One thing that a turn shows to people. Live and read back from a rollout alike. */
export type TurnItem =
  | { readonly type: 'userMessage'; readonly id: string; readonly text: string }
  | {
      readonly type: 'agentMessage'
      readonly id: string
      readonly text: string
      readonly phase: 'commentary' | 'final_answer' | null
    }
  | { readonly type: 'reasoning'; readonly id: string; readonly summary: readonly string[] }
  | {
      readonly type: 'commandExecution'
      readonly id: string
      /** The whole argv, shell-quoted. */
      readonly command: string
      readonly cwd: string
      readonly status: ToolStatus
      readonly aggregatedOutput: string | null
      readonly exitCode: number | null
      readonly durationMs: number | null
    }
  | {
      readonly type: 'fileChange'
      readonly id: string
      readonly changes: readonly FileUpdateChange[]
      readonly status: ToolStatus
    }
  | {
      readonly type: 'toolCall'
      readonly id: string
      readonly server: string | null
      readonly tool: string
      readonly arguments: Json
      readonly status: ToolStatus
      readonly result: string | null
    }
  | {
      readonly type: 'webSearch'
      readonly id: string
      readonly query: string
      readonly action: JsonObject | null
    }
  | { readonly type: 'plan'; readonly id: string; readonly text: string }
  | { readonly type: 'contextCompaction'; readonly id: string }
  | { readonly type: 'review'; readonly id: string; readonly text: string }
  | { readonly type: 'imageGeneration'; readonly id: string; readonly status: string }

export type TurnStatus = 'inProgress' | 'completed' | 'interrupted' | 'failed'

export interface TurnError {
  readonly message: string
  /** Machine-readable cause in the app-server's spelling, or null. */
  readonly codexErrorInfo: Json
  /** The cause behind a message that only says what happens next. */
  readonly additionalDetails: string | null
}

export interface Turn {
  readonly id: string
  readonly status: TurnStatus
  readonly items: readonly TurnItem[]
  readonly error: TurnError | null
  /** Unix seconds. */
  readonly startedAtS: number | null
  readonly completedAtS: number | null
  readonly durationMs: number | null
}
