import type { JsonObject } from '../../base/index.ts'
import type { ThreadId } from '../../protocol/index.ts'
import type { LiveThread } from '../../thread-store/index.ts'
import type { SessionOrigin, SettingsPatch } from '../settings.ts'
import type { SessionServices } from './session-services.ts'
import type { SessionState } from './session-state.ts'

export interface SessionParts {
  readonly threadId: ThreadId
  readonly origin: SessionOrigin
  /** Of the whole tree of sessions that work for one another: the first one's thread id. */
  readonly sessionId: ThreadId
  /** What the session is for, when it works for another one. */
  readonly purpose?: string
  /** The model's base instructions, fixed for the life of the thread. */
  readonly instructions: string
  readonly state: SessionState
  readonly services: SessionServices
  /** Undefined for an ephemeral thread. */
  readonly live: LiveThread | undefined
}

export interface TurnOptions {
  /** JSON Schema that the last message of this turn has to follow. */
  readonly outputSchema?: JsonObject
  /** Changes of the settings that hold from this turn on. */
  readonly settings?: SettingsPatch
  /**
   * Told to the model's endpoint with each request of this turn, in `x-codex-turn-metadata`; adds
   * to what is told anyway, and replaces nothing of it.
   */
  readonly clientMetadata?: { readonly [name: string]: string }
  /** The turn may begin without input: the model goes on from what there is. */
  readonly mayBeEmpty?: boolean
  /** Interrupts the turn when it aborts. */
  readonly signal?: AbortSignal
}

/** The metadata holds from the turn's next request on, the settings from the next turn on. */
export type SteerOptions = Pick<TurnOptions, 'clientMetadata' | 'settings'>

export interface TakeOver {
  /** Ends the turn that runs, as replaced, instead of being refused while it does. */
  readonly replacesRunning?: boolean
}
