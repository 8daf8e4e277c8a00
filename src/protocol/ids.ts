import * as crypto from 'node:crypto'
import type { Brand } from '../base/index.ts'

/** Durable handle of a thread: a lower-case UUID, v7 when Bobbin mints it. Never a file path. */
export type ThreadId = Brand<string, 'ThreadId'>
/** One turn of a thread; the id of the submission that started it. */
export type TurnId = Brand<string, 'TurnId'>

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Any version of UUID, any case; undefined for other text. */
export function parseThreadId(text: string): ThreadId | undefined {
  return UUID.test(text) ? (text.toLowerCase() as ThreadId) : undefined
}

export function newThreadId(): ThreadId {
  return crypto.randomUUIDv7() as ThreadId
}

export function newTurnId(): TurnId {
  return crypto.randomUUIDv7() as TurnId
}
