import assert from 'node:assert/strict'
import { appendFile, mkdir, rename, truncate, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { foldTurns, replayModelHistory } from '../../src/history/index.ts'
import type { RolloutItem, Turn } from '../../src/protocol/index.ts'
import type { LocalThreadStore } from '../../src/thread-store/index.ts'
import { anyLog } from '../support/arbitrary-log.ts'
import { CodexHome } from '../support/codex-home.ts'
import { header, rolledBack, textOf, threadIdOf } from '../support/thread-log.ts'

const RUNS = Number(process.env.BOBBIN_RUNS ?? 12)
const ID = threadIdOf(1)

/** So long a header makes the file worth indexing. */
const PADDING = { base_instructions: { text: 'x'.repeat(260 * 1024) } }

const noise = fc.constantFrom('', ' ', '{"half":', 'no json', '\r', '{}', '\uFFFD', '[1]')
const lineEnd = fc.constantFrom('\n', '\n', '\n', '\r\n')

/** The lines of a log with what gets between them. */
const anyLines: fc.Arbitrary<Buffer> = fc
  .tuple(
    anyLog,
    fc.array(fc.tuple(fc.option(noise, { freq: 4 }), lineEnd), { minLength: 1, maxLength: 20 }),
  )
  .map(([log, between]) => {
    const lines = log.map((item, index) => {
      const [before, end] = between[index % between.length] ?? [null, '\n']
      return `${before === null ? '' : `${before}\n`}${textOf([item]).trimEnd()}${end}`
    })
    return Buffer.from(lines.join(''))
  })

/** Bytes of no text, an open end, or nothing, behind the last line. */
const anyTail = fc.oneof(
  { weight: 3, arbitrary: fc.constant(Buffer.alloc(0)) },
  fc.constantFrom(Buffer.from('{"timestamp":"now","ty'), Buffer.from([0x7b, 0xff, 0xc3])),
  anyLog.map((log) => Buffer.from(textOf(log.slice(0, 1)).trimEnd())),
  fc.nat(4).map((count) => Buffer.from(textOf([rolledBack(count)]).trimEnd())),
)

type Step =
  | { readonly kind: 'grow'; readonly bytes: Buffer; readonly cuts: readonly number[] }
  | { readonly kind: 'replace'; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly part: number }
  | { readonly kind: 'other-store' | 'reopen' | 'ask' }

const anyBytes = fc.tuple(anyLines, anyTail).map((parts) => Buffer.concat(parts))

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(anyBytes, fc.array(fc.nat(), { maxLength: 3 }))
      .map(([bytes, cuts]): Step => ({ kind: 'grow', bytes, cuts })),
  },
  anyBytes.map((bytes): Step => ({ kind: 'replace', bytes })),
  fc.nat(100).map((part): Step => ({ kind: 'truncate', part: part / 100 })),
  fc.constantFrom<Step>({ kind: 'other-store' }, { kind: 'reopen' }, { kind: 'ask' }),
)

/** A home with one rollout, and two programs that know of it. */
class World implements AsyncDisposable {
  readonly #home: CodexHome
  readonly path: string
  readonly #head: Buffer
  store: LocalThreadStore
  other: LocalThreadStore

  private constructor(home: CodexHome, head: Buffer) {
    this.#home = home
    this.#head = head
    this.path = home.pathOf({ n: 1 })
    this.store = home.store()
    this.other = home.store()
  }

  static async create(options: { isLong: boolean; hasBom: boolean; hasIndex: boolean }) {
    const home = await CodexHome.create()
    if (!options.hasIndex) await mkdir(home.folder.at('bobbin_1.sqlite'))
    const line = textOf([header(ID, options.isLong ? PADDING : {})])
    const world = new World(home, Buffer.from((options.hasBom ? '\uFEFF' : '') + line))
    await mkdir(dirname(world.path), { recursive: true })
    await world.replace(Buffer.alloc(0))
    return world
  }

