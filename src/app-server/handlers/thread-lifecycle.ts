import { resolve } from 'node:path'
import * as z from 'zod/mini'
import type { JsonObject } from '../../base/index.ts'
import {
  parseDynamicTools,
  projectDocPaths,
  SessionError,
  type ThreadHandle,
} from '../../core/index.ts'
import type { ResponseItem, ThreadId } from '../../protocol/index.ts'
import type { Connection } from '../connection.ts'
import { effectiveSettings } from '../projection/settings.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { method, whenGiven, whenTrue } from '../protocol/method.ts'
import { count, json, optional } from '../protocol/schema.ts'
import { type RequestContext, type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { tokenUsageReplay } from './replay.ts'
import { goalNews } from './thread-goals.ts'
import { byThread, loadedThread, threadIdOf } from './thread-ids.ts'
import { settingOverrides, settingsFor } from './thread-settings.ts'
import { allTurns, readStored, viewOf } from './thread-view.ts'

const start = method(
  'thread/start',
  () =>
    z.object({
      ...settingOverrides,
      ephemeral: optional(z.boolean()),
      serviceName: optional(z.string()),
      sessionStartSource: optional(z.enum(['startup', 'clear'])),
      threadSource: optional(z.enum(['user', 'subagent', 'memory_consolidation'])),
      environments: optional(z.array(json)),
      dynamicTools: optional(z.array(json)),
      experimentalRawEvents: optional(z.boolean()),
      persistExtendedHistory: optional(z.boolean()),
    }),
  {
    experimental: {
      runtimeWorkspaceRoots: whenGiven,
      permissions: whenGiven,
      environments: whenGiven,
      dynamicTools: whenGiven,
      experimentalRawEvents: whenTrue,
      mockExperimentalField: whenGiven,
    },
  },
)

const resume = method(
  'thread/resume',
  () =>
    z.object({
      ...settingOverrides,
      threadId: z.string(),
      history: optional(z.array(json)),
      path: optional(z.string()),
      excludeTurns: optional(z.boolean()),
      persistExtendedHistory: optional(z.boolean()),
      /** Bobbin's own: what was told behind it is told again, instead of the turns. */
      afterEventCursor: optional(z.string()),
    }),
  {
    queueKey: ({ threadId, path }) => threadId || path,
    experimental: {
      history: whenGiven,
      path: whenGiven,
      runtimeWorkspaceRoots: whenGiven,
      permissions: whenGiven,
      excludeTurns: whenTrue,
      persistExtendedHistory: whenTrue,
    },
  },
)

const fork = method(
  'thread/fork',
  () =>
    z.object({
      ...settingOverrides,
      threadId: z.string(),
      path: optional(z.string()),
      ephemeral: optional(z.boolean()),
      threadSource: optional(z.string()),
      excludeTurns: optional(z.boolean()),
      persistExtendedHistory: optional(z.boolean()),
      /** Not in 0.133.0: newer clients fork at a turn. */
      lastTurnId: optional(z.string()),
    }),
  {
    queueKey: ({ threadId, path }) => threadId || path,
    experimental: {
      path: whenGiven,
      runtimeWorkspaceRoots: whenGiven,
      permissions: whenGiven,
      excludeTurns: whenTrue,
      persistExtendedHistory: whenTrue,
    },
  },
)

const unsubscribe = method('thread/unsubscribe', () => z.object({ threadId: z.string() }), {
  queueKey: byThread,
})

const rollback = method(
  'thread/rollback',
  () => z.object({ threadId: z.string(), numTurns: count }),
  {
    queueKey: byThread,
  },
)

/** Start, resume, fork, roll back, leave. Source: `reference/app-server.md` 4, 6.1–6.4, 12. */
export function threadLifecycleRoutes(context: ServerContext): Route[] {
  return [
    route(start, (params, request) => startThread(context, params, request)),
    route(resume, (params, request) => resumeThread(context, params, request)),
    route(fork, (params, request) => forkThread(context, params, request)),
    route(unsubscribe, (params, { connection }) => leaveThread(context, params, connection)),
    route(rollback, (params) => rollBack(context, params)),
  ]
}

async function startThread(
  context: ServerContext,
  params: z.output<typeof start.params>,
  { connection, after }: RequestContext,
): Promise<JsonObject> {
  const { settings, config } = settingsFor(context, params)
  const { ephemeral, baseInstructions, threadSource } = params
  const dynamicTools = parseDynamicTools(params.dynamicTools ?? [])
  const handle = await context.manager.start({
    settings,
    mcpServers: config.mcpServers,
    dynamicTools,
    ...(ephemeral ? { isEphemeral: true } : {}),
    ...(baseInstructions === undefined ? {} : { instructions: baseInstructions }),
    ...(threadSource === undefined ? {} : { threadSource }),
  })
  const feed = context.feedOf(handle)
  const held = feed.hold()
  feed.subscribe(connection)
  try {
    // The answer is a promise: who has it can resume the thread, whatever becomes of the process.
    await handle.keepStart()
    const thread = await viewOf(context, handle, { includeTurns: false })
    after(() => {
      context.broadcast('thread/started', { thread })
      held[Symbol.dispose]()
    })
    return { thread, ...(await inForce(context, handle)) }
  } catch (error) {
    held[Symbol.dispose]()
    throw error
  }
}

async function resumeThread(
  context: ServerContext,
  params: z.output<typeof resume.params>,
  request: RequestContext,
): Promise<JsonObject> {
  const path = params.path ? resolve(context.cwd, params.path) : undefined
  const loaded = await loadedFor(context, params.threadId, path)
  if (loaded) {
    if (params.history) {
      const reason = 'with history while it is already running'
      throw invalid(`cannot resume thread ${loaded.threadId} ${reason}`)
    }
    return await joined(context, loaded, params, request)
  }
  if (params.afterEventCursor !== undefined) {
    const { afterEventCursor: cursor } = params
    throw invalid(`events after cursor ${cursor} are gone; resume without a cursor`)
  }
  const handle = params.history
    ? await startFromHistory(context, params)
    : await load(context, params, path)
  return await resumed(context, handle, params, request)
}

/** A client that comes to a thread that is loaded already: everything stays as it is. */
async function joined(
  context: ServerContext,
  handle: ThreadHandle,
  { excludeTurns, afterEventCursor }: z.output<typeof resume.params>,
  { connection, after }: RequestContext,
): Promise<JsonObject> {
  const feed = context.feedOf(handle)
  const isBack = afterEventCursor !== undefined
  // What happens while the answer is made is told behind it, also to whoever joins.
  const held = feed.hold()
  try {
    await handle.flush()
    const replay = isBack ? feed.replay(connection, afterEventCursor) : undefined
    const includeTurns = !excludeTurns && !isBack
    const thread = await viewOf(context, handle, { includeTurns })
    const tellGoal = await goalNews(context, handle)
    feed.subscribe(connection)
    after(() => {
      replay?.()
      if (!isBack) tokenUsageReplay(handle, thread, connection)
      tellGoal()
      held[Symbol.dispose]()
      feed.askAgain(connection)
    })
    return { thread, ...(await inForce(context, handle)) }
  } catch (error) {
    held[Symbol.dispose]()
    throw error
  }
}

/** The status comes first, and what the resume itself has to warn of before that. */
async function resumed(
  context: ServerContext,
  handle: ThreadHandle,
  params: z.output<typeof resume.params>,
  { connection, after }: RequestContext,
): Promise<JsonObject> {
  const feed = context.feedOf(handle)
  feed.subscribe(connection)
  const { threadId } = handle
  context.broadcast('thread/status/changed', { threadId, status: feed.status })
  const held = feed.hold()
  try {
    const includeTurns = !params.excludeTurns && !params.history
    const thread = await viewOf(context, handle, { includeTurns })
    const tellGoal = await goalNews(context, handle)
    after(() => {
      if (includeTurns) tokenUsageReplay(handle, thread, connection)
      tellGoal()
      held[Symbol.dispose]()
    })
    return { thread, ...(await inForce(context, handle)) }
  } catch (error) {
    held[Symbol.dispose]()
    throw error
  }
}

async function loadedFor(
  { manager, store }: ServerContext,
  threadId: string,
  path: string | undefined,
): Promise<ThreadHandle | undefined> {
  if (path === undefined) return manager.get(threadIdOf(threadId))
  const stored = await store.readThread({ rolloutPath: path })
  const handle = manager.get(stored.threadId)
  if (!handle || handle.rolloutPath === path) return handle
  const paths = `requested \`${path}\`, active \`${handle.rolloutPath}\``
  throw invalid(`cannot resume running thread ${stored.threadId} with stale path: ${paths}`)
}

async function load(
  context: ServerContext,
  params: z.output<typeof resume.params>,
  path: string | undefined,
): Promise<ThreadHandle> {
  const ref = path === undefined ? threadIdOf(params.threadId) : { rolloutPath: path }
  const stored = await context.store.readThread(ref)
  const { settings, config } = settingsFor(context, params, stored.cwd)
  // Naming one of them drops all that is stored of the model.
  const isOverridden =
    params.model !== undefined ||
    params.modelProvider !== undefined ||
    params.config?.model_reasoning_effort !== undefined ||
    params.config?.model !== undefined
  const { model, effort } = settings
  const given = { model, ...(effort === undefined ? {} : { effort }) }
  return await context.manager.resume({
    threadId: ref,
    defaults: settings,
    mcpServers: config.mcpServers,
    overrides: {
      ...(isOverridden ? given : {}),
      ...(params.modelProvider === undefined && !config.isModelProviderOverridden
        ? {}
        : { modelProvider: settings.modelProvider }),
    },
  })
}

async function startFromHistory(
  context: ServerContext,
  params: z.output<typeof resume.params>,
): Promise<ThreadHandle> {
  const { settings, config } = settingsFor(context, params)
  const handle = await context.manager.start({ settings, mcpServers: config.mcpServers })
  const items = params.history as unknown as ResponseItem[]
  if (items.length > 0) await handle.injectItems(items)
  return handle
}

async function forkThread(
  context: ServerContext,
  params: z.output<typeof fork.params>,
  { connection, after }: RequestContext,
): Promise<JsonObject> {
  const sourceId = await sourceOf(context, params)
  const source = await context.store.readThread(sourceId)
  const { settings, config } = settingsFor(context, params, source.cwd)
  const handle = await context.manager.fork({
    sourceId,
    settings,
    mcpServers: config.mcpServers,
    ...(params.ephemeral ? { isEphemeral: true } : {}),
    ...(params.lastTurnId === undefined ? {} : { throughTurnId: params.lastTurnId }),
  })
  const feed = context.feedOf(handle)
  const held = feed.hold()
  feed.subscribe(connection)
  try {
    const thread = await viewOf(context, handle, { includeTurns: !params.excludeTurns })
    const shown = { ...thread, forkedFromId: sourceId }
    after(() => {
      if (!params.excludeTurns) tokenUsageReplay(handle, shown, connection)
      context.broadcast('thread/started', { thread: { ...shown, turns: [] } })
      held[Symbol.dispose]()
    })
    return { thread: shown, ...(await inForce(context, handle)) }
  } catch (error) {
    held[Symbol.dispose]()
    throw error
  }
}

async function inForce({ home }: ServerContext, { settings }: ThreadHandle): Promise<JsonObject> {
  return effectiveSettings(settings, await projectDocPaths(home, settings.cwd))
}

async function sourceOf(
  { cwd, manager, store }: ServerContext,
  { threadId, path }: z.output<typeof fork.params>,
): Promise<ThreadId> {
  if (path) return (await store.readThread({ rolloutPath: resolve(cwd, path) })).threadId
  const id = threadIdOf(threadId)
  if (manager.get(id)?.isEphemeral) throw invalid(`no rollout found for thread id ${id}`)
  return id
}

async function leaveThread(
  { feed, manager }: ServerContext,
  { threadId }: z.output<typeof unsubscribe.params>,
  connection: Connection,
): Promise<JsonObject> {
  const id = threadIdOf(threadId)
  if (!manager.get(id)) return { status: 'notLoaded' }
  const wasSubscribed = feed(id)?.unsubscribe(connection) ?? false
  return { status: wasSubscribed ? 'unsubscribed' : 'notSubscribed' }
}

async function rollBack(
  context: ServerContext,
  { threadId, numTurns }: z.output<typeof rollback.params>,
): Promise<JsonObject> {
  const handle = loadedThread(context, threadId)
  if (numTurns < 1) throw invalid('numTurns must be >= 1')
  if (handle.isEphemeral) throw invalid('thread rollback requires persisted thread history')
  if (handle.activeTurn) throw invalid('Cannot rollback while a turn is in progress.')
  const stored = await readStored(context, handle.threadId)
  const kept = stored ? await allTurns(context, handle.threadId) : []
  // More than there are means all of them.
  const turnCount = Math.min(numTurns, kept.length)
  try {
    if (turnCount > 0) await handle.rollBack(turnCount)
  } catch (error) {
    if (error instanceof SessionError && error.code === 'turn_running') {
      throw invalid('Cannot rollback while a turn is in progress.')
    }
    throw error
  }
  return { thread: await viewOf(context, handle, { includeTurns: true }) }
}
