import { type JsonObject, numberAt, objectAt, stringAt } from '../../base/index.ts'
import type { HttpHeaders } from './http-post.ts'
import type { ModelError } from './model-client.ts'
import { disconnected, failedResponse, httpError } from './model-errors.ts'

/** The connection has lived as long as the server lets it; another one will do. */
const CONNECTION_LIMIT = 'websocket_connection_limit_reached'

/** The server does not know the response that was to be gone on from. */
const UNKNOWN_RESPONSE = 'previous_response_not_found'

/** A frame `{ type: 'error', status, error, headers }`: what an answer of that status would say. */
export interface ErrorFrame {
  readonly frame: JsonObject
  /** As it came. */
  readonly text: string
  readonly url: string
  readonly nowMs: number
}

export function isUnknownResponse(frame: JsonObject): boolean {
  return codeOf(frame) === UNKNOWN_RESPONSE
}

/** Source: `reference/session-runtime.md` C9; a frame without a status is taken as a failure. */
export function errorOfFrame({ frame, text, url, nowMs }: ErrorFrame): ModelError {
  const error = objectAt(frame, 'error') ?? {}
  if (codeOf(frame) === CONNECTION_LIMIT) {
    return disconnected(stringAt(error, 'message') ?? 'the connection has reached its limit')
  }
  const status = numberAt(frame, 'status') ?? numberAt(frame, 'status_code')
  if (status === undefined) return failedResponse(frame)
  return httpError({ status, body: text, url, headers: headersOf(frame), nowMs })
}

function codeOf(frame: JsonObject): string | undefined {
  return stringAt(objectAt(frame, 'error') ?? {}, 'code')
}

function headersOf(frame: JsonObject): HttpHeaders {
  const headers = Object.entries(objectAt(frame, 'headers') ?? {})
  return Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), String(value)]))
}
