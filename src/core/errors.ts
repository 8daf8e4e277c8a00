export type SessionFailure =
  /** Another turn runs; it has to end first. */
  | 'turn_running'
  /** A call got something else than it takes; the message names it. */
  | 'invalid_argument'
  | 'empty_input'
  /** There is no turn that would take the input. */
  | 'no_turn'
  /** Another turn runs than the one that was named. */
  | 'other_turn'
  /** A turn of a kind that takes no input. */
  | 'not_steerable'
  /** The turn ended before the input was kept; it is in no log. */
  | 'turn_over'
  /** The same, because somebody ended the turn. */
  | 'turn_stopped'
  /** The thread's storage refused; the cause tells why. What was to be kept is tried again. */
  | 'not_kept'
  | 'closed'
  /** More is waiting for the running turn's end than is kept waiting. */
  | 'queue_full'
  | 'invalid_settings'
  | 'invalid_items'
  /** Of a thread that is not kept there is nothing to change. */
  | 'ephemeral'
  | 'already_loaded'
  /** Something that the session is not to be without did not start. */
  | 'not_started'
  /** A reader of events fell too far behind. */
  | 'slow_subscriber'

/** What a session or the thread manager could not do. */
export class SessionError extends Error {
  override readonly name = 'SessionError'
  readonly code: SessionFailure

  constructor(code: SessionFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** Why a turn's signal was aborted. */
export class TurnInterrupted extends Error {
  override readonly name = 'TurnInterrupted'
  /** Somebody stopped it, or another turn took its place. */
  readonly reason: 'interrupted' | 'replaced'

  constructor(reason: 'interrupted' | 'replaced' = 'interrupted') {
    super(`the turn was ${reason}`)
    this.reason = reason
  }
}
