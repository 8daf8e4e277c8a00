import type { JsonObject } from '../../base/index.ts'
import { replayModelHistory } from '../../history/index.ts'
import {
  newTurnId,
  type SessionEvent,
  type ThreadId,
  type TurnId,
  type UserInput,
} from '../../protocol/index.ts'
import type { LiveThread, StoredThread, ThreadMetadataPatch } from '../../thread-store/index.ts'
import { SessionError } from '../errors.ts'
import type { SessionOrigin, SessionSettings } from '../settings.ts'
import { OpenRequests } from '../turn/open-requests.ts'
import {
  announceCompaction,
  announceTurn,
  openCompaction,
  openTurn,
  runTurn,
  type TurnKind,
  tellEnd,
} from '../turn/run-turn.ts'
import type { TurnRun } from '../turn/turn-run.ts'
import { TurnState } from '../turn/turn-state.ts'
import { ActiveTurn } from './active-turn.ts'
import { type ClientHandlers, ClientRegistry } from './client-registry.ts'
import { EventHub } from './event-hub.ts'
import { EventRecorder } from './event-recorder.ts'
import type { SessionServices } from './session-services.ts'
import type { SessionState } from './session-state.ts'

export interface SessionParts {
  readonly threadId: ThreadId
  readonly settings: SessionSettings
  readonly origin: SessionOrigin
  /** The model's base instructions, fixed for the life of the thread. */
  readonly instructions: string
  readonly state: SessionState
  readonly services: SessionServices
  /** Undefined for an ephemeral thread. */
  readonly live: LiveThread | undefined
}

/** Warnings kept for the first listener. */
const UNHEARD_LIMIT = 100

export interface TurnOptions {
  /** JSON Schema that the last message of this turn has to follow. */
  readonly outputSchema?: JsonObject
}

