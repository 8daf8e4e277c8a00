import { isObject, type Json, type JsonObject } from '../base/index.ts'
import type { Connection } from './connection.ts'
import { RpcError } from './protocol/jsonrpc.ts'

/** How another Bobbin process of the same home names itself when it connects. */
export const PEER_CLIENT = 'bobbin_peer'

/** Of the error for a thread that is not loaded where its request was passed on to. */
const NOT_LOADED = 'threadNotLoadedInPeer'

/** Whether the client is another process that passes on what its own clients ask. */
export function isPeer({ client }: Connection): boolean {
  return client?.name === PEER_CLIENT
}

/** For a request of a peer that is not served here: it is never passed on once more. */
export function notLoadedHere(threadId: string): RpcError {
  const message = `thread ${threadId} is not loaded in process ${process.pid}`
  return new RpcError('invalidRequest', message, { bobbin: NOT_LOADED })
}

export function isNotLoadedThere(error: JsonObject | undefined): boolean {
  const data: Json | undefined = error?.data
  return isObject(data) && data.bobbin === NOT_LOADED
}
