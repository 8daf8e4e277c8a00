/** A home with threads of before, which a server finds when it starts. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isObject, objectAt } from '../src/base/index.ts'
import type { Workplace } from '../test/support/bobbin.ts'
import type { RpcPeer } from '../test/support/server-process.ts'
import { header, named, textOf, threadIdOf, turn } from '../test/support/thread-log.ts'
import type { Checks } from './suite.ts'
import { turnsOf } from './told.ts'

const STAMP = '2026-11-20T10-00-00'

export interface PlacedThread {
  readonly id: string
  readonly path: string
  readonly name: string
  readonly isArchived: boolean
}

/** Threads with a name and two turns each, every third of them in the archive. */
export async function placeThreads(place: Workplace, count: number): Promise<PlacedThread[]> {
  const threads = Array.from({ length: count }, (_, n): PlacedThread => {
    const id = threadIdOf(n + 1)
    const isArchived = n % 3 === 2
    const folder = isArchived ? 'archived_sessions' : 'sessions/2026/11/20'
    const path = join(place.home, folder, `rollout-${STAMP}-${id}.jsonl`)
    return { id, path, name: `name ${n + 1}`, isArchived }
  })
  for (const { id, path, name } of threads) {
    await mkdir(dirname(path), { recursive: true })
    const items = [header(id, { cwd: place.project }), ...turn(1), ...turn(2), named(id, name)]
    await writeFile(path, textOf(items))
  }
  return threads
}

/** A server knows all of them: in its lists, by name, with their turns. */
export async function assertServed(
  peer: RpcPeer,
  threads: readonly PlacedThread[],
  checks: Checks,
): Promise<void> {
  for (const archived of [false, true]) {
    const { data } = await peer.request('thread/list', { archived, limit: 1000 })
    const listed = (Array.isArray(data) ? data : []).filter(isObject)
    const names = new Map(listed.map(({ id, name }) => [id, name]))
    for (const { id, name, isArchived } of threads) {
      checks.add()
      assert.equal(names.has(id), isArchived === archived, `${id} in the list`)
      if (isArchived === archived) assert.equal(names.get(id), name, `the name of ${id}`)
    }
  }
  for (const { id: threadId } of threads) {
    checks.add()
    const read = await peer.request('thread/read', { threadId, includeTurns: true })
    const ids = turnsOf(objectAt(read, 'thread')).map(({ id }) => id)
    assert.deepEqual(ids.slice(0, 2), ['t1', 't2'], `the turns of ${threadId}`)
  }
}
