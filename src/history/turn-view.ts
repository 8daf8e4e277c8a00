import type {
  RolloutItem,
  StoredEvent,
  Turn,
  TurnError,
  TurnItem,
  TurnStatus,
  UserContent,
} from '../protocol/index.ts'
import { messageItem, toolItem, userContent } from './turn-items.ts'

type TurnEndEvent = {
  turn_id?: string | null
  completed_at?: number
  duration_ms?: number
}

interface OpenTurn {
  id: string
  status: TurnStatus
  items: TurnItem[]
  error: TurnError | null
  startedAtS: number | null
  completedAtS: number | null
  durationMs: number | null
  readonly isExplicit: boolean
  /** A compaction happened in it: kept although it may have no items. */
  hasCompaction: boolean
}

/**
 * Folds a thread's log into the turns that people see, by the rules of 0.133.0, plus what only
 * our logs hold: commands, and the errors of failed turns. An unfinished turn reads `interrupted`
 * unless `isRunning` says that the last one is live.
 */
export function foldTurns(
  log: Iterable<RolloutItem>,
  options: { isRunning?: boolean } = {},
): Turn[] {
  const fold = new TurnFold()
  for (const item of log) fold.apply(item)
  return fold.finish(options.isRunning ?? false)
}

/** Where a turn begins, rolled back or not. */
export interface TurnStart {
  readonly turnId: string
  /** Index into the log of the entry that opened it. */
  readonly index: number
}

export function foldTurnStarts(log: Iterable<RolloutItem>): readonly TurnStart[] {
  const fold = new TurnFold()
  for (const item of log) fold.apply(item)
  return fold.starts
}

class TurnFold {
  readonly starts: TurnStart[] = []
  #entryIndex = -1
  #turns: OpenTurn[] = []
  #open: OpenTurn | undefined
  #itemCount = 0
  #lineIndex = -1

  apply(item: RolloutItem): void {
    this.#entryIndex += 1
    if (countsAsItem(item)) this.#lineIndex += 1
    if (item.type === 'event_msg') this.#applyEvent(item.payload)
    else if (item.type === 'compacted') this.#current().hasCompaction = true
  }

  finish(isRunning: boolean): Turn[] {
    this.#close()
    const last = this.#turns.at(-1)
    return this.#turns.map((turn) => ({
      id: turn.id,
      status:
        turn.status === 'inProgress' && !(isRunning && turn === last) ? 'interrupted' : turn.status,
      items: turn.items,
      error: turn.error,
      startedAtS: turn.startedAtS,
      completedAtS: turn.completedAtS,
      durationMs: turn.durationMs,
    }))
  }

  #applyEvent(event: StoredEvent): void {
    switch (event.type) {
      case 'task_started':
        this.#start(event.turn_id, event.started_at ?? null)
        break
      case 'task_complete':
        this.#end(event, 'completed')
        break
      case 'turn_aborted':
        this.#end(event, 'interrupted')
        break
      case 'error':
        this.#fail({
          message: event.message,
          codexErrorInfo: event.codex_error_info,
          additionalDetails: null,
        })
        break
      case 'user_message':
        this.#userMessage(userContent(event))
        break
      case 'thread_rolled_back':
        this.#rollBack(event.num_turns)
        break
      case 'agent_reasoning':
        this.#reasoning(event.text)
        break
      default:
        this.#toolOrMessage(event)
        break
    }
  }

  #start(turnId: string, startedAtS: number | null): void {
    this.#close()
    const turn = newTurn(turnId, true)
    turn.status = 'inProgress'
    turn.startedAtS = startedAtS
    this.#begin(turn)
  }

  #begin(turn: OpenTurn): void {
    this.#open = turn
    this.#turns.push(turn)
    this.starts.push({ turnId: turn.id, index: this.#entryIndex })
  }

  #end(event: TurnEndEvent, status: 'completed' | 'interrupted'): void {
    const turn = this.#named(event.turn_id ?? undefined) ?? this.#open
    if (!turn) return
    if (turn.status === 'inProgress' || status === 'interrupted') turn.status = status
    turn.completedAtS = event.completed_at ?? null
    turn.durationMs = event.duration_ms ?? null
    if (turn === this.#open && status === 'completed') this.#close()
  }

  #fail(error: TurnError): void {
    // A turn whose end could not be saved at once is told as failed behind its end.
    const turn = this.#open ?? this.#turns.at(-1)
    if (!turn) return
    turn.error = error
    turn.status = 'failed'
  }

  #userMessage(content: readonly UserContent[]): void {
    const open = this.#open
    if (open && !open.isExplicit && !(open.hasCompaction && open.items.length === 0)) this.#close()
    this.#add({ type: 'userMessage', id: this.#nextId(), content })
  }

  #reasoning(text: string): void {
    if (text === '') return
    const turn = this.#current()
    const last = turn.items.at(-1)
    if (last?.type === 'reasoning') {
      turn.items[turn.items.length - 1] = { ...last, summary: [...last.summary, text] }
    } else {
      this.#add({ type: 'reasoning', id: this.#nextId(), summary: [text], content: [] })
    }
  }

  #toolOrMessage(event: StoredEvent): void {
    const item = toolItem(event) ?? this.#numberedItem(event)
    if (!item) return
    const turnId = 'turn_id' in event ? event.turn_id : undefined
    const turn = typeof turnId === 'string' && turnId ? this.#named(turnId) : this.#current()
    if (!turn) return
    const at = turn.items.findIndex((each) => each.id === item.id && each.type === item.type)
    if (at === -1) turn.items.push(item)
    else turn.items[at] = item
  }

  #numberedItem(event: StoredEvent): TurnItem | undefined {
    const item = messageItem(event, `item-${this.#itemCount + 1}`)
    if (item) this.#itemCount += 1
    return item
  }

  #rollBack(count: number): void {
    this.#close()
    this.#turns.splice(Math.max(0, this.#turns.length - count))
    this.#itemCount = this.#turns.flatMap((turn) => turn.items).filter(hasNumberedId).length
  }

  #add(item: TurnItem): void {
    this.#current().items.push(item)
  }

  #current(): OpenTurn {
    if (this.#open) return this.#open
    const turn = newTurn(this.#inventedId(), false)
    this.#begin(turn)
    return turn
  }

  #named(id: string | undefined): OpenTurn | undefined {
    return id === undefined ? undefined : this.#turns.findLast((turn) => turn.id === id)
  }

  #close(): void {
    const turn = this.#open
    this.#open = undefined
    if (turn && !turn.isExplicit && turn.items.length === 0 && !turn.hasCompaction) {
      this.#turns = this.#turns.filter((each) => each !== turn)
    }
  }

  #nextId(): string {
    this.#itemCount += 1
    return `item-${this.#itemCount}`
  }

  #inventedId(): string {
    return `rollout-${this.#lineIndex}`
  }
}

/** Invented ids number the items that 0.133.0 reads: of the unknown, only response items. */
function countsAsItem(item: RolloutItem): boolean {
  return item.type !== 'unknown' || item.payload.type === 'response_item'
}

function newTurn(id: string, isExplicit: boolean): OpenTurn {
  return {
    id,
    status: 'completed',
    items: [],
    error: null,
    startedAtS: null,
    completedAtS: null,
    durationMs: null,
    isExplicit,
    hasCompaction: false,
  }
}

function hasNumberedId(item: TurnItem): boolean {
  return item.id.startsWith('item-')
}
