import type { DifferenceId } from './differences.ts'
import type { Answer } from './driver.ts'
import type { ModelScript } from './model-server.ts'
import type { Stage } from './stage.ts'
import type { WireMessage } from './wire-log.ts'

/** One conversation, played into both programs. */
export interface SessionScript {
  readonly name: string
  readonly model: ModelScript
  /** What the client does, one thing after the other. */
  readonly play: (stage: Stage) => Promise<void>
  /** How the client answers what it is asked; undefined leaves a request open. */
  readonly answer?: (request: WireMessage, stage: Stage) => Answer | Promise<Answer>
  /** Keys of `config.toml`. */
  readonly config?: { readonly [key: string]: string | number | boolean | readonly string[] }
  /** Keys of the model provider in it. */
  readonly provider?: { readonly [key: string]: string | number | boolean }
  /** Where the two may differ, and do. */
  readonly differences?: readonly DifferenceId[]
}

/** Scripts about one thing; one test file each. */
export interface Subject {
  readonly title: string
  readonly scripts: readonly SessionScript[]
}
