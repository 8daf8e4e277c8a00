import assert from 'node:assert/strict'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyText } from '../../../test/support/arbitrary-items.ts'
import { CodexHome } from '../../../test/support/codex-home.ts'
import { FaultyFileSystem } from '../../../test/support/faulty-file-system.ts'
import { FixedClock } from '../../../test/support/fixed-clock.ts'
import {
  answers,
  completed,
  event,
  item,
  rolledBack,
  says,
  started,
  textOf,
  threadIdOf,
  turn,
} from '../../../test/support/thread-log.ts'
import type { RolloutItem } from '../../protocol/index.ts'
import { InMemoryThreadStore } from '../in-memory/in-memory-thread-store.ts'
import {
  type IndexProgress,
  LiveThread,
  type SearchThreads,
  type ThreadStore,
  ThreadStoreError,
} from '../index.ts'

const RUNS = Number(process.env.BOBBIN_RUNS ?? 300)

function turnOf(id: string, ...items: readonly RolloutItem[]): RolloutItem[] {
  return [started(id), ...items, completed(id)]
}

function command(turn_id: string, ...argv: readonly string[]): RolloutItem {
  return event({
    type: 'exec_command_end',
    call_id: `call of ${argv.join(' ')}`,
    turn_id,
    command: [...argv],
    cwd: '/repo',
    parsed_cmd: [],
    source: 'agent',
    stdout: '',
    stderr: '',
    aggregated_output: '',
    exit_code: 0,
    duration: { secs: 0, nanos: 0 },
    formatted_output: '',
    status: 'completed',
  })
}

/** Turns found, as `<number of the thread> <turn>`, over all pages. */
async function found(
  store: ThreadStore,
  query: string,
  params: Partial<SearchThreads> = {},
): Promise<string[]> {
  const all: string[] = []
  let cursor: string | null | undefined
  do {
    const page = await store.searchThreads({
      ...{ query, limit: 50, includeSubagents: false, ...params },
      ...(cursor ? { cursor } : {}),
    })
    assert.ok(page.hits.length <= (params.limit ?? 50))
    for (const { thread, turnId } of page.hits) {
      all.push(`${Number.parseInt(thread.threadId.slice(-12), 16)} ${turnId}`)
    }
    cursor = page.nextCursor
  } while (cursor !== null)
  return all
}

async function findsEach(items: readonly RolloutItem[], cases: { [query: string]: boolean }) {
  await using home = await CodexHome.create()
  await home.place({ n: 1, items: [...says('hello'), ...items] })
  await using store = home.store()
  const answersOf: { [query: string]: boolean } = {}
  for (const query of Object.keys(cases)) {
    answersOf[query] = (await found(store, query)).length > 0
  }
  assert.deepEqual(answersOf, cases)
}

describe('the words that search finds', () => {
  it('are those of people and agents: one, several, beginnings and phrases', async () => {
    await findsEach(turnOf('a', ...says('Fix the Parser quickly'), ...answers('it is mended')), {
      parser: true,
      PARS: true,
      arser: false,
      'fix mended': true,
      'fix unmended': false,
      '"the parser"': true,
      '"parser the"': false,
      '"the pars"': false,
      'fix "is mended"': true,
    })
  })

  it('are those of commands, patches and calls of tools', async () => {
    const patch = event({
      type: 'patch_apply_end',
      call_id: 'p',
      turn_id: 'a',
      stdout: '',
      stderr: '',
      success: true,
      changes: { 'src/walrus.ts': { type: 'add', content: 'const narwhal = 1' } },
      status: 'completed',
    })
    const call = { type: 'function_call', name: 'exec_command', call_id: 'c' } as const
    const custom = { type: 'custom_tool_call', name: 'apply_patch', call_id: 'd' } as const
    const items = [
      command('a', 'git', 'rebase', '--onto'),
      command('a', 'bash', '-lc', 'cargo build'),
      patch,
      item({ ...call, arguments: '{"cmd":["npm","publish"]}' }),
      item({ ...custom, input: '*** Update File: docs/otter.md\n+beaver' }),
    ]
    await findsEach(turnOf('a', ...items), {
      'git rebase': true,
      cargo: true,
      walrus: true,
      'src/walrus.ts': true,
      narwhal: true,
      publish: true,
      'otter beaver': true,
    })
  })

  it('are those of the items that 0.169.0 keeps', async () => {
    const told = (id: string, text: string, type: string): RolloutItem =>
      event({
        type: 'item_completed',
        thread_id: threadIdOf(1),
        turn_id: 'a',
        item: { type, id, content: [{ type: 'text', text }] },
      })
    const items = [
      told('u', 'paginated question', 'UserMessage'),
      told('b', 'reply', 'AgentMessage'),
    ]
    await findsEach(turnOf('a', ...items), { 'question reply': true, paginat: true })
  })

  it('are found with or without marks, in every script, and never by signs alone', async () => {
    const text = 'Über naïve façade, 日本語のテスト, สวัสดี, Привет, 🎉 party'
    await findsEach(turnOf('a', ...says(text)), {
      uber: true,
      'ÜBER naive': true,
      facade: true,
      日本: true,
      テスト: true,
      語: true,
      本日: false,
      สวัส: true,
      приве: true,
      '🎉': false,
      '🎉 party': true,
      '"': false,
      '* OR': false,
      '': false,
    })
  })

  it('are taken as words whatever they are, and harm nothing', async () => {
    await using home = await CodexHome.create()
    await home.place({ n: 1, items: turnOf('a', ...says('needle AND OR NOT NEAR words')) })
    await using store = home.store()
    const operators = fc.constantFrom(
      ...['AND', 'OR', 'NOT', 'NEAR(', '*', '^', ':', '"', '(', ')', '{', '-', '+', '\0', "'"],
      ...['needle', 'words:', 'a\0b', '\u{1F389}', '"a\0', '\uD800', '𞤀', '½', 'ͣ'],
    )
    const part = fc.oneof(operators, anyText)
    const anyQuery = fc.array(part, { maxLength: 5 }).map((parts) => parts.join(' '))
    const property = fc.asyncProperty(anyQuery, async (query) => {
      await found(store, query)
      assert.deepEqual(await found(store, 'needle'), ['1 a'])
    })
    await fc.assert(property, { numRuns: RUNS })
    const folder = await readFile(home.folder.at('bobbin_1.sqlite'))
    assert.ok(folder.length > 0)
  })
})

