import type { TurnId } from '../../protocol/index.ts'
import { TurnInterrupted } from '../errors.ts'
import type { TurnState } from '../turn/turn-state.ts'
import type { TurnKind } from '../turn/turn-task.ts'

/** The running turn: how to stop it, and when it has ended. */
export class ActiveTurn implements Disposable {
  readonly turnId: TurnId
  readonly kind: TurnKind
  readonly state: TurnState
  readonly #controller = new AbortController()
  #isStopped = false
  #ended: Promise<void> = Promise.resolve()

  constructor(turnId: TurnId, kind: TurnKind, state: TurnState) {
    this.turnId = turnId
    this.kind = kind
    this.state = state
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Resolves when the turn's end is in the log and was told; never rejects. */
  get ended(): Promise<void> {
    return this.#ended
  }

  follow(task: Promise<void>): void {
    this.#ended = task
  }

  /** The one way out, by whichever road: whatever still waits in the turn is let go. */
  [Symbol.dispose](): void {
    this.#controller.abort(new TurnInterrupted())
  }

  /** Whether somebody has ended it before it was through. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  interrupt(reason: TurnInterrupted['reason'] = 'interrupted'): void {
    this.#isStopped = true
    this.#controller.abort(new TurnInterrupted(reason))
  }

  /** Ends the turn for a reason of our own. */
  fail(reason: unknown): void {
    this.#controller.abort(reason)
  }
}
