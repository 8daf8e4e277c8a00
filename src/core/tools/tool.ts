import type { JsonObject } from '../../base/index.ts'
import type {
  ClientAnswer,
  ClientRequestKind,
  ClientRequestParams,
  ResponseItem,
  ToolOutput,
} from '../../protocol/index.ts'
import type { EventRecorder } from '../session/event-recorder.ts'
import type { SessionSettings } from '../settings.ts'
import type { TurnDiff } from '../turn/turn-diff.ts'

/** A call as the model made it. `input` is JSON text for a function, else free text. */
export interface ToolCall {
  readonly callId: string
  /** Of a tool that belongs to a group: `mcp__files__`. */
  readonly namespace?: string
  readonly name: string
  readonly kind: 'function' | 'custom'
  readonly input: string
}

/** Those who watch the thread, as far as they can be asked something. */
export interface Clients {
  /** False where nobody would ever answer: what would ask is refused then. */
  canAsk(kind: ClientRequestKind): boolean
  /**
   * The first answer. Waits for as long as the turn lives, and rejects with its signal's reason
   * when it ends; what is answered later goes nowhere. Throws `NoAnswer`.
   */
  ask<K extends ClientRequestKind>(
    kind: K,
    params: ClientRequestParams<K>,
  ): Promise<ClientAnswer<K>>
}

/** Those who were asked cannot answer. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
  }
}

export interface ToolContext {
  readonly turnId: string
  readonly settings: SessionSettings
  readonly recorder: EventRecorder
  readonly clients: Clients
  /** Follows what patches change. */
  readonly turnDiff: TurnDiff
  /**
   * Puts items into the history that are not the tool's output; they come in front of it. Returns
   * once they are kept.
   */
  readonly remember: (items: readonly ResponseItem[]) => Promise<void>
  /** Ends the turn as if the person had interrupted it: they answered a question so. */
  readonly interruptTurn: () => void
  /** Aborted when the turn ends before the call does. */
  readonly signal: AbortSignal
}

/** A group of tools: the model sees them together, and calls them by both names. */
export interface ToolNamespace {
  readonly name: string
  readonly description: string
}

/** Tools that have to be fetched, and may change while a session lives: those of MCP servers. */
export interface ToolSource extends AsyncDisposable {
  /**
   * Resolves once it is known which tools there are; a failure is told, not thrown. Throws
   * `SessionError` `not_started` where the session is not to go on without some of them.
   */
  ready(): Promise<void>
  tools(): readonly Tool[]
}

/** Something the model can do. One tool a file. */
export interface Tool {
  readonly namespace?: ToolNamespace
  readonly name: string
  readonly kind: 'function' | 'custom'
  /** As the Responses API takes it. */
  readonly spec: JsonObject
  /** Left out of requests, but served when called. */
  readonly isDeferred?: boolean
  /** Whether the call may run beside others. */
  isParallel(call: ToolCall): boolean
  /**
   * The text that the model reads. A failure is such a text too; what is thrown ends up as one,
   * except the signal's own reason.
   */
  run(call: ToolCall, context: ToolContext): Promise<ToolOutput>
}