  async replace(bytes: Buffer): Promise<void> {
    const next = `${this.path}.next`
    await writeFile(next, Buffer.concat([this.#head, bytes]))
    await rename(next, this.path)
  }

  async truncate(part: number): Promise<void> {
    const size = await this.#home.sizeOf(this.path)
    const kept = this.#head.length + Math.floor((size - this.#head.length) * part)
    await truncate(this.path, kept)
  }

  async reopen(): Promise<void> {
    await this.store[Symbol.asyncDispose]()
    this.store = this.#home.store()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]()
    await this.other[Symbol.asyncDispose]()
    await this.#home[Symbol.asyncDispose]()
  }
}

interface Paging {
  readonly direction: 'asc' | 'desc'
  readonly limit: number
  readonly isRunning: boolean
}

const anyPaging = fc.record({
  direction: fc.constantFrom('asc' as const, 'desc' as const),
  limit: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(100)),
  isRunning: fc.boolean(),
})

async function checkTurns(
  store: LocalThreadStore,
  log: readonly RolloutItem[],
  paging: Paging,
): Promise<void> {
  const { direction, isRunning } = paging
  const turns = foldTurns(log, { isRunning })
  const expected = direction === 'asc' ? turns : turns.toReversed()
  const found: Turn[] = []
  let cursor: string | null = null
  do {
    const ask = { threadId: ID, ...paging, ...(cursor === null ? {} : { cursor }) }
    const page = await store.listTurns(ask)
    found.push(...page.turns)
    assert.ok(found.length <= turns.length, 'more turns than there are')
    if (page.backwardsCursor !== null) {
      const back = await store.listTurns({
        ...ask,
        limit: 2,
        direction: direction === 'asc' ? 'desc' : 'asc',
        cursor: page.backwardsCursor,
      })
      const at = found.length - page.turns.length
      assert.deepEqual(back.turns, expected.slice(Math.max(0, at - 1), at + 1).reverse())
    } else assert.equal(page.turns.length, 0)
    cursor = page.nextCursor
  } while (cursor !== null)
  assert.deepEqual(found, expected)
}

async function checkItems(
  store: LocalThreadStore,
  log: readonly RolloutItem[],
  paging: Paging,
): Promise<void> {
  const { direction, isRunning } = paging
  const turns = foldTurns(log, { isRunning })
  const items = turns.flatMap(({ id, items }) => items.map((item) => ({ turnId: id, item })))
  const found: unknown[] = []
  let cursor: string | null = null
  do {
    const ask = { threadId: ID, ...paging, ...(cursor === null ? {} : { cursor }) }
    const page = await store.listItems(ask)
    found.push(...page.items)
    assert.ok(found.length <= items.length, 'more items than there are')
    cursor = page.nextCursor
  } while (cursor !== null)
  assert.deepEqual(found, direction === 'asc' ? items : items.toReversed())
}

async function checkAll(world: World, store: LocalThreadStore, paging: Paging): Promise<void> {
  const { items } = await world.other.loadHistory(ID)
  const context = await store.loadModelContext(ID)
  assert.deepEqual(replayModelHistory(context.items), replayModelHistory(items))
  await checkTurns(store, items, paging)
  await checkItems(store, items, paging)
}

async function take(world: World, step: Step, paging: Paging): Promise<void> {
  if (step.kind === 'replace') await world.replace(step.bytes)
  else if (step.kind === 'truncate') await world.truncate(step.part)
  else if (step.kind === 'other-store') await checkAll(world, world.other, paging)
  else if (step.kind === 'reopen') await world.reopen()
  else if (step.kind === 'grow') {
    const cuts = step.cuts.map((cut) => cut % (step.bytes.length + 1)).sort((a, b) => a - b)
    let from = 0
    for (const cut of cuts) {
      await appendFile(world.path, step.bytes.subarray(from, cut))
      await checkAll(world, world.store, paging)
      from = cut
    }
    await appendFile(world.path, step.bytes.subarray(from))
  }
}

async function play(
  options: Parameters<typeof World.create>[0],
  steps: readonly Step[],
  paging: Paging,
): Promise<void> {
  await using world = await World.create(options)
  for (const step of steps) {
    await take(world, step, paging)
    await checkAll(world, world.store, paging)
  }
}

const steps = fc.array(anyStep, { minLength: 1, maxLength: 6 })

describe('pages and the model context of a local thread', () => {
  const variants = {
    'with an index': { isLong: true, hasIndex: true },
    'without an index': { isLong: true, hasIndex: false },
    'of a short log': { isLong: false, hasIndex: true },
  }
  for (const [name, variant] of Object.entries(variants)) {
    it(`are those of the whole log, whatever becomes of the file: ${name}`, async () => {
      const property = fc.asyncProperty(fc.boolean(), steps, anyPaging, (hasBom, all, paging) =>
        play({ ...variant, hasBom }, all, paging),
      )
      await fc.assert(property, { numRuns: RUNS })
    })
  }
})
