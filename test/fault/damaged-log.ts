/** A log of two turns, ways to damage it, and everything that reads it. */
import assert from 'node:assert/strict'
import { foldTurns, replayModelHistory } from '../../src/history/index.ts'
import type { RolloutItem } from '../../src/protocol/index.ts'
import type { LocalThreadStore } from '../../src/thread-store/index.ts'
import { ALL, idsOf } from '../support/codex-home.ts'
import { AT, assistantText, header, item, textOf, threadIdOf, turn } from '../support/thread-log.ts'

export const ID = threadIdOf(1)
export const GOOD = [header(ID), ...turn(1), ...turn(2)]
export const LAST = item(assistantText('the end: ü € 😀'))

/** Everything that reads a thread, on a log with these items and these bad lines, from 1. */
export async function assertRead(
  store: LocalThreadStore,
  items: readonly RolloutItem[],
  badLines: readonly number[],
): Promise<void> {
  const { threads, unreadable } = await store.listThreads(ALL)
  assert.deepEqual([idsOf(threads), unreadable], [[ID], []])
  const { items: read, damage } = await store.loadHistory(ID)
  assert.deepEqual(read, items)
  const placed = damage.map(({ place }) => Number(/:(\d+)$/.exec(place)?.[1]))
  assert.deepEqual(placed, badLines)
  const page = await store.listTurns({ threadId: ID, limit: 100, direction: 'desc' })
  assert.deepEqual(page.turns.toReversed(), foldTurns(items))
  const context = await store.loadModelContext(ID)
  assert.deepEqual(replayModelHistory(context.items), replayModelHistory(items))
}

export async function assertSearched(store: LocalThreadStore): Promise<void> {
  for (const [query, turnId] of [
    ['u1', 't1'],
    ['a2', 't2'],
  ] as const) {
    const { hits, unreadable } = await store.searchThreads({
      query,
      limit: 9,
      includeSubagents: true,
    })
    assert.deepEqual([hits.map((hit) => hit.turnId), unreadable], [[turnId], []])
  }
}

/** Goes on with the thread; answers what its writer was told. */
export async function goOn(store: LocalThreadStore): Promise<string[]> {
  const notices: string[] = []
  await store.resumeThread(ID, { onNotice: (message) => notices.push(message) })
  await store.appendItems(ID, turn(3))
  await store.closeThread(ID)
  return notices
}

function nested(levels: number): string {
  const deep = '['.repeat(levels) + ']'.repeat(levels)
  const payload = `{"type":"x","y":${deep}}`
  return `{"timestamp":"${AT}","type":"event_msg","payload":${payload}}`
}

const lineOf = (each: RolloutItem) => textOf([each]).trimEnd()
export const BIG = 50 * 1024 * 1024

export const RUBBISH: { readonly [what: string]: () => Buffer } = {
  'plain rubbish': () => Buffer.from('rubbish'),
  'a run of NULs': () => Buffer.alloc(5000),
  'bytes that are no UTF-8': () => Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0x80]),
  'half a character': () => Buffer.from(lineOf(LAST)).subarray(0, -8),
  'half a line': () => Buffer.from(lineOf(LAST).slice(0, 60)),
  'two lines without newline': () => Buffer.from(lineOf(LAST) + lineOf(LAST)),
  'a line that is too deep': () => Buffer.from(nested(100_000)),
  'brackets that never close': () => Buffer.from('['.repeat(100_000)),
  '50 MB of nothing': () => Buffer.alloc(BIG, 'x'),
  'a list': () => Buffer.from('[1,2]'),
  null: () => Buffer.from('null'),
  'an object of nobody': () => Buffer.from('{"a":1}'),
  'an item of the wrong kind': () =>
    Buffer.from(lineOf(LAST).replace('"content":[', '"content":7,"x":[')),
}
