/**
 * A process with a store on a shared home: does what each JSON line of stdin says and answers with
 * one JSON line once the call has returned. Arguments: home, client.
 */
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { errorText, nodeFileSystem, systemClock } from '../../src/base/index.ts'
import { parseThreadId, type ThreadId } from '../../src/protocol/index.ts'
import { LocalThreadStore, rollBackThread, ThreadStoreError } from '../../src/thread-store/index.ts'
import { ALL } from '../support/codex-home.ts'
import { header, threadIdOf, turn } from '../support/thread-log.ts'
import type { Order } from './store-process.ts'

const [home = '', client = ''] = process.argv.slice(2)
const store = new LocalThreadStore({
  home,
  client,
  files: nodeFileSystem,
  clock: systemClock,
  durability: 'turn',
})

function meta(id: ThreadId) {
  const made = header(id)
  if (made.type !== 'session_meta') throw new Error('no header')
  return made.payload
}

async function obey({ op, id, tag, to }: Order): Promise<object> {
  const threadId = parseThreadId(id) ?? threadIdOf(0)
  switch (op) {
    case 'resume':
      await store.resumeThread(threadId)
      return { atMs: nowMs() }
    case 'append':
      await store.appendItems(threadId, turn(tag))
      return {}
    case 'append three': {
      const each = (n: number) => store.appendItems(threadId, turn(`${tag}_${n}`))
      await Promise.all([1, 2, 3].map(each))
      return {}
    }
    case 'flush':
      await store.flushThread(threadId)
      return {}
    case 'close': {
      const atMs = nowMs()
      await store.closeThread(threadId)
      return { atMs }
    }
    case 'discard': {
      const atMs = nowMs()
      await store.discardThread(threadId)
      return { atMs }
    }
    case 'create':
      await store.createThread({
        threadId,
        createdAtMs: systemClock.nowMs(),
        header: async () => meta(threadId),
      })
      await store.appendItems(threadId, turn(tag))
      return {}
    case 'name':
      await store.updateThreadMetadata(threadId, { name: tag })
      return {}
    case 'git':
      await store.updateThreadMetadata(threadId, { git: { branch: tag } })
      return {}
    case 'archive':
      await store.archiveThread(threadId)
      return {}
    case 'unarchive':
      await store.unarchiveThread(threadId)
      return {}
    case 'fork': {
      const origin = { originator: 'w', cli_version: '0', source: 'exec' } as const
      const copy = { sourceId: threadId, threadId: parseThreadId(to) ?? threadId, origin }
      await store.forkThread({ ...copy, createdAtMs: systemClock.nowMs() })
      return {}
    }
    case 'roll back':
      await rollBackThread(store, threadId, 1)
      return {}
    case 'delete':
      await store.deleteThread(threadId)
      return {}
    case 'list': {
      const { threads, unreadable } = await store.listThreads(ALL)
      return { ids: threads.map((thread) => thread.threadId), unreadable }
    }
    case 'turns': {
      const params = { threadId, limit: 5, direction: 'desc' } as const
      return { ids: (await store.listTurns(params)).turns.map((each) => each.id) }
    }
    case 'search': {
      const query = { query: tag, limit: 5, includeSubagents: true }
      return { unreadable: (await store.searchThreads(query)).unreadable }
    }
    case 'history':
      return { damage: (await store.loadHistory(threadId)).damage }
    case 'end':
      await store[Symbol.asyncDispose]()
      return {}
  }
}

function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await obey(JSON.parse(line)).catch((error: unknown) => {
    if (!(error instanceof ThreadStoreError)) return { code: 'crash', message: errorText(error) }
    const { message, failure } = error
    return { message, ...failure }
  })
  writeSync(1, `${JSON.stringify(answer)}\n`)
}
