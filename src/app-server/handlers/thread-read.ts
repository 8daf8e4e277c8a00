import * as z from 'zod/mini'
import type { JsonObject } from '../../base/index.ts'
import { wireThread } from '../projection/thread.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { method } from '../protocol/method.ts'
import { optional } from '../protocol/schema.ts'
import { type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { statusOf } from './stored-thread.ts'
import { byThread, threadIdOf } from './thread-ids.ts'
import { allTurns, readStored, viewOf } from './thread-view.ts'

const read = method(
  'thread/read',
  () => z.object({ threadId: z.string(), includeTurns: optional(z.boolean()) }),
  { queueKey: byThread },
)

/** A thread by its id, loaded, stored or archived. Source: `reference/app-server.md` 6.5. */
export function threadReadRoutes(context: ServerContext): Route[] {
  return [route(read, (params) => readThread(context, params))]
}

async function readThread(
  context: ServerContext,
  { threadId: text, includeTurns = false }: z.output<typeof read.params>,
): Promise<JsonObject> {
  const threadId = threadIdOf(text)
  const handle = context.manager.get(threadId)
  if (handle?.isEphemeral && includeTurns) {
    throw invalid('ephemeral threads do not support includeTurns')
  }
  const stored = handle?.isEphemeral ? undefined : await readStored(context, threadId)
  if (stored) {
    const turns = includeTurns ? await allTurns(context, threadId) : []
    return { thread: wireThread(stored, { status: statusOf(context, threadId), turns }) }
  }
  if (!handle) throw invalid(`thread not loaded: ${threadId}`)
  if (includeTurns) {
    const reason = 'includeTurns is unavailable before first user message'
    throw invalid(`thread ${threadId} is not materialized yet; ${reason}`)
  }
  return { thread: await viewOf(context, handle, { includeTurns: false }) }
}
