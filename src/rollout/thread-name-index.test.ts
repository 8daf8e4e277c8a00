import assert from 'node:assert/strict'
import { appendFile, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Fault, FaultyFileSystem } from '../../test/support/faulty-file-system.ts'
import { TempFolder } from '../../test/support/temp-folder.ts'
import { threadIdOf } from '../../test/support/thread-log.ts'
import { FileLock, nodeFileSystem } from '../base/index.ts'
import { RolloutError } from './errors.ts'
import {
  appendThreadName,
  NAME_INDEX_FILE,
  readThreadNames,
  removeThreadNames,
} from './thread-name-index.ts'

function entry(n: number, thread_name: unknown): string {
  return JSON.stringify({ id: threadIdOf(n), thread_name, updated_at: '2026-11-20T09:29:16.05Z' })
}

async function namesIn(content: string | Uint8Array): Promise<[string, string][]> {
  await using home = await TempFolder.create()
  await writeFile(home.at(NAME_INDEX_FILE), content)
  return [...(await readThreadNames(nodeFileSystem, home.path))]
}

const [ONE, TWO] = [threadIdOf(1), threadIdOf(2)]

describe('the names of threads', () => {
  it('are none where there is no index', async () => {
    await using home = await TempFolder.create()
    assert.deepEqual([...(await readThreadNames(nodeFileSystem, home.path))], [])
  })

  it('are those of the newest entries, trimmed; a blank one says that it was cleared', async () => {
    const lines = [
      entry(1, 'old'),
      entry(2, 'two'),
      entry(1, ' new '),
      entry(3, 'x'),
      entry(3, ' '),
    ]
    assert.deepEqual(await namesIn(lines.join('\n')), [
      [ONE, 'new'],
      [TWO, 'two'],
      [threadIdOf(3), ''],
    ])
  })

  it('are read over damaged and foreign lines', async () => {
    const lines = [`\uFEFF${entry(1, 'one')}\r`, '{"id":', '7', '', entry(2, 7), '{"id":"x"}']
    assert.deepEqual(await namesIn(lines.join('\n')), [[ONE, 'one']])
  })

  it('cost no other name when the bytes of one are no UTF-8', async () => {
    const bytes = Buffer.from(`${entry(1, 'X')}\n${entry(2, 'two')}\n`)
    bytes[bytes.indexOf('"X"') + 1] = 0xff
    assert.deepEqual(await namesIn(bytes), [
      [ONE, '\uFFFD'],
      [TWO, 'two'],
    ])
  })

  it('are read from any file without failing', async () => {
    const anyLine = fc.oneof(fc.string(), fc.json(), fc.constantFrom(entry(1, 'one'), '{"id":1}'))
    await fc.assert(
      fc.asyncProperty(fc.array(anyLine, { maxLength: 5 }), async (lines) => {
        const names = await namesIn([...lines, entry(2, 'two')].join('\n'))
        assert.equal(new Map(names).get(TWO), 'two')
      }),
      { numRuns: 100 },
    )
  })
})

const AT_MS = Date.parse('2026-11-20T09:29:16.050Z')

function isRolloutError(error: unknown): boolean {
  return error instanceof RolloutError && error.code === 'io'
}

/** All that a change leaves in the home. */
const FILES = [NAME_INDEX_FILE, 'session_index.jsonl.lock']

/** A home whose name index holds these bytes, or has none. */
async function homeWith(content?: string | Uint8Array): Promise<TempFolder> {
  const home = await TempFolder.create()
  if (content !== undefined) await writeFile(home.at(NAME_INDEX_FILE), content)
  return home
}

const bytesOf = (home: TempFolder) => readFile(home.at(NAME_INDEX_FILE))
const textIn = async (home: TempFolder) => (await bytesOf(home)).toString()

/** Each call of the file system with each fault, one at a time. */
async function withEachFault(
  content: string,
  work: (files: FaultyFileSystem, home: string) => Promise<void>,
  check: (home: TempFolder, hasFailed: boolean) => Promise<void>,
): Promise<void> {
  const kinds: readonly Fault[] = [
    { kind: 'fail', code: 'EIO' },
    { kind: 'late', code: 'EIO' },
    { kind: 'cut', bytes: 20, code: 'ENOSPC' },
  ]
  await using plainHome = await homeWith(content)
  const plain = new FaultyFileSystem()
  await work(plain, plainHome.path)
  for (const { index, method } of plain.calls) {
    for (const fault of kinds) {
      await using home = await homeWith(content)
      const files = new FaultyFileSystem((call) => (call.index === index ? fault : undefined))
      let hasFailed = false
      await work(files, home.path).catch((error: unknown) => {
        hasFailed = true
        assert.ok(isRolloutError(error), `${method}: ${error}`)
      })
      assert.equal(files.openCount, 0)
      await check(home, hasFailed)
    }
  }
}

