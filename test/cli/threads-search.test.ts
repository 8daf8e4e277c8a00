import assert from 'node:assert/strict'
import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { jsonLines, Workplace } from '../support/bobbin.ts'
import {
  answers,
  completed,
  header,
  says,
  started,
  textOf,
  threadIdOf,
} from '../support/thread-log.ts'

interface Placed {
  readonly cwd?: string
  readonly isArchived?: boolean
  readonly isSubagent?: boolean
}

/** The thread `n`, in which a person says the text. */
async function placeThread(place: Workplace, n: number, text: string, placed: Placed = {}) {
  const { cwd = '/p', isArchived, isSubagent } = placed
  const folder = isArchived ? 'archived_sessions' : join('sessions', '2026', '11', '20')
  const path = join(place.home, folder, `rollout-2026-11-20T10-00-00-${threadIdOf(n)}.jsonl`)
  await mkdir(dirname(path), { recursive: true })
  const meta = header(threadIdOf(n), {
    cwd,
    ...(isSubagent ? { source: { subagent: 'review' } } : {}),
  })
  const turn = [started(`t${n}`), ...says(text), ...answers('yes'), completed(`t${n}`)]
  await writeFile(path, textOf([meta, ...turn]))
  await utimes(path, 1_800_000_000 + n, 1_800_000_000 + n)
}

async function found(place: Workplace, ...args: string[]): Promise<string[]> {
  const { exitCode, stdout, stderr } = await place.run(['threads', 'search', ...args, '--jsonl'])
  assert.equal(exitCode, 0, stderr)
  return jsonLines(stdout).map(({ turnId }) => String(turnId))
}

describe('bobbin threads search', () => {
  it('shows the thread, the turn and the text, with the words marked in colour', async () => {
    await using place = await Workplace.create()
    await placeThread(place, 1, 'the quick brown fox')
    const plain = await place.run(['threads', 'search', 'QUI', 'fox'])
    assert.deepEqual([plain.exitCode, plain.stderr], [0, ''])
    assert.match(
      plain.stdout,
      new RegExp(`^${threadIdOf(1)} .*\n.*/p\n {4}turn t1 .*the quick brown fox`),
    )
    const environment = { FORCE_COLOR: '1' }
    const coloured = await place.run(['threads', 'search', 'qui', 'fox'], { environment })
    assert.ok(
      coloured.stdout.includes('\u001b[1mqui\u001b[22mck brown \u001b[1mfox'),
      coloured.stdout,
    )
    const none = { FORCE_COLOR: '1', NO_COLOR: '1' }
    const without = await place.run(['threads', 'search', 'QUI', 'fox'], { environment: none })
    assert.equal(without.stdout, plain.stdout)
  })

  it('says so when nothing is found, which is no failure', async () => {
    await using place = await Workplace.create()
    await placeThread(place, 1, 'hello')
    const { exitCode, stdout, stderr } = await place.run(['threads', 'search', 'hello', 'nobody'])
    assert.deepEqual([exitCode, stdout, stderr], [0, '', 'no threads hold hello nobody\n'])
    const environment = { BOBBIN_HOME: join(place.home, 'nowhere') }
    const nowhere = await place.run(['threads', 'search', 'hello'], { environment })
    assert.deepEqual(nowhere, { exitCode: 0, stdout: '', stderr: 'no threads hold hello\n' })
  })

  it('prints one object, or one a hit; goes on where a page ended', async () => {
    await using place = await Workplace.create()
    for (const n of [1, 2, 3]) await placeThread(place, n, `apple ${n}`)
    const whole = await place.run(['threads', 'search', 'apple', '--json'])
    const { schemaVersion, hits, nextCursor } = JSON.parse(whole.stdout)
    assert.deepEqual([schemaVersion, nextCursor], [1, null])
    const lines = await place.run(['threads', 'search', 'apple', '--jsonl'])
    assert.deepEqual(jsonLines(lines.stdout), hits)
    assert.equal(hits.length, 3)
    const first = await place.run(['threads', 'search', 'apple', '-n', '2'])
    const cursor = /--cursor (\S+)\n$/.exec(first.stderr)?.[1] ?? assert.fail(first.stderr)
    const rest = await found(place, 'apple', '--cursor', cursor)
    assert.deepEqual(rest, [hits[2].turnId])
  })

  it('looks where it is told to: a folder, archived threads, those of agents', async () => {
    await using place = await Workplace.create()
    await placeThread(place, 1, 'apple', { cwd: place.project })
    await placeThread(place, 2, 'apple', { isArchived: true })
    await placeThread(place, 3, 'apple', { isSubagent: true })
    await placeThread(place, 4, 'apple')
    const sorted = async (...flags: string[]) => (await found(place, 'apple', ...flags)).sort()
    assert.deepEqual(await sorted(), ['t1', 't4'])
    assert.deepEqual(await sorted('--cwd', '.'), ['t1'])
    assert.deepEqual(await sorted('--archived'), ['t2'])
    assert.deepEqual(await sorted('--all'), ['t1', 't3', 't4'])
  })

  it('refuses what it cannot look for, and what it cannot print', async () => {
    await using place = await Workplace.create()
    for (const args of [['--', '***'], ['a', '-n', '0'], ['a', '--json', '--jsonl'], []]) {
      const { exitCode, stdout, stderr } = await place.run(['threads', 'search', ...args])
      assert.deepEqual([exitCode, stdout], [2, ''], args.join(' '))
      const isJson = args.includes('--json')
      assert.match(stderr, isJson ? /^\{.*"code":"usage".*\}\n$/ : /^bobbin: .*\n$/)
    }
  })
})
