import type { Json, JsonObject } from '../base/index.ts'
import type { CommandAction } from './turn-item.ts'

/**
 * What a session asks of the people and programs that watch its thread, and what they answer.
 * Fields are those of the app-server's server requests. Source: `reference/app-server.md` 6,
 * `reference/session-runtime.md` D6, D8, E5.
 */
export interface ClientRequestKinds {
  /** May this command run? */
  commandApproval: { readonly params: CommandApproval; readonly answer: CommandDecision }
  /** May this patch, an item that was told before, be applied? */
  patchApproval: { readonly params: PatchApproval; readonly answer: PatchDecision }
  /** The model asks the person. */
  userInput: { readonly params: UserInputQuestions; readonly answer: UserInputAnswers }
  /** The client runs a tool of its own. */
  dynamicToolCall: { readonly params: DynamicToolCall; readonly answer: DynamicToolResult }
  /** An MCP server asks the person. */
  elicitation: { readonly params: Elicitation; readonly answer: ElicitationAnswer }
}

export type ClientRequestKind = keyof ClientRequestKinds
export type ClientRequestParams<K extends ClientRequestKind> = ClientRequestKinds[K]['params']
export type ClientAnswer<K extends ClientRequestKind> = ClientRequestKinds[K]['answer']

/** An open request: what is asked, in which turn if in any, and for which item. */
export type ClientRequest = {
  [K in ClientRequestKind]: {
    readonly kind: K
    /** Unique in the process. */
    readonly id: string
    readonly turnId: string | null
    readonly params: ClientRequestParams<K>
  }
}[ClientRequestKind]

export interface CommandApproval {
  readonly itemId: string
  readonly startedAtMs: number
  /** The whole argv, shell-quoted. */
  readonly command: string
  readonly cwd: string
  readonly commandActions: readonly CommandAction[]
  /** Why it is asked, in words; absent when the policy alone asks. */
  readonly reason?: string
  /** First words that could be allowed for good; absent when no such rule makes sense. */
  readonly proposedExecpolicyAmendment?: readonly string[]
}

export type CommandDecision =
  | 'accept'
  | 'acceptForSession'
  | { readonly acceptWithExecpolicyAmendment: { readonly execpolicy_amendment: readonly string[] } }
  /** The model is told, and goes on. */
  | 'decline'
  /** The turn ends. */
  | 'cancel'

export interface PatchApproval {
  readonly itemId: string
  readonly startedAtMs: number
  readonly reason?: string
}

export type PatchDecision = 'accept' | 'acceptForSession' | 'decline' | 'cancel'

export interface UserInputQuestions {
  readonly itemId: string
  readonly questions: readonly UserInputQuestion[]
}

export interface UserInputQuestion {
  readonly id: string
  readonly header: string
  readonly question: string
  /** An answer of one's own may be given. */
  readonly isOther: boolean
  readonly isSecret: boolean
  readonly options: readonly { readonly label: string; readonly description: string }[]
}

export interface UserInputAnswers {
  readonly answers: { readonly [questionId: string]: { readonly answers: readonly string[] } }
}

export interface DynamicToolCall {
  readonly callId: string
  readonly namespace: string | null
  readonly tool: string
  readonly arguments: Json
}

export type DynamicToolContent =
  | { readonly type: 'inputText'; readonly text: string }
  | { readonly type: 'inputImage'; readonly imageUrl: string }

export interface DynamicToolResult {
  readonly contentItems: readonly DynamicToolContent[]
  readonly success: boolean
}

export interface Elicitation {
  readonly serverName: string
  readonly message: string
  /** What is asked for: fields of a form, or a page to open. */
  readonly ask:
    | { readonly mode: 'form'; readonly requestedSchema: JsonObject }
    | { readonly mode: 'url'; readonly url: string }
  readonly meta: JsonObject | null
}

export interface ElicitationAnswer {
  readonly action: 'accept' | 'decline' | 'cancel'
  readonly content: JsonObject | null
  readonly meta?: JsonObject | null
}
