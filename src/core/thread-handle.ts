import type { JsonObject } from '../base/index.ts'
import type {
  ResponseItem,
  ReviewTarget,
  SessionEvent,
  ThreadId,
  TokenInfo,
  TurnId,
  UserInput,
} from '../protocol/index.ts'
import type { StoredHistory, StoredThread, ThreadMetadataPatch } from '../thread-store/index.ts'
import { checkArguments } from './arguments.ts'
import type { McpServerConfig, McpToolCall } from './mcp/index.ts'
import type { ClientHandlers } from './session/client-registry.ts'
import type { Session } from './session/session.ts'
import type { SteerOptions, TakeOver, TurnOptions } from './session/session-options.ts'
import type { SessionSettings, SettingsPatch } from './settings.ts'
import type { TurnKind } from './turn/turn-task.ts'

/**
 * One loaded thread, from outside. `close` ends it gracefully; disposing does the same, so that
 * `await using` never leaves a turn running, and lets the thread go in any case. What a call does
 * not take is `SessionError` `invalid_argument`, which names it, before anything is done.
 */
export class ThreadHandle implements AsyncDisposable {
  readonly threadId: ThreadId
  /** Entries of the log that could not be read when the thread was resumed. */
  readonly damage: StoredHistory['damage']
  readonly #session: Session
  readonly #onClosed: () => void
  #wasFailureTold = false

  constructor(
    threadId: ThreadId,
    session: Session,
    damage: StoredHistory['damage'],
    onClosed: () => void,
  ) {
    this.threadId = threadId
    this.damage = damage
    this.#session = session
    this.#onClosed = onClosed
  }

  /** What is in force for the next turn. */
  get settings(): SessionSettings {
    return this.#session.settings
  }

  /**
   * Starts a turn. Its id is answered once the input is kept; events tell the rest. Throws
   * `SessionError`: `turn_running`, `empty_input`, `not_kept`, `closed`.
   */
  async startTurn(input: readonly UserInput[], options: TurnOptions = {}): Promise<TurnId> {
    checkArguments('startTurn', input, options)
    return this.#session.startTurn(input, options)
  }

  /** Path of the log, also before it is there; null without paths, and when ephemeral. */
  get rolloutPath(): string | null {
    return this.#session.rolloutPath
  }

  /** Nothing of the thread is kept anywhere. */
  get isEphemeral(): boolean {
    return this.#session.isEphemeral
  }

  /** What runs now. */
  get activeTurn(): { readonly turnId: TurnId; readonly kind: TurnKind } | undefined {
    return this.#session.activeTurn
  }

  /**
   * Runs a turn and gives its events as they come; `turnCompleted` is the last. Leaving the loop
   * does not stop the turn: `options.signal` does. Throws as `startTurn` does, and
   * `slow_subscriber` when the events are not read in time.
   */
  async *run(
    input: string | readonly UserInput[],
    options: TurnOptions = {},
  ): AsyncGenerator<SessionEvent> {
    checkArguments('run', input, options)
    const said: readonly UserInput[] =
      typeof input === 'string' ? [{ type: 'text', text: input }] : input
    const events = this.#session.events()
    try {
      const turnId = await this.#session.startTurn(said, options)
      for await (const event of events) {
        if (event.turnId !== turnId) continue
        yield event
        if (event.type === 'turnCompleted') return
      }
    } finally {
      await events.return(undefined)
    }
  }

  /**
   * Says something, whatever the thread is doing: starts a turn, or goes into the running one as
   * `steerTurn` does, or waits for the end of a turn that takes no input (a compaction, a review)
   * and starts one then. The id answered is that of the turn which the input is in, once it is
   * kept there; `options` other than the settings count for a turn that is started. Throws as
   * `startTurn` does, `turn_stopped` when somebody stopped the turn before it was kept, and
   * `queue_full`.
   */
  async submitInput(input: readonly UserInput[], options: TurnOptions = {}): Promise<TurnId> {
    checkArguments('submitInput', input, options)
    return this.#session.submitInput(input, options)
  }

  /** What is in force from the next turn on. Throws `SessionError` `invalid_settings`. */
  updateSettings(patch: SettingsPatch): SessionSettings {
    return this.#session.updateSettings(patch)
  }

  /**
   * Takes the last turns back, in the model's history too; nothing is removed from the log, and
   * files stay as they are. Throws `ThreadStoreError` `invalid_request` for a count that the thread
   * does not have, and `SessionError`: `turn_running`, `ephemeral`, `not_kept`, `closed`.
   */
  async rollBack(turnCount: number): Promise<void> {
    checkArguments('rollBack', turnCount)
    return this.#session.rollBack(turnCount)
  }

  /**
   * Adds items to the model's history as they are, without a turn; into a running turn they go with
   * its next request. Throws `SessionError`: `invalid_items`, `not_kept`, `closed`.
   */
  async injectItems(items: readonly ResponseItem[]): Promise<void> {
    checkArguments('injectItems', items)
    return this.#session.injectItems(items)
  }

  /** Of the thread, as they were configured when it was loaded. */
  get mcpServers(): readonly McpServerConfig[] {
    return this.#session.mcpServers
  }

  /**
   * Calls a tool of one of its MCP servers for a client: the model does not hear of it, and nothing
   * is kept. The server's answer as it is. Throws `McpError`, and `SessionError` `closed`.
   */
  async callMcpTool(call: McpToolCall): Promise<JsonObject> {
    checkArguments('callMcpTool', call)
    return this.#session.callMcpTool(call)
  }

