/** One client of a session runtime: what a script can do, whatever program is behind it. */
import type { JsonObject } from '../../../src/base/index.ts'
import type { ReviewTarget } from '../../../src/protocol/index.ts'
import type { WireMessage } from './wire-log.ts'

/** What a thread is started, resumed or forked with; what is absent comes from `config.toml`. */
export interface ThreadParams {
  readonly model?: string
  /** A folder below the scratch root. */
  readonly cwd?: string
  readonly approvalPolicy?: string | JsonObject
  readonly sandbox?: 'read-only' | 'workspace-write' | 'danger-full-access'
  readonly developerInstructions?: string
  readonly dynamicTools?: readonly JsonObject[]
}

/** Settings of one turn and those that follow it, in the spelling of `turn/start`. */
export interface TurnParams {
  readonly outputSchema?: JsonObject
  readonly clientMetadata?: { readonly [key: string]: string }
  readonly model?: string
  readonly effort?: string
  readonly cwd?: string
  readonly approvalPolicy?: string
  readonly sandboxPolicy?: JsonObject
}

export type Said = string | { readonly image: string }

/** Answers a request of the server, now or later; undefined leaves it open. */
export type Answerer = (request: WireMessage) => Answer | Promise<Answer>

export type Answer = JsonObject | undefined

export interface DrivenThread {
  readonly id: string
  /** The turn's id. */
  startTurn(input: readonly Said[], params?: TurnParams): Promise<string>
  steer(turnId: string, input: readonly Said[]): Promise<void>
  interrupt(turnId: string): Promise<void>
  compact(): Promise<void>
  rollBack(turnCount: number): Promise<void>
  updateSettings(params: TurnParams): Promise<void>
  startReview(target: ReviewTarget): Promise<void>
  runShellCommand(command: string): Promise<void>
}

export interface Driver extends AsyncDisposable {
  start(params: ThreadParams): Promise<DrivenThread>
  resume(threadId: string, params: ThreadParams): Promise<DrivenThread>
  /** The thread's past in a new thread. */
  fork(threadId: string, params: ThreadParams): Promise<DrivenThread>
  /** The program ends, and starts anew in the same home. */
  restart(): Promise<void>
  /** Resolves when everything that was told before has been heard. */
  settle(): Promise<void>
  /** From now on requests are answered so. */
  answerWith(answerer: Answerer): void
}

/** What a runtime refused: its words, without what a transport adds to them. */
export class Refused extends Error {
  override readonly name = 'Refused'
}
