import type { ThreadId } from '../protocol/index.ts'

export type ThreadStoreFailure =
  | { readonly code: 'thread_not_found'; readonly threadId: ThreadId }
  | {
      readonly code: 'conflict'
      readonly reason: string
      /** Who has the thread, when that is why. */
      readonly holder?: WriterHolder
    }
  | { readonly code: 'invalid_request' | 'unsupported'; readonly reason: string }
  /** The store has been disposed. */
  | { readonly code: 'disposed' }
  /** The thread's log cannot be read as one; `path` tells where it is. */
  | { readonly code: 'damaged'; readonly path: string; readonly reason: string }
  /** The home cannot be read at all. */
  | { readonly code: 'home_unreadable'; readonly path: string; readonly reason: string }
  /** `doing` says what failed; the system error is in `cause`. */
  | { readonly code: 'internal'; readonly doing: string }

/** Who has the writer of a thread; null is what cannot be told. */
export interface WriterHolder {
  readonly pid: number | null
  readonly client: string | null
  readonly sinceMs: number | null
  readonly activity: 'idle' | 'turn' | null
}

/** The only error that a `ThreadStore` throws. */
export class ThreadStoreError extends Error {
  override readonly name = 'ThreadStoreError'
  readonly failure: ThreadStoreFailure

  constructor(failure: ThreadStoreFailure, cause?: unknown) {
    super(describe(failure), cause === undefined ? undefined : { cause })
    this.failure = failure
  }
}

function describe(failure: ThreadStoreFailure): string {
  switch (failure.code) {
    case 'thread_not_found':
      return `no thread with id ${failure.threadId}`
    case 'damaged':
      return `${failure.reason}: ${failure.path}`
    case 'home_unreadable':
      return `cannot read the home ${failure.path}: ${failure.reason}`
    case 'disposed':
      return 'the thread store has been closed'
    case 'internal':
      return failure.doing
    default:
      return failure.reason
  }
}