  /** What an MCP server says is under a URI, for a client. Throws as `callMcpTool` does. */
  async readMcpResource(server: string, uri: string): Promise<JsonObject> {
    checkArguments('readMcpResource', server, uri)
    return this.#session.readMcpResource(server, uri)
  }

  /** Ends the model's commands that go on in the background, with their children. */
  endBackgroundCommands(): Promise<void> {
    return this.#session.endBackgroundCommands()
  }

  /**
   * From now on the thread can be resumed after the death of the process, though nothing was said
   * in it; lists do not show it yet. Throws `SessionError` `not_kept`.
   */
  keepStart(): Promise<void> {
    return this.#session.keepStart()
  }

  /**
   * Keeps the settings as they are now for whoever resumes the thread before its next turn. Throws
   * `SessionError` `not_kept`.
   */
  keepSettings(): Promise<void> {
    return this.#session.keepSettings()
  }

  /** Whether anything was kept but that the thread was started. */
  get hasItems(): boolean {
    return this.#session.hasItems
  }

  /** What was kept is as durable as the store's level says. Throws `SessionError` `not_kept`. */
  flush(): Promise<void> {
    return this.#session.flush()
  }

  /** Names the thread, or changes its git facts or memory mode; in order with its items. */
  updateMetadata(patch: ThreadMetadataPatch): Promise<StoredThread> {
    return this.#session.updateMetadata(patch)
  }

  /**
   * Has the model condense the history, in a turn of its own; when that fails, the history stays as
   * it was. Its id is answered once it has begun. Throws `SessionError`: `turn_running`,
   * `not_kept`, `closed`.
   */
  async compact(options: TakeOver = {}): Promise<TurnId> {
    checkArguments('compact', options)
    return this.#session.compact(options)
  }

  /**
   * Has changes reviewed by a session of its own, in a turn of this thread, which keeps what was
   * found. Its id is answered once it has begun. Throws `ReviewError`, as `compact` does, and
   * keeps nothing then.
   */
  async startReview(target: ReviewTarget, options: TakeOver = {}): Promise<TurnId> {
    checkArguments('startReview', target, options)
    return this.#session.startReview(target, options)
  }

  /**
   * Runs a command of the person, with their rights and not in a sandbox, and lets the model know
   * of it. In a turn of its own, whose id is answered once it has begun; beside the turn that runs
   * otherwise. Throws `SessionError`: `empty_input`, `turn_running`, `not_kept`, `closed`.
   */
  async runShellCommand(command: string): Promise<TurnId> {
    checkArguments('runShellCommand', command)
    return this.#session.runShellCommand(command)
  }

  /**
   * Says something more to the running turn, or only to the named one; it goes out with the turn's
   * next request. Its id is answered once the input is kept. Throws `SessionError`: `no_turn`,
   * `other_turn`, `not_steerable`, `turn_over` and `turn_stopped` (it is in no log then),
   * `empty_input`, `not_kept`, `closed`.
   */
  async steerTurn(
    input: readonly UserInput[],
    turnId?: TurnId,
    options: SteerOptions = {},
  ): Promise<TurnId> {
    checkArguments('steerTurn', input, turnId, options)
    return this.#session.steerTurn(input, turnId, options)
  }

  /**
   * As `steerTurn`, but throws at once what is wrong, and answers before the input is kept: for
   * clients that cannot wait for the response which is coming in.
   */
  steerNow(
    input: readonly UserInput[],
    turnId?: TurnId,
    options: SteerOptions = {},
  ): { readonly turnId: TurnId; readonly kept: Promise<void> } {
    checkArguments('steerTurn', input, turnId, options)
    return this.#session.steerNow(input, turnId, options)
  }

  /** As the model told last; null before its first response. */
  get tokenInfo(): TokenInfo | null {
    return this.#session.tokenInfo
  }

  /** The provider's rate limits as it told them last, in the rollout's spelling. */
  get rateLimits(): JsonObject | null {
    return this.#session.rateLimits
  }

  /** Ends the running turn, or only the named one, and waits until its end is kept. */
  async interrupt(turnId?: TurnId): Promise<void> {
    checkArguments('interrupt', turnId)
    return this.#session.interrupt(turnId)
  }

  /**
   * Answers what the thread asks people and programs (approvals, questions, tools of the client),
   * from now on until the result is disposed. Of several clients the first answer counts. Where
   * nobody can answer a kind of request, what would ask is refused.
   */
  answerRequests(handlers: ClientHandlers): Disposable {
    checkArguments('answerRequests', handlers)
    return this.#session.answerRequests(handlers)
  }

  /** Every event from now on; ends when the thread is closed. */
  events(): AsyncGenerator<SessionEvent> {
    return this.#session.events()
  }

  /** Calls `listener` for every event from now on, until the result is disposed. */
  listen(listener: (event: SessionEvent) => void): Disposable {
    checkArguments('listen', listener)
    return this.#session.listen(listener)
  }

  /**
   * Interrupts what runs and makes the log durable. Throws when it could not be saved: the thread
   * stays loaded then, takes no turns, and `close` can be tried again.
   */
  async close(): Promise<void> {
    try {
      await this.#session.close()
    } catch (error) {
      this.#wasFailureTold = true
      throw error
    }
    this.#onClosed()
  }

  /** Throws when the log could not be saved, unless `close` has said so before. */
  async [Symbol.asyncDispose](): Promise<void> {
    const wasFailureTold = this.#wasFailureTold
    try {
      await this.close()
    } catch (error) {
      await this.#session[Symbol.asyncDispose]()
      this.#onClosed()
      if (!wasFailureTold) throw error
    }
  }
}
