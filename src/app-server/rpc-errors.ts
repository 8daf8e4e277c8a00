import { errorText, unreachable } from '../base/index.ts'
import { ConfigError } from '../config/index.ts'
import { DynamicToolError, ReviewError, SessionError } from '../core/index.ts'
import { ThreadStoreError, type ThreadStoreFailure } from '../thread-store/index.ts'
import { invalid, RpcError } from './protocol/jsonrpc.ts'

/** Any failure as a client gets it. Where the text is part of the wire, handlers throw it. */
export function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error
  if (error instanceof SuppressedError) return toRpcError(error.suppressed)
  if (error instanceof ThreadStoreError) return fromStore(error.failure, error)
  if (error instanceof SessionError) return fromSession(error)
  if (error instanceof ConfigError) return invalid(`failed to load configuration: ${error.message}`)
  if (error instanceof ReviewError || error instanceof DynamicToolError)
    return invalid(error.message)
  return new RpcError('internal', errorText(error), undefined, error)
}

function fromStore(failure: ThreadStoreFailure, error: ThreadStoreError): RpcError {
  switch (failure.code) {
    case 'thread_not_found':
      return invalid(`no rollout found for thread id ${failure.threadId}`)
    case 'conflict':
    case 'invalid_request':
      return invalid(error.message)
    case 'unsupported':
      return new RpcError('methodNotFound', error.message)
    case 'damaged':
    case 'home_unreadable':
    case 'internal':
    case 'disposed':
      return new RpcError('internal', error.message, undefined, error)
    default:
      return unreachable(failure)
  }
}

function fromSession(error: SessionError): RpcError {
  return error.code === 'not_kept' || error.code === 'not_started'
    ? new RpcError('internal', error.message, undefined, error)
    : invalid(error.message)
}
