import { errorText, type JsonObject, TaskScope } from '../../base/index.ts'
import { estimateTokens, replayModelHistory } from '../../history/index.ts'
import {
  newTurnId,
  type ResponseItem,
  type ReviewTarget,
  type RolloutItem,
  type SessionEvent,
  type TokenInfo,
  type TurnId,
  type UserInput,
} from '../../protocol/index.ts'
import type { StoredThread, ThreadMetadataPatch } from '../../thread-store/index.ts'
import { turnContextRecord } from '../context/turn-context.ts'
import { SessionError } from '../errors.ts'
import type { McpContext, McpServerConfig, McpToolCall } from '../mcp/index.ts'
import { modelInfo } from '../model/model-catalog.ts'
import { patchSettings, type SessionSettings, type SettingsPatch } from '../settings.ts'
import { compactTask } from '../turn/compact.ts'
import { OpenRequests } from '../turn/open-requests.ts'
import { regularTask } from '../turn/regular-task.ts'
import { prewarmRequest } from '../turn/request.ts'
import { reviewTask } from '../turn/review-task.ts'
import { openTurn, runTurn, tellEnd } from '../turn/run-turn.ts'
import { runUserCommand, shellTask } from '../turn/shell-task.ts'
import { TurnDiff } from '../turn/turn-diff.ts'
import { type TurnRun, tokenCountOf } from '../turn/turn-run.ts'
import { type SteeredInput, TurnState } from '../turn/turn-state.ts'
import type { TurnTask } from '../turn/turn-task.ts'
import { untilAborted } from '../until-aborted.ts'
import { ActiveTurn } from './active-turn.ts'
import { type ClientHandlers, ClientRegistry } from './client-registry.ts'
import { EventHub } from './event-hub.ts'
import { EventRecorder } from './event-recorder.ts'
import { Floor } from './floor.ts'
import type { SessionParts, SteerOptions, TakeOver, TurnOptions } from './session-options.ts'

