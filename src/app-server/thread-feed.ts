import type { Clock, JsonObject } from '../base/index.ts'
import type { ClientHandlers, ThreadHandle } from '../core/index.ts'
import type { ClientRequestKind, SessionEvent } from '../protocol/index.ts'
import type { Connection } from './connection.ts'
import { EventHistory, eventsGone, type HistoryBudget } from './event-history.ts'
import { readReply } from './projection/client-replies.ts'
import {
  newView,
  projectEvent,
  type ThreadView,
  type WireMessage,
} from './projection/notifications.ts'
import { wireRateLimits } from './projection/rate-limits.ts'
import type { ClientReply, ServerRequests } from './server-requests.ts'

export interface FeedOptions {
  readonly handle: ThreadHandle
  readonly requests: ServerRequests
  readonly historyBudget: HistoryBudget
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>
  /** Tells every client of the process. */
  readonly broadcast: (message: WireMessage) => void
}

/** A request of the session, from its opening until it is told to be over. */
interface Ask {
  /** Undefined until the clients have been asked. */
  rpcId: number | undefined
  readonly reply: PromiseWithResolvers<ClientReply>
}

/** Messages kept for the first subscriber. */
const MOST_EARLY = 100

const KINDS = [
  'commandApproval',
  'patchApproval',
  'userInput',
  'dynamicToolCall',
  'elicitation',
] as const satisfies readonly ClientRequestKind[]

/** Notifications that all clients get, whether they watch the thread or not. */
const FOR_ALL: ReadonlySet<string> = new Set(['thread/status/changed'])

/**
 * What the clients of one loaded thread are told, in one order for all. While it is held, what is
 * to be told waits: an answer that has to come first is being made.
 */
export class ThreadFeed implements Disposable {
  readonly handle: ThreadHandle
  readonly #options: FeedOptions
  readonly #subscribers = new Set<Connection>()
  readonly #listening: Disposable
  readonly #answering: Disposable
  /** By the session's request id. */
  readonly #asks = new Map<string, Ask>()
  #view: ThreadView
  #lastTurnId: string | undefined
  #lastActivityMs: number
  /** Undefined once there was a subscriber. */
  #early: WireMessage[] | undefined = []
  /** Undefined until somebody has come who may ask for it. */
  #history: EventHistory | undefined
  #held = 0
  #waiting: (() => void)[] = []

  constructor(options: FeedOptions) {
    this.#options = options
    this.handle = options.handle
    this.#view = newView(options.handle.threadId)
    this.#lastActivityMs = options.clock.monotonicMs()
    this.#listening = this.handle.listen((event) => this.#accept(event))
    this.#answering = this.handle.answerRequests(this.#handlers())
  }

  get status(): JsonObject {
    return this.#view.status
  }

  get hasSubscribers(): boolean {
    return this.#subscribers.size > 0
  }

  /** When something last happened here, as a clock's monotonic time. */
  get lastActivityMs(): number {
    return this.#lastActivityMs
  }

  isSubscribed(connection: Connection): boolean {
    return this.#subscribers.has(connection)
  }

