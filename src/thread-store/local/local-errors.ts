import { errorText } from '../../base/index.ts'
import { RolloutError, type RolloutNotice } from '../../rollout/index.ts'
import { ThreadStoreError } from '../errors.ts'
import { LeaseHeld } from './writer-lease.ts'

const NO_HEADER = 'the rollout has no readable session_meta line'

/** Whatever the storage throws, as the store's error. */
export async function guard<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof ThreadStoreError ? error : wrapped(error)
  }
}

export function invalid(reason: string): ThreadStoreError {
  return new ThreadStoreError({ code: 'invalid_request', reason })
}

export function conflict(reason: string): ThreadStoreError {
  return new ThreadStoreError({ code: 'conflict', reason })
}

export function damaged(path: string): ThreadStoreError {
  return new ThreadStoreError({ code: 'damaged', path, reason: NO_HEADER })
}

function wrapped(error: unknown): ThreadStoreError {
  if (error instanceof LeaseHeld) {
    const { message: reason, holder } = error
    return new ThreadStoreError({ code: 'conflict', reason, holder }, error)
  }
  if (error instanceof RolloutError && error.code !== 'io') {
    const reason = error.code === 'no_header' ? NO_HEADER : 'not a rollout file'
    return new ThreadStoreError({ code: 'damaged', path: error.path, reason }, error)
  }
  return new ThreadStoreError({ code: 'internal', doing: errorText(error) }, error)
}

/** For the person whose thread it is. */
export function noticeText(notice: RolloutNotice): string {
  if (notice.kind === 'torn_tail') {
    return `the last line of ${notice.path} was cut off; the thread goes on after it`
  }
  return `${notice.path} was changed by another program while this thread was open`
}
