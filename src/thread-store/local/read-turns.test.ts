import assert from 'node:assert/strict'
import { appendFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { CodexHome } from '../../../test/support/codex-home.ts'
import { FaultyFileSystem } from '../../../test/support/faulty-file-system.ts'
import {
  answers,
  compacted,
  completed,
  says,
  started,
  textOf,
  threadIdOf,
  turn,
  turnContext,
} from '../../../test/support/thread-log.ts'
import { countCompactions, foldTurns, replayModelHistory } from '../../history/index.ts'
import { type RolloutItem, userText } from '../../protocol/index.ts'
import { type LocalThreadStore, rollBackThread } from '../index.ts'

const ID = threadIdOf(1)
const TURN_BYTES = 25_000
/** A read of a short line takes no more than this from the file. */
const LINE_BYTES = 16 * 1024

function bigTurn(n: number): RolloutItem[] {
  const text = `u${n} ${'word '.repeat(TURN_BYTES / 5)}`
  return [started(`t${n}`), ...says('short'), ...answers(text).slice(0, 1), completed(`t${n}`)]
}

const TURNS = Array.from({ length: 220 }, (_, n) => bigTurn(n))
const COMPACTION = [started('c'), compacted('sum', [userText('left')]), completed('c')]

/** A thread of more than 5 MB with a compaction 20 turns before its end, which the index knows. */
class BigThread implements AsyncDisposable {
  readonly home: CodexHome
  readonly path: string
  readonly files: FaultyFileSystem
  readonly store: LocalThreadStore

  private constructor(home: CodexHome, path: string, files: FaultyFileSystem) {
    this.home = home
    this.path = path
    this.files = files
    this.store = home.store(files)
  }

  static async create(): Promise<BigThread> {
    const home = await CodexHome.create()
    const items = [
      turnContext('t'),
      ...TURNS.slice(0, 200).flat(),
      ...COMPACTION,
      ...TURNS.slice(200).flat(),
    ]
    const path = await home.place({ n: 1, items })
    assert.ok((await home.sizeOf(path)) > 5_000_000)
    await using first = home.store()
    await first.listTurns({ threadId: ID, direction: 'desc', limit: 1 })
    await first.readThread(ID)
    return new BigThread(home, path, new FaultyFileSystem())
  }

  /** Bytes that some work reads of the rollouts. */
  async bytesOf(work: (store: LocalThreadStore) => Promise<unknown>): Promise<number> {
    const before = this.files.bytesRead
    await work(this.store)
    return this.files.bytesRead - before
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]()
    await this.home[Symbol.asyncDispose]()
  }
}

function sizeOf(turns: readonly (readonly RolloutItem[])[]): number {
  return textOf(turns.flat()).length
}

describe('what is read of a long thread that the index knows', () => {
  it('is nothing, to show it', async () => {
    await using big = await BigThread.create()
    assert.equal(await big.bytesOf((store) => store.readThread(ID)), 0)
  })

  it('is the bytes of the turns that are asked for', async () => {
    await using big = await BigThread.create()
    const ask = { threadId: ID, limit: 20, direction: 'desc' } as const
    const last = await big.bytesOf((store) => store.listTurns(ask))
    assert.equal(last, sizeOf(TURNS.slice(200)))
    const first = await big.bytesOf((store) => store.listTurns({ ...ask, direction: 'asc' }))
    assert.equal(first, sizeOf(TURNS.slice(0, 20)))
  })

  it('is what the context of the model hangs on', async () => {
    await using big = await BigThread.create()
    const bytes = await big.bytesOf((store) => store.loadModelContext(ID))
    const needed = sizeOf([COMPACTION, ...TURNS.slice(200)])
    assert.ok(bytes <= needed + 2 * LINE_BYTES, `${bytes} of ${needed}`)
    const { items } = await big.store.loadHistory(ID)
    const context = await big.store.loadModelContext(ID)
    assert.deepEqual(replayModelHistory(context.items), replayModelHistory(items))
    assert.equal(context.compactionCount, countCompactions(items))
  })

  it('is the turn that is taken back', async () => {
    await using big = await BigThread.create()
    const bytes = await big.bytesOf((store) => rollBackThread(store, ID, 1))
    const needed = sizeOf(TURNS.slice(219))
    assert.ok(bytes <= needed + 2 * LINE_BYTES + 1, `${bytes} of ${needed}`)
    const { turns } = await big.store.listTurns({ threadId: ID, direction: 'desc', limit: 1 })
    assert.equal(turns[0]?.id, 't218')
  })

  it('is what came to it since, whoever has asked before', async () => {
    await using big = await BigThread.create()
    const ask = { threadId: ID, limit: 1, direction: 'desc' } as const
    await big.store.listTurns(ask)
    for (const n of [1, 2, 3]) {
      const text = textOf(turn(`new-${n}`))
      await appendFile(big.path, text)
      // The turn itself is read to be shown, and a byte to see that a line ended there.
      const turns = await big.bytesOf((store) => store.listTurns(ask))
      assert.ok(turns <= 2 * text.length + 1, `${turns} bytes for ${text.length}`)
      const thread = await big.bytesOf((store) => store.readThread(ID))
      assert.ok(thread <= text.length + 1, `${thread} bytes for ${text.length}`)
      assert.equal(await big.bytesOf((store) => store.readThread(ID)), 0)
    }
    const { items } = await big.store.loadHistory(ID)
    const all = await big.store.listTurns({ ...ask, limit: 999, direction: 'asc' })
    assert.deepEqual(all.turns, foldTurns(items))
  })

  it('is the difference also while its last line has no end', async () => {
    await using big = await BigThread.create()
    const ask = { threadId: ID, limit: 1, direction: 'desc' } as const
    const text = textOf(turn('new'))
    await appendFile(big.path, text.slice(0, -5))
    for (const _ of [1, 2]) {
      const bytes = await big.bytesOf((store) => store.listTurns(ask))
      assert.ok(bytes <= 2 * text.length + 1, `${bytes} bytes for ${text.length}`)
    }
  })
})