describe('the turns that search finds', () => {
  it('are not those taken back, also when that happens later', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, items: [...turn(1), ...turn(2), rolledBack(1)] })
    await using store = home.store()
    assert.deepEqual([await found(store, 'u1'), await found(store, 'u2')], [['1 t1'], []])
    await appendFile(path, textOf([...turn(3), rolledBack(2)]))
    assert.deepEqual([await found(store, 'u1'), await found(store, 'u3')], [[], []])
  })

  it('hold all words of a query, whenever they were said', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, items: [started('a'), ...says('early')] })
    await using store = home.store()
    assert.deepEqual(await found(store, 'early'), ['1 a'])
    await appendFile(path, textOf(answers('late')))
    assert.deepEqual([await found(store, 'late'), await found(store, 'early')], [['1 a'], ['1 a']])
    assert.deepEqual(await found(store, 'early late'), ['1 a'])
    await appendFile(path, textOf([...answers('last'), completed('a')]))
    assert.deepEqual(await found(store, 'early late last'), ['1 a'])
  })

  it('come newest first and once each, whatever the size of the page', async () => {
    await using home = await CodexHome.create()
    const paths = new Map<number, string>()
    for (const n of [1, 2, 3]) {
      paths.set(n, await home.place({ n, items: [started('a'), ...says('word')] }))
    }
    await using store = home.store()
    await found(store, 'word')
    for (const n of [1, 3, 2, 1]) {
      await appendFile(paths.get(n) ?? '', textOf(answers('word')))
      await found(store, 'word')
    }
    const all = await found(store, 'word')
    assert.deepEqual(all, ['1 a', '2 a', '3 a'])
    for (const limit of [1, 2, 3]) assert.deepEqual(await found(store, 'word', { limit }), all)
  })

  it('are found by what came to them late, too, and by what was said before', async () => {
    await using home = await CodexHome.create()
    const path = await home.place({ n: 1, items: [...turnOf('a', ...says('early')), started('b')] })
    await using store = home.store()
    await found(store, 'early')
    await appendFile(path, textOf([command('a', 'late', 'command')]))
    for (const query of ['late', 'early']) assert.deepEqual(await found(store, query), ['1 a'])
  })

  it('are those of threads that are there, archived ones only when asked for', async () => {
    await using home = await CodexHome.create()
    for (const n of [1, 2, 3]) await home.place({ n, items: turn(1) })
    await home.place({ n: 4, isArchived: true, items: turn(1) })
    await using store = home.store()
    assert.deepEqual(await found(store, 'u1'), ['3 t1', '2 t1', '1 t1'])
    await store.deleteThread(threadIdOf(2))
    await store.archiveThread(threadIdOf(3))
    assert.deepEqual(await found(store, 'u1'), ['1 t1'])
    assert.deepEqual((await found(store, 'u1', { isArchived: true })).sort(), ['3 t1', '4 t1'])
    await store.unarchiveThread(threadIdOf(3))
    assert.deepEqual((await found(store, 'u1')).sort(), ['1 t1', '3 t1'])
  })

  it('are those that a store in memory finds', async () => {
    const words = fc.constantFrom(
      ...[
        'art',
        'starting',
        'Artful',
        'élan',
        'Elan',
        '日本',
        '本',
        'a-b',
        'b',
        '"',
        "don't",
        '🎉',
      ],
    )
    const text = fc.array(words, { maxLength: 5 }).map((parts) => parts.join(' '))
    const call = (input: string) =>
      item({ type: 'custom_tool_call', call_id: input, name: 'apply_patch', input })
    const said = fc.oneof(
      text.map(says),
      text.map(answers),
      text.map((each) => [call(each)]),
    )
    const turns = fc.array(fc.array(said, { maxLength: 3 }), { maxLength: 4 })
    const property = fc.asyncProperty(turns, fc.nat(2), text, async (all, back, query) => {
      await using home = await CodexHome.create()
      const items = all.flatMap((parts, n) => turnOf(`t${n}`, ...parts.flat()))
      const log = [...turnOf('first', ...says('hello')), ...items, rolledBack(back)]
      await home.place({ n: 1, items: log })
      await using local = home.store()
      await using memory = new InMemoryThreadStore(new FixedClock(0))
      const { items: whole } = await local.loadHistory(threadIdOf(1))
      const live = await LiveThread.create(memory, {
        threadId: threadIdOf(1),
        createdAtMs: 0,
        header: async () => {
          assert.ok(whole[0]?.type === 'session_meta')
          return whole[0].payload
        },
      })
      await live.append(whole.slice(1))
      const ids = (hits: readonly string[]) => hits.toSorted()
      assert.deepEqual(ids(await found(local, query)), ids(await found(memory, query)))
    })
    await fc.assert(property, { numRuns: RUNS / 3 })
  })

  it('are shown around the first word that was found', async () => {
    await using home = await CodexHome.create()
    const long = `start ${'filler '.repeat(100)} an Élan here ${'filler '.repeat(100)}`
    await home.place({ n: 1, items: turnOf('a', ...says(long)) })
    await using store = home.store()
    const ask = { query: 'elan', limit: 1, includeSubagents: false }
    const { hits } = await store.searchThreads(ask)
    assert.match(hits[0]?.snippet ?? '', /an Élan here/)
  })
})