/** One loaded run of a thread: a façade over its state, services, log and running turn. */
export class Session implements AsyncDisposable {
  readonly #parts: SessionParts
  readonly #hub = new EventHub()
  readonly #recorder: EventRecorder
  readonly #clients = new ClientRegistry()
  #activeTurn: ActiveTurn | undefined
  #isClosed = false
  #closing: Promise<void> | undefined
  #hasListener = false
  /** Storage may have something to say before anybody can listen. */
  readonly #unheard: SessionEvent[] = []

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.#recorder = new EventRecorder(parts.live, this.#hub)
  }

  get settings(): SessionSettings {
    return this.#parts.settings
  }

  listen(listener: (event: SessionEvent) => void): Disposable {
    const listening = this.#hub.listen(listener)
    this.#tellUnheard()
    return listening
  }

  events(): AsyncGenerator<SessionEvent> {
    const events = this.#hub.events()
    this.#tellUnheard()
    return events
  }

  answerRequests(handlers: ClientHandlers): Disposable {
    return this.#clients.join(handlers)
  }

  warn(message: string): void {
    this.tell({ type: 'warning', turnId: this.#activeTurn?.turnId ?? null, message })
  }

  /** Tells what no turn does; what comes before anybody listens is told to the first who does. */
  tell(event: SessionEvent): void {
    if (this.#hasListener) this.#hub.publish(event)
    else if (this.#unheard.length < UNHEARD_LIMIT) this.#unheard.push(event)
  }

  /** The turn's id, once the person's message is kept. Throws `SessionError`. */
  async startTurn(input: readonly UserInput[], options: TurnOptions): Promise<TurnId> {
    if (this.#isClosed) throw new SessionError('closed', 'the thread has been closed')
    if (input.length === 0) throw new SessionError('empty_input', 'a turn needs some input')
    return await this.#begin('regular', options, async (run) => {
      const message = await openTurn(run, input)
      return () => announceTurn(run, message)
    })
  }

  /** Has the history condensed, in a turn of its own; its id, once it has begun. */
  async compact(): Promise<TurnId> {
    return await this.#begin('compact', {}, async (run) => {
      await openCompaction(run)
      return () => announceCompaction(run)
    })
  }

  /** The turn's id, once it is open: `open` keeps its beginning and answers how to tell it. */
  async #begin(
    kind: TurnKind,
    options: TurnOptions,
    open: (run: TurnRun) => Promise<() => Promise<void>>,
  ): Promise<TurnId> {
    if (this.#isClosed) throw new SessionError('closed', 'the thread has been closed')
    if (this.#activeTurn) {
      const reason = `turn ${this.#activeTurn.turnId} is still running`
      throw new SessionError('turn_running', `${reason}; interrupt it or wait for its end`)
    }
    const state = new TurnState(this.#parts.services.clock)
    const active = new ActiveTurn(newTurnId(), kind, state)
    this.#activeTurn = active
    const opened = Promise.withResolvers<void>()
    const requests = new OpenRequests(this.#clients, active.turnId, active.signal, (event) =>
      this.#recorder.tell(event),
    )
    const run = {
      ...this.#turnRun(active, options),
      clients: requests,
      opened: opened.promise,
    }
    active.follow(this.#lead(active, run, open, opened).finally(() => requests[Symbol.dispose]()))
    try {
      await opened.promise
    } catch (error) {
      // The floor is free again when this is thrown.
      await active.ended
      throw error
    }
    return active.turnId
  }

  /**
   * Says something more to the running turn: it goes out with the next request, behind the response
   * that is coming in. Answers the turn's id once it is kept. Throws `SessionError`: `no_turn`,
   * `other_turn`, `not_steerable`, `turn_over`, `empty_input`, `not_kept`, `closed`.
   */
  async steerTurn(input: readonly UserInput[], expected?: TurnId): Promise<TurnId> {
    if (this.#isClosed) throw new SessionError('closed', 'the thread has been closed')
    if (input.length === 0) throw new SessionError('empty_input', 'input must not be empty')
    const active = this.#activeTurn
    if (!active) throw new SessionError('no_turn', 'no active turn to steer')
    if (expected !== undefined && expected !== active.turnId) {
      const reason = `expected active turn id \`${expected}\` but found \`${active.turnId}\``
      throw new SessionError('other_turn', reason)
    }
    if (active.kind !== 'regular') {
      throw new SessionError('not_steerable', `cannot steer a ${active.kind} turn`)
    }
    const kept = active.state.steer(input)
    if (!kept) throw new SessionError('no_turn', 'no active turn to steer: it is about to end')
    await kept
    return active.turnId
  }

  /**
   * A turn from its opening to its end; never rejects. The floor is free before the end is told,
   * so that whoever hears of it can start the next turn at once.
   */
  async #lead(
    active: ActiveTurn,
    run: TurnRun,
    open: (run: TurnRun) => Promise<() => Promise<void>>,
    opened: PromiseWithResolvers<void>,
  ): Promise<void> {
    try {
      await this.#catchUp()
      const announce = await open(run)
      announce().then(opened.resolve, (error: unknown) => {
        opened.reject(error)
        active.fail(error)
      })
    } catch (error) {
      opened.reject(error)
      this.#leave(active)
      return
    }
    const end = await runTurn(run, active.kind)
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
    this.#activeTurn = undefined
  }

  /** Throws `ThreadStoreError`, and `SessionError` `ephemeral`. */
  updateMetadata(patch: ThreadMetadataPatch): Promise<StoredThread> {
    return this.#recorder.updateMetadata(patch)
  }

  /** Ends the running turn and waits for its end; nothing happens when none, or another, runs. */
  async interrupt(turnId?: TurnId): Promise<void> {
    const active = this.#activeTurn
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

  #tellUnheard(): void {
    this.#hasListener = true
    const unheard = this.#unheard.splice(0)
    if (unheard.length === 0) return
    queueMicrotask(() => {
      for (const event of unheard) this.#hub.publish(event)
    })
  }

  async #stop(): Promise<void> {
    const { tools, background } = this.#parts.services
    await this.interrupt()
    await tools[Symbol.asyncDispose]()
    await background[Symbol.asyncDispose]()
  }

  #turnRun(active: ActiveTurn, options: TurnOptions): Omit<TurnRun, 'opened' | 'clients'> {
    const { threadId, settings, origin, instructions, services, state } = this.#parts
    return {
      threadId,
      turnId: active.turnId,
      settings,
      origin,
      instructions,
      services,
      session: state,
      turn: active.state,
      recorder: this.#recorder,
      signal: active.signal,
      interruptTurn: () => active.interrupt(),
      letGo: () => active[Symbol.dispose](),
      ...(options.outputSchema ? { outputSchema: options.outputSchema } : {}),
    }
  }
}
