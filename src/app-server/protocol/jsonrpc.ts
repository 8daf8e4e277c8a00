import { errorText, isObject, type Json, type JsonObject } from '../../base/index.ts'

/** Echoed as it came: text or a whole number. */
export type RequestId = string | number

export interface RpcRequest {
  readonly kind: 'request'
  readonly id: RequestId
  readonly method: string
  readonly params: Json | undefined
}

export interface RpcNotification {
  readonly kind: 'notification'
  readonly method: string
}

/** An answer to what this server has asked. */
export interface RpcAnswer {
  readonly kind: 'answer'
  readonly id: RequestId
  readonly result?: Json
  readonly error?: JsonObject
}

export type RpcMessage = RpcRequest | RpcNotification | RpcAnswer

/** Source: `reference/app-server.md` 3, JSON-RPC 2.0. */
export const RPC_CODE = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  overloaded: -32001,
} as const

/** What a client is told when its request cannot be served. */
export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number
  readonly data: Json | undefined

  constructor(code: keyof typeof RPC_CODE, message: string, data?: Json, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = RPC_CODE[code]
    this.data = data
  }
}

export function invalid(message: string, data?: Json): RpcError {
  return new RpcError('invalidRequest', message, data)
}

export function overloaded(): RpcError {
  return new RpcError('overloaded', 'Server overloaded; retry later.')
}

/**
 * One message, in the order in which 0.133.0 tells the kinds apart. Throws `RpcError` for what is
 * none. Source: `reference/app-server.md` 1.
 */
export function readMessage(text: string): RpcMessage {
  const value = parse(text)
  if (Array.isArray(value)) throw invalid('Invalid request: batches are not supported')
  if (!isObject(value)) throw invalid('Invalid request: a message is a JSON object')
  const { id, method, params, result, error } = value
  const hasId = isId(id)
  if (id !== undefined && !hasId) {
    throw invalid('Invalid request: an id is a string or a whole number')
  }
  if (typeof method === 'string') {
    return hasId ? { kind: 'request', id, method, params } : { kind: 'notification', method }
  }
  if (!hasId) throw invalid('Invalid request: a message has a method, or the id of what it answers')
  if (isObject(error)) return { kind: 'answer', id, error }
  if (result !== undefined) return { kind: 'answer', id, result }
  throw invalid('Invalid request: a message has a method, a result or an error')
}

/** Of a request that can be read so far; null otherwise. */
export function requestIdOf(text: string): RequestId | null {
  try {
    const message = readMessage(text)
    return message.kind === 'request' ? message.id : null
  } catch (error) {
    if (error instanceof RpcError) return null
    throw error
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new RpcError('parseError', `Parse error: ${errorText(error)}`)
  }
}

function isId(value: Json | undefined): value is RequestId {
  return typeof value === 'string' || Number.isSafeInteger(value)
}