describe('the index that search makes', () => {
  const COUNT = 30

  async function homeOf(count: number): Promise<CodexHome> {
    const home = await CodexHome.create()
    for (let n = 1; n <= count; n += 1) await home.place({ n, items: turn(n) })
    return home
  }

  it('goes on where it was stopped, and tells how far it is', async () => {
    await using home = await homeOf(COUNT)
    const files = new FaultyFileSystem()
    await using store = home.store(files)
    const stop = new AbortController()
    const told: IndexProgress[] = []
    const onProgress = (progress: IndexProgress) => {
      told.push(progress)
      if (progress.doneThreads === 20) stop.abort()
    }
    await assert.rejects(found(store, '"u1"', { onProgress, signal: stop.signal }))
    assert.equal(told.at(-1)?.doneThreads, 20)
    const before = files.countOf('openForRead')
    told.length = 0
    assert.deepEqual(await found(store, '"u1"', { onProgress }), ['1 t1'])
    const opened = files.countOf('openForRead') - before
    assert.ok(opened <= COUNT - 20 + 4, `${opened} files were opened again`)
    const done = told.map(({ doneThreads }) => doneThreads)
    assert.deepEqual(
      done,
      done.toSorted((a, b) => a - b),
    )
    assert.equal(done.at(-1), told[0]?.totalThreads)
    told.length = 0
    await found(store, '"u1"', { onProgress })
    assert.deepEqual(told, [])
  })

  it('is made by two at once without doubles', async () => {
    await using home = await homeOf(COUNT)
    await using one = home.store()
    await using two = home.store()
    const all = await Promise.all([one, two, one, two].map((store) => found(store, 't')))
    for (const each of all) assert.deepEqual(each, all[0])
    const both = await Promise.all([one, two].map((store) => found(store, '"u7"', { limit: 1 })))
    assert.deepEqual(both, [['7 t7'], ['7 t7']])
  })

  it('leaves out a file that holds no thread any more, and says so', async () => {
    await using home = await homeOf(2)
    const path = home.pathOf({ n: 1 })
    await using store = home.store()
    await found(store, '"u1"')
    await writeFile(path, 'rubbish that is as long as it likes to be')
    const page = await store.searchThreads({ query: '"u1"', limit: 9, includeSubagents: false })
    assert.deepEqual([page.hits, page.unreadable.map((each) => each.path)], [[], [path]])
  })

  it('tells of it when it breaks, and is made anew for the next', async () => {
    await using home = await homeOf(COUNT)
    await using store = home.store()
    await found(store, '"u1"')
    const path = home.folder.at('bobbin_1.sqlite')
    await store[Symbol.asyncDispose]()
    const bytes = await readFile(path)
    bytes.fill('rubbish', 8 * 4096)
    await writeFile(path, bytes)
    await using next = home.store()
    let failures = 0
    for (let attempt = 0; attempt < 3; attempt += 1) {
      try {
        assert.deepEqual(await found(next, '"u1"'), ['1 t1'])
      } catch (error) {
        assert.ok(
          error instanceof ThreadStoreError && error.failure.code === 'internal',
          `${error}`,
        )
        failures += 1
      }
    }
    assert.ok(failures <= 1, `${failures} searches failed`)
  })
})
