import * as z from 'zod/mini'
import type { JsonObject } from '../../base/index.ts'
import type { ThreadHandle } from '../../core/index.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { method } from '../protocol/method.ts'
import { optional } from '../protocol/schema.ts'
import { type RequestContext, type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { changeable, listed, noRollout, updateMetadata } from './stored-thread.ts'
import { byThread, loadedThread, threadIdOf } from './thread-ids.ts'

/** Absent is left as it is, null cleared. */
const fact = z.nullish(z.string())

const metadataUpdate = method(
  'thread/metadata/update',
  () =>
    z.object({
      threadId: z.string(),
      gitInfo: optional(z.object({ sha: fact, branch: fact, originUrl: fact })),
    }),
  { queueKey: byThread },
)

const nameSet = method(
  'thread/name/set',
  () => z.object({ threadId: z.string(), name: z.string() }),
  {
    queueKey: byThread,
  },
)

const memoryModeSet = method(
  'thread/memoryMode/set',
  () => z.object({ threadId: z.string(), mode: z.enum(['enabled', 'disabled']) }),
  { queueKey: byThread, experimental: true },
)

const oneThread = z.object({ threadId: z.string() })
const elicitation = { queueKey: byThread, experimental: true } as const
const increment = method('thread/increment_elicitation', () => oneThread, elicitation)
const decrement = method('thread/decrement_elicitation', () => oneThread, elicitation)

/** What people change about a thread. Source: `reference/app-server.md` 6.6. */
export function threadMetadataRoutes(context: ServerContext): Route[] {
  /** Dialogs that clients show, by thread. They are only counted: nothing here waits for them. */
  const dialogs = new WeakMap<ThreadHandle, number>()
  const counted = (threadId: string, step: 1 | -1): JsonObject => {
    const handle = loadedThread(context, threadId)
    const count = (dialogs.get(handle) ?? 0) + step
    if (count < 0) throw invalid('out-of-band elicitation count is already zero')
    dialogs.set(handle, count)
    return { count, paused: count > 0 }
  }
  return [
    route(metadataUpdate, (params) => updateGit(context, params)),
    route(nameSet, (params, request) => setName(context, params, request)),
    route(memoryModeSet, (params) => setMemoryMode(context, params)),
    route(increment, async ({ threadId }) => counted(threadId, 1)),
    route(decrement, async ({ threadId }) => counted(threadId, -1)),
  ]
}

type GitPatch = NonNullable<z.output<typeof metadataUpdate.params>['gitInfo']>

async function updateGit(
  context: ServerContext,
  params: z.output<typeof metadataUpdate.params>,
): Promise<JsonObject> {
  const threadId = threadIdOf(params.threadId)
  const git = trimmed(params.gitInfo ?? {})
  if (Object.keys(git).length === 0) throw invalid('gitInfo must include at least one field')
  await changeable(context, threadId)
  return { thread: listed(context, await updateMetadata(context, threadId, { git })) }
}

function trimmed(given: Partial<GitPatch>): { [field in keyof GitPatch]?: string | null } {
  const fields = Object.entries(given).filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    fields.map(([field, value]) => {
      const text = value?.trim()
      if (text === '') throw invalid(`gitInfo.${field} must not be empty`)
      return [field, text ?? null]
    }),
  )
}

async function setName(
  context: ServerContext,
  params: z.output<typeof nameSet.params>,
  { after }: RequestContext,
): Promise<JsonObject> {
  const threadId = threadIdOf(params.threadId)
  const threadName = params.name.trim()
  if (threadName === '') throw invalid('thread name must not be empty')
  const stored = await changeable(context, threadId)
  if (stored?.isArchived) throw noRollout(threadId)
  await updateMetadata(context, threadId, { name: threadName })
  after(() => context.broadcast('thread/name/updated', { threadId, threadName }))
  return {}
}

async function setMemoryMode(
  context: ServerContext,
  { threadId: text, mode }: z.output<typeof memoryModeSet.params>,
): Promise<JsonObject> {
  const threadId = threadIdOf(text)
  const stored = await changeable(context, threadId)
  if (stored?.isArchived) throw noRollout(threadId)
  await updateMetadata(context, threadId, { memoryMode: mode })
  return {}
}
