import { isObject } from '../base/index.ts'
import { ThreadStoreError } from './errors.ts'

/** The last thread of a page. Opaque to clients. */
export interface Cursor {
  readonly position: string | number
  readonly threadId: string
}

export function encodeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify([cursor.position, cursor.threadId])).toString('base64url')
}

/** Throws `invalid_request` for text that no list has given out. */
export function decodeCursor(text: string): Cursor {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    if (Array.isArray(value) && value.length === 2 && !isObject(value[0])) {
      const [position, threadId] = value
      const isPosition = typeof position === 'string' || typeof position === 'number'
      if (isPosition && typeof threadId === 'string') return { position, threadId }
    }
  } catch {
    // Falls through to the one answer for every malformed cursor.
  }
  throw invalidCursor(text)
}

export function invalidCursor(text: string): ThreadStoreError {
  return new ThreadStoreError({ code: 'invalid_request', reason: `invalid cursor: ${text}` })
}
