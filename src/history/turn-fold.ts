import type {
  RolloutItem,
  StoredEvent,
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

/** What the fold needs to know of an item again: the whole one does. */
export type ItemKey = Pick<TurnItem, 'type' | 'id'>

/** Where the fold stands before an entry: what invented and numbered ids are made of. */
export interface FoldPosition {
  readonly itemCount: number
  /** Items with numbered ids in the turns that are not taken back. */
  readonly numberedCount: number
  readonly lineIndex: number
}

const LOG_START: FoldPosition = { itemCount: 0, numberedCount: 0, lineIndex: -1 }

export interface FoldedTurn<I extends ItemKey> {
  readonly id: string
  status: TurnStatus
  items: I[]
  error: TurnError | null
  startedAtS: number | null
  completedAtS: number | null
  durationMs: number | null
  /** Opened by an event of its own, not by the first item of it. */
  readonly isExplicit: boolean
  /** A compaction happened in it: kept although it may have no items. */
  hasCompaction: boolean
  /** How many of its items have numbered ids. */
  numberedCount: number
  readonly before: FoldPosition
  /** Byte at which the entry that opened it starts. */
  readonly startOffset: number
  /** Byte behind the last entry that says something of it, wherever that is. */
  endOffset: number
  /** It had no end when the next turn began; null while none did. */
  isOpenAtNext: boolean | null
}

export interface TurnFoldOptions<I extends ItemKey> {
  /** What is kept of an item; `last` is the one before it in its turn. */
  readonly keep: (item: TurnItem, turn: FoldedTurn<I>, last: I | undefined) => I
  /** Where the log is entered: at the start of a turn. */
  readonly from?: FoldPosition
  /** Whether a turn before that point has this id: what is told of it is told of no turn here. */
  readonly isEarlierTurn?: (turnId: string) => boolean
  /** Hears of each turn when it begins, taken back or not. */
  readonly onBegin?: (turn: FoldedTurn<I>) => void
  /** Hears of turns that are taken back. */
  readonly onDrop?: (turns: readonly FoldedTurn<I>[]) => void
}

/**
 * Folds a thread's log into turns, by the rules of 0.133.0, plus what only our logs hold. It can
 * begin at the start of any turn that is not taken back later.
 */
export class TurnFold<I extends ItemKey> {
  readonly #options: TurnFoldOptions<I>
  #turns: FoldedTurn<I>[] = []
  readonly #places = new WeakMap<object, { places: Map<string, number>; end: number }>()
  #open: FoldedTurn<I> | undefined
  #itemCount: number
  #numberedCount: number
  #lineIndex: number
  #before: FoldPosition
  #startOffset = 0
  #endOffset = 0

  constructor(options: TurnFoldOptions<I>, turns: readonly FoldedTurn<I>[] = [], isOpen = false) {
    this.#options = options
    this.#turns = [...turns]
    this.#open = isOpen ? turns.at(-1) : undefined
    this.#before = options.from ?? LOG_START
    this.#itemCount = this.#before.itemCount
    this.#numberedCount = this.#before.numberedCount
    this.#lineIndex = this.#before.lineIndex
  }

  /** Turns that are not taken back, oldest first. */
  get turns(): readonly FoldedTurn<I>[] {
    return this.#turns
  }

  get openTurn(): FoldedTurn<I> | undefined {
    return this.#open
  }

  get position(): FoldPosition {
    const [itemCount, numberedCount, lineIndex] = [
      this.#itemCount,
      this.#numberedCount,
      this.#lineIndex,
    ]
    return { itemCount, numberedCount, lineIndex }
  }

  /** `start` and `end`: the bytes of the entry, or any numbers that grow with it. */
  apply(item: RolloutItem, start: number, end: number): void {
    this.#before = this.position
    this.#startOffset = start
    this.#endOffset = end
    if (countsAsItem(item)) this.#lineIndex += 1
    if (item.type === 'event_msg') this.#applyEvent(item.payload)
    else if (item.type === 'compacted') this.#touched(this.#current()).hasCompaction = true
  }

  /** No entry follows: an open turn without anything in it was none. */
  finish(): readonly FoldedTurn<I>[] {
    this.#close()
    return this.#turns
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
    const turn = this.#begin(turnId, true)
    turn.status = 'inProgress'
    turn.startedAtS = startedAtS
  }

  #begin(id: string, isExplicit: boolean): FoldedTurn<I> {
    const last = this.#turns.at(-1)
    if (last) last.isOpenAtNext ??= last.status === 'inProgress'
    const [before, startOffset, endOffset] = [this.#before, this.#startOffset, this.#endOffset]
    const turn = newTurn<I>({ id, isExplicit, before, startOffset, endOffset })
    this.#open = turn
    this.#turns.push(turn)
    this.#options.onBegin?.(turn)
    return turn
  }

  #touched(turn: FoldedTurn<I>): FoldedTurn<I> {
    turn.endOffset = Math.max(turn.endOffset, this.#endOffset)
    return turn
  }

  #end(event: TurnEndEvent, status: 'completed' | 'interrupted'): void {
    const turnId = event.turn_id ?? undefined
    const named = this.#named(turnId)
    const turn = named ?? (this.#isEarlier(turnId) ? undefined : this.#open)
    if (!turn) return
    this.#touched(turn)
    if (turn.status === 'inProgress' || status === 'interrupted') turn.status = status
    turn.completedAtS = event.completed_at ?? null
    turn.durationMs = event.duration_ms ?? null
    if (turn === this.#open && status === 'completed') this.#close()
  }

  #fail(error: TurnError): void {
    // A turn whose end could not be saved at once is told as failed behind its end.
    const turn = this.#open ?? this.#turns.at(-1)
    if (!turn) return
    this.#touched(turn).error = error
    turn.status = 'failed'
  }

  #userMessage(content: readonly UserContent[]): void {
    const open = this.#open
    if (open && !open.isExplicit && !(open.hasCompaction && open.items.length === 0)) this.#close()
    this.#addNumbered((id) => ({ type: 'userMessage', id, content }))
  }

  #reasoning(text: string): void {
    if (text === '') return
    const turn = this.#current()
    const last = turn.items.at(-1)
    if (last?.type !== 'reasoning') {
      this.#addNumbered((id) => ({ type: 'reasoning', id, summary: [text], content: [] }))
      return
    }
    const item: TurnItem = { type: 'reasoning', id: last.id, summary: [text], content: [] }
    turn.items[turn.items.length - 1] = this.#options.keep(item, this.#touched(turn), last)
  }

  #toolOrMessage(event: StoredEvent): void {
    const tool = toolItem(event)
    const item = tool ?? messageItem(event, `item-${this.#itemCount + 1}`)
    if (!item) return
    if (!tool) this.#itemCount += 1
    const turnId = 'turn_id' in event ? event.turn_id : undefined
    const turn = typeof turnId === 'string' && turnId ? this.#namedHere(turnId) : this.#current()
    if (!turn) return
    if (!tool) this.#countNumbered(turn)
    const kept = this.#options.keep(item, this.#touched(turn), turn.items.at(-1))
    const at = this.#placeOf(turn, item)
    if (at === undefined) turn.items.push(kept)
    else turn.items[at] = kept
  }

  /** Where the turn's item of this type and id is. */
  #placeOf(turn: FoldedTurn<I>, item: ItemKey): number | undefined {
    const known = this.#places.get(turn) ?? { places: new Map<string, number>(), end: 0 }
    this.#places.set(turn, known)
    for (; known.end < turn.items.length; known.end += 1) {
      const key = keyOf(turn.items[known.end])
      if (!known.places.has(key)) known.places.set(key, known.end)
    }
    return known.places.get(keyOf(item))
  }

  #rollBack(count: number): void {
    this.#close()
    const dropped = this.#turns.splice(Math.max(0, this.#turns.length - count))
    this.#options.onDrop?.(dropped)
    for (const turn of dropped) this.#numberedCount -= turn.numberedCount
    this.#itemCount = this.#numberedCount
  }

  #addNumbered(make: (id: string) => TurnItem): void {
    const turn = this.#touched(this.#current())
    this.#itemCount += 1
    this.#countNumbered(turn)
    const item = make(`item-${this.#itemCount}`)
    turn.items.push(this.#options.keep(item, turn, turn.items.at(-1)))
  }

  #countNumbered(turn: FoldedTurn<I>): void {
    turn.numberedCount += 1
    this.#numberedCount += 1
  }

  #current(): FoldedTurn<I> {
    return this.#open ?? this.#begin(`rollout-${this.#lineIndex}`, false)
  }

  #named(id: string | undefined): FoldedTurn<I> | undefined {
    return id === undefined ? undefined : this.#turns.findLast((turn) => turn.id === id)
  }

  /** What is told of no known turn is passed over, but whoever cut the log may want to know. */
  #namedHere(id: string): FoldedTurn<I> | undefined {
    const turn = this.#named(id)
    if (!turn) this.#isEarlier(id)
    return turn
  }

  #isEarlier(id: string | undefined): boolean {
    return id !== undefined && this.#options.isEarlierTurn?.(id) === true
  }

  #close(): void {
    const turn = this.#open
    this.#open = undefined
    if (turn && !turn.isExplicit && turn.items.length === 0 && !turn.hasCompaction) {
      this.#turns = this.#turns.filter((each) => each !== turn)
      this.#options.onDrop?.([turn])
    }
  }
}

/** Kinds that 0.133.0 knows and drops before it looks at a log. */
const PASSED_OVER: ReadonlySet<string> = new Set([
  'exec_command_end',
  'dynamic_tool_call_response',
  'view_image_tool_call',
  'error',
])

/** Invented ids number the items that 0.133.0 reads: of the unknown, only response items. */
function countsAsItem(item: RolloutItem): boolean {
  if (item.type === 'event_msg') return !PASSED_OVER.has(item.payload.type)
  return item.type !== 'unknown' || item.payload.type === 'response_item'
}

function keyOf(item: ItemKey | undefined): string {
  return item ? `${item.type} ${item.id}` : ''
}

type TurnStart = Pick<
  FoldedTurn<ItemKey>,
  'id' | 'isExplicit' | 'before' | 'startOffset' | 'endOffset'
>

function newTurn<I extends ItemKey>(start: TurnStart): FoldedTurn<I> {
  return {
    ...start,
    status: 'completed',
    items: [],
    error: null,
    startedAtS: null,
    completedAtS: null,
    durationMs: null,
    hasCompaction: false,
    numberedCount: 0,
    isOpenAtNext: null,
  }
}
