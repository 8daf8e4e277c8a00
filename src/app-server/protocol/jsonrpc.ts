import { isObject, type Json, type JsonObject } from '../../base/index.ts'

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

/** Source: `reference/app-server.md` 3. */
export const RPC_CODE = {
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

/**
 * One message, in the order in which 0.133.0 tells the kinds apart. Undefined for what is no
 * message: it is passed over, as the protocol wants it. Source: `reference/app-server.md` 1.
 */
export function readMessage(text: string): RpcMessage | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Not JSON: whoever sent it cannot be answered, there is no id.
    return undefined
  }
  if (!isObject(value)) return undefined
  const { id, method, params, result, error } = value
  const hasId = isId(id)
  if (typeof method === 'string') {
    return hasId ? { kind: 'request', id, method, params } : { kind: 'notification', method }
  }
  if (!hasId) return undefined
  if (isObject(error)) return { kind: 'answer', id, error }
  return result === undefined ? undefined : { kind: 'answer', id, result }
}

function isId(value: Json | undefined): value is RequestId {
  return typeof value === 'string' || Number.isSafeInteger(value)
}
