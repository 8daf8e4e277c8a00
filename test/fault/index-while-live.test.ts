/**
 * The index of a home is deleted, overwritten, cut, locked or replaced while a store lives, between
 * its calls and at any file call within them: every answer is that of a home without an index, and
 * nothing that appends ever asks it.
 */
import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { assistantMessage } from '../../src/core/index.ts'
import type { RolloutItem } from '../../src/protocol/index.ts'
import { INDEX_FILE, LiveThread, type LocalThreadStore } from '../../src/thread-store/index.ts'
import { ALL, CodexHome } from '../support/codex-home.ts'
import { FaultyFileSystem } from '../support/faulty-file-system.ts'
import { runTurn, SessionKit } from '../support/session-kit.ts'
import { header, textOf, threadIdOf, turn } from '../support/thread-log.ts'
import { INDEX_FAULTS } from './index-faults.ts'

const BIG = threadIdOf(1)
const SMALL = threadIdOf(2)

/** Long enough to be indexed. */
function bigLog(): RolloutItem[] {
  return [header(BIG), ...Array.from({ length: 270 }, (_, n) => turn(`${n}`)).flat()]
}

async function openHome(): Promise<CodexHome> {
  const home = await CodexHome.create()
  await home.place({ n: 1, text: textOf(bigLog()) })
  await home.place({ n: 2 })
  await home.place({ n: 3, isArchived: true })
  return home
}

type Ask = (store: LocalThreadStore) => Promise<unknown>

const page = { limit: 3, direction: 'desc' } as const
const search = { query: 'u269', limit: 5, includeSubagents: true }

/** What can be asked of any home; of search only where it can be had. */
const QUESTIONS: { readonly [name: string]: Ask } = {
  list: (store) => store.listThreads(ALL),
  'list by change': (store) => store.listThreads({ ...ALL, sortKey: 'updated' }),
  'list by text': (store) => store.listThreads({ ...ALL, text: 'hello' }),
  archived: (store) => store.listThreads({ ...ALL, isArchived: true }),
  read: (store) => store.readThread(BIG),
  turns: (store) => store.listTurns({ threadId: BIG, ...page }),
  items: (store) => store.listItems({ threadId: BIG, ...page }),
  context: (store) => store.loadModelContext(BIG),
  history: (store) => store.loadHistory(SMALL),
}

/** Answers without what differs from home to home, and from run to run. */
async function answersOf(home: CodexHome, store: LocalThreadStore): Promise<Map<string, string>> {
  const answers = new Map<string, string>()
  for (const [name, ask] of Object.entries(QUESTIONS)) {
    const text = JSON.stringify(await ask(store), (key, value) =>
      key === 'updatedAtMs' || key === 'nextCursor' ? undefined : value,
    )
    answers.set(name, text.replaceAll(home.path, ''))
  }
  return answers
}

/** Of a home whose index cannot be opened. */
async function answersWithoutIndex(): Promise<Map<string, string>> {
  await using home = await openHome()
  mkdirSync(home.folder.at(INDEX_FILE))
  await using store = home.store()
  await assert.rejects(store.searchThreads(search), /search needs the index/)
  return await answersOf(home, store)
}

const IS_WHOLE = process.env.BOBBIN_INDEX_FAULTS === 'all'
const WITHIN = ['deleted', 'overwritten with its log', 'cut in the middle']

describe('an index that is lost while the store lives', () => {
  for (const [what, spoil] of Object.entries(INDEX_FAULTS)) {
    it(`(${what}) changes no answer, then or later`, async () => {
      const wanted = await answersWithoutIndex()
      await using home = await openHome()
      await using store = home.store()
      assert.deepEqual(await answersOf(home, store), wanted)
      await store.searchThreads(search)
      {
        using _ = spoil(home.folder.at(INDEX_FILE))
        assert.deepEqual(await answersOf(home, store), wanted)
      }
      assert.deepEqual(await answersOf(home, store), wanted)
      if (what !== 'replaced by a folder') {
        const { hits } = await store.searchThreads(search)
        assert.deepEqual(
          hits.map(({ turnId }) => turnId),
          ['t269'],
        )
      }
    })
  }

  for (const [what, spoil] of Object.entries(INDEX_FAULTS)) {
    // The others wait for locks at each call: they are for those who have the time.
    if (!IS_WHOLE && !WITHIN.includes(what)) continue
    it(`(${what}) within a call changes no answer`, async () => {
      for (const name of ['list', 'turns'] as const) {
        for (let at = 0; ; at += 1) {
          await using home = await openHome()
          const files = new FaultyFileSystem()
          await using store = home.store(files)
          const ask = QUESTIONS[name] ?? assert.fail()
          await ask(store)
          const from = files.calls.length
          // The file has grown, so that the index has to be read and written again.
          appendFileSync(home.pathOf({ n: 1 }), textOf(turn('new')))
          files.plan = ({ index }) => {
            if (index === from + at) spoil(home.folder.at(INDEX_FILE))
            return undefined
          }
          await ask(store)
          const isOver = files.calls.length <= from + at
          files.plan = () => undefined
          await using fresh = home.store()
          const [again, anew] = [await ask(store), await ask(fresh)]
          assert.deepEqual(again, anew, `${name}, call ${at}`)
          if (name === 'turns') assert.match(JSON.stringify(anew), /"tnew"/)
          if (isOver) break
        }
      }
    })
  }
})

describe('appends and turns', () => {
  it('leave the index alone: they make none, and need none', async () => {
    await using home = await openHome()
    await using store = home.store()
    await store.resumeThread(SMALL)
    await store.appendItems(SMALL, turn('a'))
    await store.flushThread(SMALL)
    await store.closeThread(SMALL)
    const { live } = await LiveThread.resume(store, SMALL)
    await live.append(turn('b'))
    await live.catchUp()
    await live.close()
    await store.resumeThread(BIG)
    await store.appendItems(BIG, turn('c'))
    await store.closeThread(BIG)
    assert.ok(!existsSync(home.folder.at(INDEX_FILE)))
    await using kit = await SessionKit.open([
      { items: [assistantMessage('one')] },
      { items: [assistantMessage('two')] },
    ])
    const handle = await kit.start()
    await runTurn(handle, 'one')
    appendFileSync(kit.logs()[0] ?? '', textOf(turn('f')))
    await runTurn(handle, 'two')
    await handle.close()
    assert.deepEqual(
      kit.logs().filter((path) => path.endsWith(INDEX_FILE)),
      [],
    )
    assert.ok(!existsSync(kit.at('home', INDEX_FILE)))
  })

  for (const [what, spoil] of Object.entries(INDEX_FAULTS)) {
    it(`work while it is ${what}`, async () => {
      await using home = await openHome()
      await using store = home.store()
      await answersOf(home, store)
      const { live } = await LiveThread.resume(store, BIG)
      using _ = spoil(home.folder.at(INDEX_FILE))
      await live.append(turn('a'))
      appendFileSync(home.pathOf({ n: 1 }), textOf(turn('f')))
      const history = await live.catchUp()
      assert.ok(JSON.stringify(history?.items.slice(-20)).includes('"uf"'))
      await live.append(turn('b'))
      await live.close()
      const { items, damage } = await store.loadHistory(BIG)
      assert.deepEqual(damage, [])
      const wanted = [...bigLog(), ...turn('a'), ...turn('f'), ...turn('b')]
      assert.deepEqual(items, wanted)
    })
  }
})
