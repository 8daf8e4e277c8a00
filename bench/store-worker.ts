/**
 * Bobbin's store in a process of its own: calls of one store on one home, by name, answered with
 * the milliseconds they took and the count of what they found. Argument: home.
 */
import { type JsonObject, numberAt, stringAt } from '../src/base/index.ts'
import { foldTurns, type ThreadMetadataPatch } from '../src/history/index.ts'
import { newThreadId, parseThreadId, type ThreadId } from '../src/protocol/index.ts'
import {
  type ForkThread,
  type ListThreads,
  rollBackThread,
  type ThreadStore,
} from '../src/thread-store/index.ts'
import { openStoreUnderTest } from './store-under-test.ts'
import { answerQuestions, timed } from './worker.ts'

type StoreCall = (store: ThreadStore, params: JsonObject) => Promise<{ ms: number; count: number }>

const CALLS: { readonly [name: string]: StoreCall } = {
  /** Answered once the process runs. */
  ready: async () => ({ ms: 0, count: 0 }),
  listAll: (store, params) => counted(() => listAll(store, listParams(params))),
  listPage: (store, params) =>
    counted(async () => (await store.listThreads(listParams(params))).threads.length),
  search: (store, params) => counted(() => search(store, stringAt(params, 'query') ?? '')),
  metadata: (store, params) =>
    counted(async () => Number((await store.readThread(idOf(params))).sizeBytes > 0)),
  lastTurns: (store, params) => counted(() => listLastTurns(store, idOf(params))),
  modelContext: (store, params) =>
    counted(async () => (await store.loadModelContext(idOf(params))).items.length),
  fullRead: (store, params) =>
    counted(async () => foldTurns((await store.loadHistory(idOf(params))).items).length),
  fork: forkOnce,
  name: (store, params) => update(store, params, { name: stringAt(params, 'text') ?? '' }),
  branch: (store, params) => {
    return update(store, params, { git: { branch: stringAt(params, 'text') ?? '' } })
  },
  archive: archiveOnce,
  rollBack: (store, params) =>
    counted(async () => {
      await rollBackThread(store, idOf(params), 1)
      return 1
    }),
}

async function counted(work: () => Promise<number>): Promise<{ ms: number; count: number }> {
  const { ms, value } = await timed(work)
  return { ms, count: value }
}

function listParams(params: JsonObject): ListThreads {
  const text = stringAt(params, 'text')
  return {
    limit: numberAt(params, 'limit') ?? 25,
    sortKey: params.sortKey === 'updated' ? 'updated' : 'created',
    isArchived: false,
    includeSubagents: false,
    ...(text === undefined ? {} : { text }),
  }
}

async function listAll(store: ThreadStore, params: ListThreads): Promise<number> {
  const seen = new Set<ThreadId>()
  let cursor: string | null = null
  do {
    const page = await store.listThreads(cursor === null ? params : { ...params, cursor })
    for (const thread of page.threads) seen.add(thread.threadId)
    cursor = page.nextCursor
  } while (cursor !== null)
  return seen.size
}

async function search(store: ThreadStore, query: string): Promise<number> {
  const page = await store.searchThreads({ query, limit: 25, includeSubagents: false })
  return page.hits.length
}

async function listLastTurns(store: ThreadStore, threadId: ThreadId): Promise<number> {
  const page = await store.listTurns({ threadId, limit: 20, direction: 'desc' })
  return page.turns.length
}

function update(store: ThreadStore, params: JsonObject, patch: ThreadMetadataPatch) {
  return counted(async () => {
    await store.updateThreadMetadata(idOf(params), patch)
    return 1
  })
}

/** It comes back once the time is taken. */
async function archiveOnce(
  store: ThreadStore,
  params: JsonObject,
): Promise<{ ms: number; count: number }> {
  const threadId = idOf(params)
  const { ms } = await timed(() => store.archiveThread(threadId))
  await store.unarchiveThread(threadId)
  return { ms, count: 1 }
}

/** The copy goes again once the time is taken. */
async function forkOnce(
  store: ThreadStore,
  params: JsonObject,
): Promise<{ ms: number; count: number }> {
  const throughTurnId = stringAt(params, 'throughTurnId')
  const threadId = newThreadId()
  const fork: ForkThread = {
    sourceId: idOf(params),
    threadId,
    createdAtMs: Date.now(),
    origin: { originator: 'bobbin_bench', cli_version: '0.0.0', source: 'cli' },
    ...(throughTurnId === undefined ? {} : { throughTurnId }),
  }
  const { ms, value } = await timed(() => store.forkThread(fork))
  await store.deleteThread(threadId)
  return { ms, count: value.sizeBytes }
}

function idOf(params: JsonObject): ThreadId {
  const threadId = parseThreadId(stringAt(params, 'threadId') ?? '')
  if (!threadId) throw new Error('no thread id')
  return threadId
}

await using store = openStoreUnderTest(process.argv[2] ?? '')
await answerQuestions(async (question) => {
  const call = CALLS[stringAt(question, 'call') ?? '']
  if (!call) throw new Error(`no such call: ${question.call}`)
  return call(store, question)
})
