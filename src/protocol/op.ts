import type { JsonObject } from '../base/index.ts'
import type { TurnId } from './ids.ts'

/** What a person hands to a turn. */
export type UserInput =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'localImage'; readonly path: string }

/** What a client asks of a session. */
export type Op =
  | {
      readonly type: 'userInput'
      readonly input: readonly UserInput[]
      /** JSON Schema that the last message of this turn has to follow. */
      readonly outputSchema?: JsonObject
    }
  /** Ends the named turn, or whichever turn runs. */
  | { readonly type: 'interrupt'; readonly turnId?: TurnId }
