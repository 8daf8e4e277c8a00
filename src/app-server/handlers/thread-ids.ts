import type { ThreadHandle } from '../../core/index.ts'
import { parseThreadId, type ThreadId } from '../../protocol/index.ts'
import { invalid, type RpcError } from '../protocol/jsonrpc.ts'
import type { ServerContext } from '../server-context.ts'

/** Requests of one thread are served in order. */
export const byThread = ({ threadId }: { readonly threadId: string }): string => threadId

/** Throws in the words of 0.133.0's UUID parser. */
export function threadIdOf(text: string): ThreadId {
  const id = parseThreadId(text)
  if (id) return id
  throw invalid(`invalid thread id: ${uuidFault(text)}`)
}

export function notFound(threadId: string): RpcError {
  return invalid(`thread not found: ${threadId}`)
}

/** Throws `thread not found`, in the words that 0.133.0 has for a thread that is not loaded. */
export function loadedThread({ manager }: ServerContext, text: string): ThreadHandle {
  const threadId = threadIdOf(text)
  const handle = manager.get(threadId)
  if (handle) return handle
  throw notFound(threadId)
}

function uuidFault(text: string): string {
  const at = [...text].findIndex((char) => !/[0-9a-f-]/i.test(char))
  if (at !== -1) {
    const expected = 'expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-]'
    return `invalid character: ${expected}, found \`${[...text][at]}\` at ${at + 1}`
  }
  return `invalid length: expected length 32 for simple format, found ${text.length}`
}
