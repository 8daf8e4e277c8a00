import type { Json, JsonObject } from '../base/index.ts'
import type { DynamicToolContent } from './client-request.ts'

export type ToolStatus = 'inProgress' | 'completed' | 'failed' | 'declined'

export interface FileUpdateChange {
  /** Absolute path. */
  readonly path: string
  readonly kind:
    | { readonly type: 'add' | 'delete' }
    /** `move_path` is the absolute new path of an update that also moves the file. */
    | { readonly type: 'update'; readonly move_path: string | null }
  /** Whole text for add and delete, unified hunks without file header for update. */
  readonly diff: string
}

/** What a part of a command line does. */
export type CommandAction =
  | {
      readonly type: 'read'
      readonly command: string
      readonly name: string
      /** Absolute. */
      readonly path: string
    }
  | { readonly type: 'listFiles'; readonly command: string; readonly path: string | null }
  | {
      readonly type: 'search'
      readonly command: string
      readonly query: string | null
      readonly path: string | null
    }
  | { readonly type: 'unknown'; readonly command: string }

/** Who started a command: a tool call, a person, or a call that talks to one that runs. */
export type CommandSource = 'agent' | 'userShell' | 'unifiedExecStartup' | 'unifiedExecInteraction'

/** What a person gave to a turn, as it is shown again. */
export type UserContent =
  | { readonly type: 'text'; readonly text: string; readonly text_elements: readonly Json[] }
  | { readonly type: 'image'; readonly detail: null; readonly url: string }
  | { readonly type: 'localImage'; readonly detail: null; readonly path: string }

/**
 * One thing that a turn shows to people: the same live and read back from a log. Shapes are those
 * of the app-server protocol. Source: `reference/app-server.md` 5.5.
 */
export type TurnItem =
  | { readonly type: 'userMessage'; readonly id: string; readonly content: readonly UserContent[] }
  | {
      readonly type: 'agentMessage'
      readonly id: string
      readonly text: string
      readonly phase: 'commentary' | 'final_answer' | null
      readonly memoryCitation: null
    }
  | {
      readonly type: 'reasoning'
      readonly id: string
      readonly summary: readonly string[]
      readonly content: readonly string[]
    }
  | {
      readonly type: 'commandExecution'
      readonly id: string
      /** The whole argv, shell-quoted. */
      readonly command: string
      readonly cwd: string
      /** Under which the command can be talked to while it runs. */
      readonly processId: string | null
      readonly source: CommandSource
      readonly status: ToolStatus
      /** What the shell was asked to do; empty when it only changes the folder. */
      readonly commandActions: readonly CommandAction[]
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
      readonly type: 'mcpToolCall'
      readonly id: string
      readonly server: string
      readonly tool: string
      readonly arguments: Json
      readonly status: ToolStatus
      readonly result: Json
      readonly error: { readonly message: string } | null
      readonly durationMs: number | null
    }
  | {
      readonly type: 'dynamicToolCall'
      readonly id: string
      readonly namespace: string | null
      readonly tool: string
      readonly arguments: Json
      readonly status: ToolStatus
      readonly contentItems: readonly DynamicToolContent[] | null
      readonly success: boolean | null
      readonly durationMs: number | null
    }
  | { readonly type: 'imageView'; readonly id: string; readonly path: string }
  | {
      readonly type: 'webSearch'
      readonly id: string
      readonly query: string
      readonly action: JsonObject | null
    }
  | { readonly type: 'plan'; readonly id: string; readonly text: string }
  | { readonly type: 'contextCompaction'; readonly id: string }
  | {
      readonly type: 'enteredReviewMode' | 'exitedReviewMode'
      readonly id: string
      readonly review: string
    }
  | { readonly type: 'imageGeneration'; readonly id: string; readonly status: string }

/** The text of a person's message, for lists and plain output. */
export function userContentText(content: readonly UserContent[]): string {
  const parts = content.map((part) => {
    if (part.type === 'text') return part.text
    return `[Image: ${part.type === 'image' ? part.url : part.path}]`
  })
  return parts.join('\n')
}

export type TurnStatus = 'inProgress' | 'completed' | 'interrupted' | 'failed'

export interface TurnError {
  readonly message: string
  /** Machine-readable cause in the app-server's spelling, or null. */
  readonly codexErrorInfo: Json
  /** The cause behind a message that only says what happens next. */
  readonly additionalDetails: string | null
  /**
   * What the system said, where the message says only what that led to, and whom it was about:
   * `connect ECONNREFUSED 127.0.0.1:9 (http://127.0.0.1:9)`. Told, but kept in no log.
   */
  readonly cause?: string
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