/** One loaded run of a thread: a façade over its state, services, log and running turn. */
export class Session implements AsyncDisposable {
  readonly #parts: SessionParts
  readonly #hub = new EventHub()
  readonly #recorder: EventRecorder
  readonly #clients = new ClientRegistry()
  readonly #floor = new Floor()
  readonly #beside = new TaskScope((error) => this.warn(errorText(error)))
  /** Settings are in the log that no turn of this session has begun with. */
  #hasWaitingSettings = false
  #isClosed = false
  #closing: Promise<void> | undefined

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.#recorder = new EventRecorder(parts.live, this.#hub)
  }

  get settings(): SessionSettings {
    return this.#parts.state.settings
  }

  /** Whether anything was kept but that the thread was started. */
  get hasItems(): boolean {
    return this.#parts.live?.hasItems ?? false
  }

  get rolloutPath(): string | null {
    return this.#parts.live?.path ?? null
  }

  get rateLimits(): JsonObject | null {
    return this.#parts.state.rateLimits
  }

  get tokenInfo(): TokenInfo | null {
    return this.#parts.state.tokenInfo
  }

  get isEphemeral(): boolean {
    return this.#parts.live === undefined
  }

  get activeTurn(): Pick<ActiveTurn, 'turnId' | 'kind'> | undefined {
    return this.#floor.turn
  }

  listen(listener: (event: SessionEvent) => void): Disposable {
    return this.#hub.listen(listener)
  }

  events(): AsyncGenerator<SessionEvent> {
    return this.#hub.events()
  }

  answerRequests(handlers: ClientHandlers): Disposable {
    return this.#clients.join(handlers)
  }

  /** Gets the model ready for the first turn, where it keeps connections. */
  prewarm(): void {
    const { state: session, ...parts } = this.#parts
    const { model, tools } = parts.services
    if (!model.client.isKept) return
    this.#beside.run(async (signal) => {
      // What cannot be had is told by the first turn.
      await untilAborted(tools.ready(), signal).catch(() => undefined)
      if (signal.aborted) return
      model.client.prewarm(prewarmRequest({ ...parts, settings: session.settings, session }))
    })
  }

  warn(message: string): void {
    this.tell({ type: 'warning', turnId: this.#floor.turn?.turnId ?? null, message })
  }

  /** Tells what no turn does; what comes before anybody listens is told to the first who does. */
  tell(event: SessionEvent): void {
    this.#hub.publishEarly(event)
  }

  /** The turn's id, once the person's message is kept. Throws `SessionError`. */
  async startTurn(input: readonly UserInput[], options: TurnOptions = {}): Promise<TurnId> {
    if (input.length === 0 && !options.mayBeEmpty) {
      throw new SessionError('empty_input', 'a turn needs some input')
    }
    return await this.#begin(regularTask(input), options)
  }

  /** Says something, whatever the thread is doing; see `ThreadHandle.submitInput`. */
  async submitInput(input: readonly UserInput[], options: TurnOptions = {}): Promise<TurnId> {
    this.#checkOpen()
    if (input.length === 0) throw new SessionError('empty_input', 'input must not be empty')
    if (!this.#floor.isTaken) return await this.startTurn(input, options)
    const active = this.#floor.turn
    const kept = active?.kind === 'regular' ? this.#steer(active, { input }, options) : undefined
    if (!active || !kept) {
      await this.#floor.left()
      return await this.submitInput(input, options)
    }
    try {
      await kept
      return active.turnId
    } catch (error) {
      if (!(error instanceof SessionError) || error.code !== 'turn_over') throw error
      return await this.submitInput(input, options)
    }
  }

  /** Has the history condensed, in a turn of its own; its id, once it has begun. */
  async compact(options: TakeOver = {}): Promise<TurnId> {
    await this.#makeWay(options)
    return await this.#begin(compactTask, {})
  }

  /** Has changes reviewed; see `ThreadHandle.startReview`. */
  async startReview(target: ReviewTarget, options: TakeOver = {}): Promise<TurnId> {
    const task = reviewTask(target)
    await this.#makeWay(options)
    return await this.#begin(task, {})
  }

  /** Runs a person's command; see `ThreadHandle.runShellCommand`. */
  async runShellCommand(command: string): Promise<TurnId> {
    this.#checkOpen()
    const trimmed = command.trim()
    if (trimmed === '') throw new SessionError('empty_input', 'command must not be empty')
    const { turn } = this.#floor
    if (!turn) return await this.#begin(shellTask(trimmed), {})
    this.#beside.run((closing) => this.#runBeside(turn, trimmed, closing))
    return turn.turnId
  }

  /** A command that outlives its turn goes on; who stops the turn stops it too. */
  async #runBeside(turn: ActiveTurn, command: string, closing: AbortSignal): Promise<void> {
    const stop = new AbortController()
    const onEnd = () => turn.isStopped && stop.abort()
    turn.signal.addEventListener('abort', onEnd, { once: true })
    const { services, state } = this.#parts
    const item = await runUserCommand({
      command,
      turnId: turn.turnId,
      cwd: state.settings.cwd,
      runner: services.userCommands,
      recorder: this.#recorder,
      signal: AbortSignal.any([stop.signal, closing]),
    })
    turn.signal.removeEventListener('abort', onEnd)
    if (!closing.aborted) await this.injectItems([item])
  }

  /** The running turn ends as replaced, where that is asked for. */
  async #makeWay({ replacesRunning }: TakeOver): Promise<void> {
    const { turn } = this.#floor
    if (!turn || !replacesRunning) return
    const left = this.#floor.left('first')
    turn.interrupt('replaced')
    await left
  }

  /** The turn's id, once its beginning is kept and told. */
  async #begin(task: TurnTask, options: TurnOptions): Promise<TurnId> {
    const { settings, signal, clientMetadata } = options
    // Without waiting where it need not: who comes first has the floor.
    if (this.#floor.isChanging) await this.#floor.settled()
    this.#checkFree()
    signal?.throwIfAborted()
    if (settings) this.updateSettings(settings)
    const state = new TurnState(this.#parts.services.clock)
    if (clientMetadata) state.setClientMetadata(clientMetadata)
    const active = new ActiveTurn(newTurnId(), task.kind, state)
    this.#floor.take(active)
    const requests = new OpenRequests(this.#clients, active.turnId, active.signal, (event) =>
      this.#recorder.tell(event),
    )
    const opened = Promise.withResolvers<void>()
    const run = { ...this.#turnRun(active, options), clients: requests, opened: opened.promise }
    const stop = () => active.interrupt()
    signal?.addEventListener('abort', stop, { once: true })
    const leading = this.#lead(active, run, task, opened).finally(() => {
      signal?.removeEventListener('abort', stop)
      requests[Symbol.dispose]()
    })
    active.follow(leading)
    try {
      await opened.promise
    } catch (error) {
      // The floor is free again when this is thrown.
      await active.ended
      throw error
    }
    this.#hasWaitingSettings = false
    return active.turnId
  }

  /**
   * Says something more to the running turn: it goes out with the next request, behind the response
   * that is coming in. Answers the turn's id once it is kept. Throws `SessionError`: `no_turn`,
   * `other_turn`, `not_steerable`, `turn_over`, `turn_stopped`, `empty_input`,
   * `not_kept`, `closed`.
   */
  async steerTurn(
    input: readonly UserInput[],
    expected?: TurnId,
    options: SteerOptions = {},
  ): Promise<TurnId> {
    const { turnId, kept } = this.steerNow(input, expected, options)
    await kept
    return turnId
  }

  /** As `steerTurn`, but throws at once what is wrong, and answers before the input is kept. */
  steerNow(
    input: readonly UserInput[],
    expected?: TurnId,
    options: SteerOptions = {},
  ): { readonly turnId: TurnId; readonly kept: Promise<void> } {
    this.#checkOpen()
    const active = this.#floor.turn
    if (!active) throw new SessionError('no_turn', 'no active turn to steer')
    const { turnId, kind } = active
    if (expected !== undefined && expected !== turnId) {
      const reason = `expected active turn id \`${expected}\` but found \`${turnId}\``
      throw new SessionError('other_turn', reason)
    }
    if (kind !== 'regular') throw new SessionError('not_steerable', `cannot steer a ${kind} turn`)
    if (input.length === 0) throw new SessionError('empty_input', 'input must not be empty')
    const kept = this.#steer(active, { input }, options)
    // Clients know these words, and begin a turn with what they have to say.
    if (!kept) throw new SessionError('no_turn', 'no active turn to steer')
    return { turnId, kept }
  }

  /**
   * Adds items to the model's history as they are. Into a running turn they go with its next
   * request. Throws `SessionError`: `invalid_items`, `turn_over`, `not_kept`, `closed`.
   */
  async injectItems(items: readonly ResponseItem[]): Promise<void> {
    this.#checkOpen()
    if (items.length === 0) throw new SessionError('invalid_items', 'items must not be empty')
    while (this.#floor.isTaken) {
      const { turn } = this.#floor
      const kept = turn?.kind === 'regular' ? turn.state.steer({ items }) : undefined
      if (kept && (await isKept(kept))) return
      await this.#floor.left()
      this.#checkOpen()
    }
    await this.#alone(async () => {
      this.#parts.state.append(...items)
      const lines = items.map((payload): RolloutItem => ({ type: 'response_item', payload }))
      await this.#recorder.keepDurably(lines)
    })
  }

  /**
   * Takes the last turns back. Throws `ThreadStoreError` `invalid_request` for a count that the
   * thread does not have, and `SessionError`: `turn_running`, `ephemeral`, `not_kept`, `closed`.
   */
  async rollBack(turnCount: number): Promise<void> {
    // Without waiting where it need not: who comes first has the floor.
    if (this.#floor.isChanging) await this.#floor.settled()
    this.#checkFree()
    await this.#alone(async () => {
      const { state } = this.#parts
      const history = replayModelHistory((await this.#recorder.rollBack(turnCount)).items)
      const info = modelInfo(state.settings.model, state.settings.contextWindow)
      state.rollBack(history, estimateTokens(history.items), info)
      await this.#recorder.keepDurably([tokenCountOf(state)])
      // What stood behind the turns was taken back with them.
      if (this.#hasWaitingSettings) await this.keepSettings()
    })
    this.#recorder.tell({
      type: 'tokenCount',
      turnId: newTurnId(),
      info: this.#parts.state.tokenInfo,
    })
    this.#recorder.tell({ type: 'rolledBack', turnId: null, turnCount })
  }

  /** What is in force from the next turn on. Throws `invalid_settings`, and changes nothing. */
  updateSettings(patch: SettingsPatch): SessionSettings {
    this.#checkOpen()
    const { state } = this.#parts
    state.settings = patchSettings(state.settings, patch)
    this.#recorder.tell({ type: 'settingsChanged', turnId: null })
    return state.settings
  }

  get mcpServers(): readonly McpServerConfig[] {
    return this.#parts.services.mcp.configured
  }

  /** Calls a tool of an MCP server for a client; see `ThreadHandle.callMcpTool`. */
  callMcpTool(call: McpToolCall): Promise<JsonObject> {
    return this.#besideTurns((context) => this.#parts.services.mcp.callTool(call, context))
  }

  /** Reads a resource of an MCP server for a client; see `ThreadHandle.readMcpResource`. */
  readMcpResource(server: string, uri: string): Promise<JsonObject> {
    return this.#besideTurns((context) => {
      return this.#parts.services.mcp.readResource(server, uri, context)
    })
  }

  /** What belongs to no turn ends with the session, and what it asks of people with it. */
  async #besideTurns<T>(work: (context: McpContext) => Promise<T>): Promise<T> {
    this.#checkOpen()
    const { signal } = this.#beside
    using clients = new OpenRequests(this.#clients, null, signal, (event) => {
      this.#recorder.tell(event)
    })
    try {
      return await work({ clients, settings: this.settings, signal })
    } catch (error) {
      if (signal.aborted) this.#checkOpen()
      throw error
    }
  }

  /**
   * Keeps the settings as they are now for whoever resumes the thread before its next turn. Throws
   * `not_kept`.
   */
  async keepSettings(): Promise<void> {
    const { state, services } = this.#parts
    const { shellName, timezone } = services.surroundings
    const environment = { shellName, timezone, nowMs: services.clock.nowMs() }
    const payload = turnContextRecord(undefined, state.settings, environment)
    await this.#recorder.keepDurably([{ type: 'turn_context', payload }])
    this.#hasWaitingSettings = true
  }

  /** Ends the model's commands that go on in the background, with their children. */
  async endBackgroundCommands(): Promise<void> {
    this.#checkOpen()
    await this.#parts.services.commands.endAll()
  }

  /** From now on the thread can be resumed, though nothing was said in it. Throws `not_kept`. */
  keepStart(): Promise<void> {
    return this.#recorder.keepStart()
  }

  /** What was kept is as durable as the store's level says. Throws `not_kept`. */
  async flush(): Promise<void> {
    await this.#recorder.keepDurably([])
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new SessionError('closed', 'the thread has been closed')
  }

  #checkFree(): void {
    this.#checkOpen()
    if (!this.#floor.isTaken) return
    const { turn } = this.#floor
    const reason = `turn ${turn?.turnId} is still running`
    throw new SessionError('turn_running', `${reason}; interrupt it or wait for its end`)
  }

  /** Undefined when the turn takes no more input. */
  #steer(
    active: ActiveTurn,
    said: SteeredInput['said'],
    { settings, clientMetadata }: SteerOptions,
  ): Promise<void> | undefined {
    const kept = active.state.steer(said)
    if (kept && settings) this.updateSettings(settings)
    if (kept && clientMetadata) active.state.setClientMetadata(clientMetadata)
    return kept
  }

  /** Changes the history while no turn runs. */
  async #alone(work: () => Promise<void>): Promise<void> {
    await this.#floor.alone(async () => {
      await this.#catchUp()
      await work()
    })
  }

  /**
   * A turn from its opening to its end; never rejects. The floor is free before the end is told,
   * so that whoever hears of it can start the next turn at once.
   */
  async #lead(
    active: ActiveTurn,
    run: TurnRun,
    task: TurnTask,
    opened: PromiseWithResolvers<void>,
  ): Promise<void> {
    try {
      await this.#catchUp()
      const announce = await openTurn(run, task)
      announce().then(opened.resolve, (error: unknown) => {
        opened.reject(error)
        active.fail(error)
      })
    } catch (error) {
      opened.reject(error)
      this.#leave(active)
      return
    }
    const end = await runTurn(run, task)
    this.#leave(active)
    if (end) tellEnd(run, end)
  }

  /** A program that knows no leases may have gone on with the thread: so does this one then. */
  async #catchUp(): Promise<void> {
    const history = await this.#recorder.catchUp()
    if (history) this.#parts.state.replace(replayModelHistory(history.items))
  }

  #leave(active: ActiveTurn): void {
    active[Symbol.dispose]()
    this.#floor.leave()
  }

  /** Throws `ThreadStoreError`, and `SessionError` `ephemeral`. */
  updateMetadata(patch: ThreadMetadataPatch): Promise<StoredThread> {
    return this.#recorder.updateMetadata(patch)
  }

  /** Ends the running turn and waits for its end; nothing happens when none, or another, runs. */
  async interrupt(turnId?: TurnId): Promise<void> {
    const active = this.#floor.turn
    if (!active || (turnId !== undefined && turnId !== active.turnId)) return
    active.interrupt()
    await active.ended
  }

  /**
   * Interrupts what runs, ends background processes, makes the log durable. Throws when that
   * failed; what is not saved yet is tried again by the next call.
   */
  close(): Promise<void> {
    this.#isClosed = true
    this.#closing ??= this.#shutDown().catch((error: unknown) => {
      this.#closing = undefined
      throw error
    })
    return this.#closing
  }

  /** Ends without forcing queued lines out. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    try {
      await this.#stop()
    } finally {
      await this.#parts.live?.[Symbol.asyncDispose]()
      this.#hub.close()
    }
  }

  async #shutDown(): Promise<void> {
    try {
      await this.#stop()
      await this.#parts.live?.close()
    } finally {
      this.#hub.close()
    }
  }

  async #stop(): Promise<void> {
    const { model, tools, userCommands, background } = this.#parts.services
    await this.interrupt()
    await this.#beside[Symbol.asyncDispose]()
    await this.#floor.ended
    await model.client[Symbol.asyncDispose]()
    await tools[Symbol.asyncDispose]()
    await userCommands[Symbol.asyncDispose]()
    await background[Symbol.asyncDispose]()
  }

  #turnRun(active: ActiveTurn, options: TurnOptions): Omit<TurnRun, 'opened' | 'clients'> {
    const { threadId, sessionId, purpose, origin, instructions, services, state } = this.#parts
    return {
      threadId,
      sessionId,
      ...(purpose === undefined ? {} : { purpose }),
      turnId: active.turnId,
      settings: state.settings,
      origin,
      instructions,
      services,
      session: state,
      turn: active.state,
      recorder: this.#recorder,
      turnDiff: new TurnDiff(state.settings.cwd),
      signal: active.signal,
      interruptTurn: () => active.interrupt(),
      letGo: () => active[Symbol.dispose](),
      ...(options.outputSchema ? { outputSchema: options.outputSchema } : {}),
    }
  }
}

/** False when the turn ended before: they can still be added behind it. */
async function isKept(kept: Promise<void>): Promise<boolean> {
  try {
    await kept
    return true
  } catch (error) {
    const isOver = error instanceof SessionError && /^turn_(over|stopped)$/.test(error.code)
    if (isOver) return false
    throw error
  }
}
