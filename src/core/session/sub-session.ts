import type { SessionEvent, ThreadId, TurnId, UserInput } from '../../protocol/index.ts'
import type { SessionSettings } from '../settings.ts'

/** A session that works for another one: it has a thread of its own, and asks nobody. */
export interface SubSession extends AsyncDisposable {
  readonly threadId: ThreadId
  startTurn(input: readonly UserInput[]): Promise<TurnId>
  interrupt(): Promise<void>
  listen(listener: (event: SessionEvent) => void): Disposable
}

export interface StartSubSession {
  /** What it is for: `review`. Told to the model's endpoint, and kept as the thread's source. */
  readonly purpose: string
  readonly settings: SessionSettings
  readonly instructions: string
}
