import type { RolloutItem, TurnItem, TurnStatus } from '../protocol/index.ts'
import { ContextOutline, type ContextOutlineState } from './context-outline.ts'
import { callText, searchText } from './search-text.ts'
import { type FoldedTurn, type FoldPosition, type ItemKey, TurnFold } from './turn-fold.ts'

/** Where a turn is in its log. Offsets are bytes of whole lines. */
export interface OutlinedTurn {
  /** Counts all turns that ever began, from 0. */
  readonly order: number
  readonly turnId: string
  readonly status: TurnStatus
  readonly startOffset: number
  /** Behind the last line that says something of it; others may have lines in between. */
  readonly endOffset: number
  readonly before: FoldPosition
  readonly numberedCount: number
  readonly isExplicit: boolean
  readonly isTakenBack: boolean
  readonly hasUserMessage: boolean
  /** It had no end when the next turn began; null while none did. */
  readonly isOpenAtNext: boolean | null
}

/** What an outline goes on from, beside its last turns. Plain JSON. */
export interface OutlineState {
  readonly turnCount: number
  readonly position: FoldPosition
  /** The turn that the next line may belong to, when there is one: it is the last. */
  readonly open: { readonly items: readonly ItemKey[]; readonly hasCompaction: boolean } | null
  readonly context: ContextOutlineState
}

/** An outline so far, with as many of its last turns as were kept. */
export interface KnownOutline {
  readonly state: OutlineState
  /** Turns that were not taken back, oldest first. */
  readonly lastTurns: readonly OutlinedTurn[]
}

/** Words to be found in a turn. */
export interface TurnText {
  readonly order: number
  readonly text: string
}

/**
 * Folds a log into where its turns are and where the model's context begins, so that later
 * questions need read no more than what they ask for. It goes on from an earlier outline, whose
 * older turns need not be known; when an entry reaches back behind those, `isIncomplete` says so,
 * and the log has to be folded from its start.
 */
export class OutlineFold {
  readonly #turns: TurnFold<ItemKey>
  readonly #context: ContextOutline
  readonly #facts = new Map<FoldedTurn<ItemKey>, TurnFacts>()
  readonly #hasEarlierTurns: boolean
  #texts: TurnText[] = []
  #turnCount: number
  #isIncomplete = false
  readonly #hasTexts: boolean

  /** `hasTexts`: whether anybody will take the words; true when left out. */
  constructor(known?: KnownOutline, { hasTexts = true } = {}) {
    this.#hasTexts = hasTexts
    const last = known?.lastTurns ?? []
    const folded = last.map((turn, index) => {
      const open = index === last.length - 1 ? known?.state.open : null
      return toFolded(turn, open ?? null)
    })
    for (const [index, turn] of folded.entries()) {
      const { order = 0, hasUserMessage = false } = last[index] ?? {}
      this.#facts.set(turn, { order, hasUserMessage, isTakenBack: false })
    }
    this.#turnCount = known?.state.turnCount ?? 0
    this.#hasEarlierTurns = (last[0]?.order ?? this.#turnCount) > 0
    this.#context = new ContextOutline(known?.state.context)
    this.#turns = new TurnFold<ItemKey>(
      {
        keep: (item, turn) => this.#keep(item, turn),
        ...(known ? { from: known.state.position } : {}),
        isEarlierTurn: () => this.#missEarlierTurn(),
        onBegin: (turn) => this.#begin(turn),
        onDrop: (turns) => this.#drop(turns),
      },
      folded,
      known?.state.open != null,
    )
  }

  /** Something before the known turns would have been needed: nothing here can be trusted. */
  get isIncomplete(): boolean {
    return this.#isIncomplete || this.#context.isIncomplete
  }

  apply(item: RolloutItem, start: number, end: number): void {
    if (item.type === 'event_msg' && item.payload.type === 'thread_rolled_back') {
      const isBeyond = item.payload.num_turns >= this.#turns.turns.length
      if (isBeyond && this.#hasEarlierTurns) this.#isIncomplete = true
    }
    this.#turns.apply(item, start, end)
    this.#context.apply(item, start)
    if (this.#hasTexts && item.type === 'response_item') {
      this.#addText(callText(item.payload), this.#turns.openTurn)
    }
  }

  /** Words met since this was last asked. */
  takeTexts(): TurnText[] {
    return this.#texts.splice(0)
  }

  /** The turns that were known and those that came, also the ones taken back. */
  get turns(): OutlinedTurn[] {
    return [...this.#facts].map(([turn, facts]) => toOutlined(turn, facts))
  }

  /** All that ever began. */
  get turnCount(): number {
    return this.#turnCount
  }

  get state(): OutlineState {
    const open = this.#turns.openTurn
    return {
      turnCount: this.#turnCount,
      position: this.#turns.position,
      open: open ? { items: open.items, hasCompaction: open.hasCompaction } : null,
      context: this.#context.state,
    }
  }

  #missEarlierTurn(): boolean {
    if (this.#hasEarlierTurns) this.#isIncomplete = true
    return false
  }

  #begin(turn: FoldedTurn<ItemKey>): void {
    this.#facts.set(turn, {
      order: this.#turnCount,
      hasUserMessage: false,
      isTakenBack: false,
    })
    this.#turnCount += 1
  }

  #drop(turns: readonly FoldedTurn<ItemKey>[]): void {
    for (const turn of turns) {
      const facts = this.#facts.get(turn)
      if (facts) facts.isTakenBack = true
    }
  }

  #keep(item: TurnItem, turn: FoldedTurn<ItemKey>): ItemKey {
    const facts = this.#facts.get(turn)
    if (facts) {
      if (item.type === 'userMessage') facts.hasUserMessage = true
      if (this.#hasTexts) this.#addText(searchText(item), turn)
    }
    return { type: item.type, id: item.id }
  }

  #addText(text: string, turn: FoldedTurn<ItemKey> | undefined): void {
    const order = turn && this.#facts.get(turn)?.order
    if (text !== '' && order !== undefined) this.#texts.push({ order, text })
  }
}

interface TurnFacts {
  readonly order: number
  hasUserMessage: boolean
  isTakenBack: boolean
}

function toFolded(turn: OutlinedTurn, open: OutlineState['open']): FoldedTurn<ItemKey> {
  return {
    id: turn.turnId,
    status: turn.status,
    items: [...(open?.items ?? [])],
    error: null,
    startedAtS: null,
    completedAtS: null,
    durationMs: null,
    isExplicit: turn.isExplicit,
    hasCompaction: open?.hasCompaction ?? false,
    numberedCount: turn.numberedCount,
    before: turn.before,
    startOffset: turn.startOffset,
    endOffset: turn.endOffset,
    isOpenAtNext: turn.isOpenAtNext,
  }
}

function toOutlined(turn: FoldedTurn<ItemKey>, facts: TurnFacts): OutlinedTurn {
  return {
    order: facts.order,
    turnId: turn.id,
    status: turn.status,
    startOffset: turn.startOffset,
    endOffset: turn.endOffset,
    before: turn.before,
    numberedCount: turn.numberedCount,
    isExplicit: turn.isExplicit,
    isTakenBack: facts.isTakenBack,
    hasUserMessage: facts.hasUserMessage,
    isOpenAtNext: turn.isOpenAtNext,
  }
}