describe('a new name', () => {
  const add = (home: TempFolder, name: string | null) =>
    appendThreadName(nodeFileSystem, home.path, { threadId: ONE, name, atMs: AT_MS })
  const line = (name: string) =>
    `{"id":"${ONE}","thread_name":"${name}","updated_at":"2026-11-20T09:29:16.050Z"}\n`

  it('is an entry at the end; clearing a name is one too', async () => {
    await using home = await homeWith(`${entry(1, 'old')}\n`)
    await add(home, 'new')
    await add(home, null)
    assert.equal(await textIn(home), `${entry(1, 'old')}\n${line('new')}${line('')}`)
  })

  it('makes the file where there is none, for its owner only', async () => {
    await using home = await homeWith()
    await add(home, 'first')
    assert.equal(await textIn(home), line('first'))
    assert.equal((await stat(home.at(NAME_INDEX_FILE))).mode & 0o777, 0o600)
  })

  it('is not glued to a torn last line, which stays as it is', async () => {
    for (const torn of ['{"id":"x","thr', entry(2, 'two')]) {
      await using home = await homeWith(`${entry(3, 'three')}\n${torn}`)
      await add(home, 'new')
      assert.equal(await textIn(home), `${entry(3, 'three')}\n${torn}\n${line('new')}`)
    }
  })

  it('is added or not, whichever call fails', async () => {
    for (const before of [`${entry(1, 'old')}\n`, `${entry(1, 'old')}\n{"torn`]) {
      await withEachFault(
        before,
        (files, home) => appendThreadName(files, home, { threadId: ONE, name: 'new', atMs: AT_MS }),
        async (home, hasFailed) => {
          const text = await textIn(home)
          if (hasFailed) assert.equal(text, before)
          else assert.ok(text.endsWith(`\n${line('new')}`))
        },
      )
    }
  })
})

describe('the names of a deleted thread', () => {
  it('are taken out, and every other line stays byte for byte', async () => {
    const others = [
      Buffer.from(`\uFEFF${entry(2, 'two')}\r\n`),
      Buffer.concat([Buffer.from('{"id":"'), Buffer.of(0xff, 0xc0, 0), Buffer.from('\n')]),
      Buffer.from('\n  \nrubbish\n'),
      Buffer.from(`{"torn ${ONE}`),
    ]
    const [first, second, third, last] = others.map((each) => each.toString('latin1'))
    const mine = [`${entry(1, 'a')}\n`, `  ${entry(1, '')}\r\n`]
    const upper = entry(1, 'b').replace(ONE, ONE.toUpperCase())
    const all = [first, mine[0], second, mine[1], third, `${upper}\n`, last].join('')
    await using home = await homeWith(Buffer.from(all, 'latin1'))
    await removeThreadNames(nodeFileSystem, home.path, ONE)
    assert.deepEqual(await bytesOf(home), Buffer.concat(others))
    assert.deepEqual(await readdir(home.path), FILES)
  })

  it('may be the last line, without its end', async () => {
    await using home = await homeWith(`${entry(2, 'two')}\n${entry(1, 'one')}`)
    await removeThreadNames(nodeFileSystem, home.path, ONE)
    assert.equal(await textIn(home), `${entry(2, 'two')}\n`)
  })

  it('are none: nothing is written', async () => {
    for (const content of [undefined, '', `${entry(2, 'two')}\n`]) {
      await using home = await homeWith(content)
      const files = new FaultyFileSystem()
      await removeThreadNames(files, home.path, ONE)
      const written = files.calls.filter(({ method }) => /write|rename|openForAppend/.test(method))
      assert.deepEqual(written, [])
      assert.deepEqual(await readdir(home.path), content === undefined ? [] : [NAME_INDEX_FILE])
    }
  })

  it('are gone or all there, whichever call fails, and the next try takes them', async () => {
    const [before, after] = [`${entry(1, 'one')}\n${entry(2, 'two')}\n`, `${entry(2, 'two')}\n`]
    await withEachFault(
      before,
      (files, home) => removeThreadNames(files, home, ONE),
      async (home, hasFailed) => {
        const text = await textIn(home)
        assert.ok(text === after || (hasFailed && text === before))
        await removeThreadNames(nodeFileSystem, home.path, ONE)
        assert.equal(await textIn(home), after)
        assert.deepEqual(await readdir(home.path), FILES)
      },
    )
  })
})

describe('the lock of the name index', () => {
  const take = async (home: TempFolder) => {
    const lock = await FileLock.take(home.at('session_index.jsonl.lock'))
    assert.ok(lock)
    return lock
  }
  const [mine, other, added] = [`${entry(1, 'a')}\n`, `${entry(2, 'b')}\n`, `${entry(3, 'c')}\n`]

  it('keeps what another adds while we take names out', async () => {
    await using home = await homeWith(mine + other)
    const lock = await take(home)
    const removing = removeThreadNames(nodeFileSystem, home.path, ONE)
    await appendFile(home.at(NAME_INDEX_FILE), added)
    await lock[Symbol.asyncDispose]()
    await removing
    assert.equal(await textIn(home), other + added)
  })

  it('that is not given in time stops a removal, not a new name', async () => {
    await using home = await homeWith(mine)
    await using _ = await take(home)
    const add = { threadId: TWO, name: 'b', atMs: AT_MS }
    const [removed, appended] = await Promise.allSettled([
      removeThreadNames(nodeFileSystem, home.path, ONE),
      appendThreadName(nodeFileSystem, home.path, add),
    ])
    assert.ok(removed.status === 'rejected' && isRolloutError(removed.reason))
    assert.match(removed.reason.message, /another program has held session_index\.jsonl\.lock/)
    assert.equal(appended.status, 'fulfilled')
    assert.deepEqual(
      [...(await readThreadNames(nodeFileSystem, home.path))],
      [
        [ONE, 'a'],
        [TWO, 'b'],
      ],
    )
  })

  it('loses no name of many who add, while one takes names out', async () => {
    await using home = await homeWith(mine)
    const names = Array.from({ length: 12 }, (_, n) => n + 2)
    await Promise.all(
      names.flatMap((n) => [
        appendThreadName(nodeFileSystem, home.path, {
          threadId: threadIdOf(n),
          name: `${n}`,
          atMs: AT_MS,
        }),
        ...(n % 4 === 0 ? [removeThreadNames(nodeFileSystem, home.path, ONE)] : []),
      ]),
    )
    const found = await readThreadNames(nodeFileSystem, home.path)
    const expected = names.map((n) => [threadIdOf(n), `${n}`])
    assert.deepEqual([...found].sort(), expected.sort())
  })
})