  /** The first one is told what there was to tell since the thread was loaded. */
  subscribe(connection: Connection): void {
    this.#subscribers.add(connection)
    if (connection.client?.hasEventCursors) {
      this.#history ??= new EventHistory(this.#options.historyBudget)
    }
    for (const message of this.#early?.splice(0) ?? []) this.#push(() => this.#deliver(message))
    this.#early = undefined
  }

  /** Tells a client that comes back what it has missed. Throws when that is not known any more. */
  replay(connection: Connection, cursor: string): () => void {
    if (!this.#history) throw eventsGone(cursor)
    const missed = this.#history.after(cursor)
    return () => {
      for (const { method, text } of missed) connection.notifyText(method, text)
    }
  }

  /** False when it was none. */
  unsubscribe(connection: Connection): boolean {
    this.#lastActivityMs = this.#options.clock.monotonicMs()
    for (const { rpcId } of this.#asks.values()) {
      if (rpcId !== undefined) this.#options.requests.withdraw(rpcId, connection)
    }
    return this.#subscribers.delete(connection)
  }

  /** Asks a client that has joined what is still open. */
  askAgain(connection: Connection): void {
    for (const { rpcId } of this.#asks.values()) {
      if (rpcId !== undefined) this.#options.requests.ask(rpcId, connection)
    }
  }

  /** Tells the subscribers, behind what waits to be told. */
  tell(method: string, params: JsonObject): void {
    this.#push(() => this.#deliver({ method, params }))
  }

  /** Tells the subscribers before what waits to be told. */
  tellNow(method: string, params: JsonObject): void {
    this.#deliver({ method, params })
  }

  /** Of the turn that runs, or ran last; undefined before the first. */
  get lastTurnId(): string | undefined {
    return this.#lastTurnId
  }

  /** The thread as clients see it when it is let go. */
  tellNotLoaded(): void {
    const { threadId } = this.handle
    const params = { threadId, status: { type: 'notLoaded' } }
    this.#options.broadcast({ method: 'thread/status/changed', params })
  }

  /** From now on nothing is told until the result is disposed. */
  hold(): Disposable {
    this.#held += 1
    let isHeld = true
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return
        isHeld = false
        this.#held -= 1
        if (this.#held > 0) return
        for (const work of this.#waiting.splice(0)) work()
      },
    }
  }

  [Symbol.dispose](): void {
    this.#answering[Symbol.dispose]()
    this.#listening[Symbol.dispose]()
    this.#history?.[Symbol.dispose]()
    this.#subscribers.clear()
  }

  #accept(event: SessionEvent): void {
    this.#lastActivityMs = this.#options.clock.monotonicMs()
    if (event.type === 'turnStarted') this.#lastTurnId = event.turnId
    this.#push(() => {
      const { view, messages } = projectEvent(this.#view, event, this.#options.clock.nowMs())
      this.#view = view
      for (const message of messages) {
        if (event.type === 'requestOpened' && isQuestion(message)) this.#open(event, message)
        else if (event.type === 'requestResolved') this.#close(event.requestId, message)
        else this.#deliver(message)
      }
      if (event.type === 'tokenCount') this.#tellRateLimits()
      if (event.type === 'requestResolved') this.#forget(event.requestId)
    })
  }

  /** Behind every count of tokens, changed or not: clients of 0.133.0 expect it there. */
  #tellRateLimits(): void {
    const rateLimits = wireRateLimits(this.handle.rateLimits)
    this.#deliver({ method: 'account/rateLimits/updated', params: { rateLimits } })
  }

  #open({ request }: Extract<SessionEvent, { type: 'requestOpened' }>, message: WireMessage): void {
    const ask = this.#ask(request.id)
    const { requests } = this.#options
    const rpcId = requests.open(message.method, message.params, ask.reply.resolve)
    ask.rpcId = rpcId
    for (const connection of this.#subscribers) requests.ask(rpcId, connection)
  }

  /** Clients know a request by the id that it had on the wire. */
  #close(requestId: string, message: WireMessage): void {
    const rpcId = this.#asks.get(requestId)?.rpcId
    const isTold = message.method === 'serverRequest/resolved'
    if (!isTold) this.#deliver(message)
    else if (rpcId !== undefined) {
      this.#deliver({ ...message, params: { ...message.params, requestId: rpcId } })
    }
  }

  #forget(requestId: string): void {
    const rpcId = this.#asks.get(requestId)?.rpcId
    if (rpcId !== undefined) this.#options.requests.close(rpcId)
    this.#asks.delete(requestId)
  }

  /** Made by whichever comes first: the telling of the request, or the wait for its answer. */
  #ask(requestId: string): Ask {
    const known = this.#asks.get(requestId)
    if (known) return known
    const ask = { rpcId: undefined, reply: Promise.withResolvers<ClientReply>() }
    this.#asks.set(requestId, ask)
    return ask
  }

  #handlers(): ClientHandlers {
    const waitFor = async (kind: ClientRequestKind, id: string) =>
      readReply[kind](await this.#ask(id).reply.promise)
    return Object.fromEntries(
      KINDS.map((kind) => [kind, (_: unknown, about: { id: string }) => waitFor(kind, about.id)]),
    )
  }

  #push(work: () => void): void {
    if (this.#held > 0) this.#waiting.push(work)
    else work()
  }

  #deliver(message: WireMessage): void {
    if (FOR_ALL.has(message.method)) {
      this.#options.broadcast(message)
      return
    }
    if (this.#early && this.#early.length < MOST_EARLY) this.#early.push(message)
    const plain = { method: message.method, text: JSON.stringify(message) }
    const numbered = this.#history?.keep(plain) ?? plain
    for (const connection of this.#subscribers) {
      const { method, text } = connection.client?.hasEventCursors ? numbered : plain
      connection.notifyText(method, text)
    }
  }
}

function isQuestion({ method }: WireMessage): boolean {
  return method !== 'thread/status/changed'
}
