import assert from 'node:assert/strict'
import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { NO_TOKENS, type SessionMeta, type TokenUsage } from '../../src/protocol/index.ts'
import { Workplace } from '../support/bobbin.ts'
import { event, header, says, textOf, threadIdOf, turnContext } from '../support/thread-log.ts'

interface Placed {
  readonly meta?: Partial<SessionMeta>
  readonly isArchived?: boolean
  readonly tokens?: Partial<TokenUsage>
}

/** The thread `n`, changed `n` seconds after a moment; answers its bytes. */
async function placeThread(place: Workplace, n: number, placed: Placed = {}): Promise<number> {
  const folder = placed.isArchived ? 'archived_sessions' : join('sessions', '2026', '11', '20')
  const path = join(place.home, folder, `rollout-2026-11-20T10-00-00-${threadIdOf(n)}.jsonl`)
  await mkdir(dirname(path), { recursive: true })
  const usage = { ...NO_TOKENS, ...placed.tokens }
  const info = { total_token_usage: usage, last_token_usage: usage, model_context_window: null }
  const counted = placed.tokens ? [event({ type: 'token_count', info, rate_limits: null })] : []
  const model = turnContext('t', { model: `m${n % 2}` })
  const items = [header(threadIdOf(n), placed.meta), model, ...says(`hello ${n}`), ...counted]
  const text = textOf(items)
  await writeFile(path, text)
  await utimes(path, 1_800_000_000 + n, 1_800_000_000 + n)
  return Buffer.byteLength(text)
}

async function stats(place: Workplace, ...flags: string[]) {
  const { exitCode, stdout, stderr } = await place.run(['threads', 'stats', '--json', ...flags])
  assert.equal(exitCode, 0, stderr)
  return JSON.parse(stdout)
}

describe('bobbin threads stats', () => {
  it('adds up threads, bytes and tokens, active and archived', async () => {
    await using place = await Workplace.create()
    const sizes = [
      await placeThread(place, 1, { tokens: { total_tokens: 10, input_tokens: 7 } }),
      await placeThread(place, 2, { tokens: { total_tokens: 5 }, meta: { source: 'exec' } }),
      await placeThread(place, 3, {
        isArchived: true,
        meta: { timestamp: '2026-09-01T00:00:00.000Z', cwd: '/other', model_provider: 'p' },
      }),
    ]
    const [a = 0, b = 0, c = 0] = sizes
    const { oldest, newest, largest, ...told } = await stats(place)
    assert.deepEqual(told, {
      schemaVersion: 1,
      threads: 3,
      archived: 1,
      sizeBytes: a + b + c,
      tokens: { ...NO_TOKENS, total_tokens: 15, input_tokens: 7 },
      threadsWithoutTokens: 1,
      bySource: [
        { name: 'cli', threads: 2, sizeBytes: a + c },
        { name: 'exec', threads: 1, sizeBytes: b },
      ],
      byProvider: [
        { name: 'mock', threads: 2, sizeBytes: a + b },
        { name: 'p', threads: 1, sizeBytes: c },
      ],
      byModel: [
        { name: 'm1', threads: 2, sizeBytes: a + c },
        { name: 'm0', threads: 1, sizeBytes: b },
      ],
      byFolder: [
        { name: '/repo', threads: 2, sizeBytes: a + b },
        { name: '/other', threads: 1, sizeBytes: c },
      ],
      folders: 2,
      byMonth: [
        { name: '2026-09', threads: 1, sizeBytes: c },
        { name: '2026-11', threads: 2, sizeBytes: a + b },
      ],
    })
    assert.deepEqual([oldest.id, newest.id], [threadIdOf(3), threadIdOf(3)])
    const bytes = largest.map(({ sizeBytes }: { sizeBytes: number }) => sizeBytes)
    assert.deepEqual(
      bytes,
      sizes.toSorted((x, y) => y - x),
    )
  })

  it('counts every thread once, however many there are, and the first folders only', async () => {
    await using place = await Workplace.create()
    for (let n = 1; n <= 1005; n += 1) await placeThread(place, n, { meta: { cwd: `/${n % 12}` } })
    const { threads, byFolder, folders, largest } = await stats(place)
    assert.deepEqual([threads, byFolder.length, folders, largest.length], [1005, 10, 12, 5])
  })

  it('counts what it is told to: a folder, a time, the threads of agents', async () => {
    await using place = await Workplace.create()
    await placeThread(place, 1, { meta: { cwd: place.project } })
    await placeThread(place, 2, { meta: { source: { subagent: 'review' } } })
    await placeThread(place, 3)
    const since = new Date(1_800_000_003_000).toISOString()
    assert.equal((await stats(place)).threads, 2)
    assert.equal((await stats(place, '--all')).threads, 3)
    assert.equal((await stats(place, '--cwd', '.')).threads, 1)
    assert.equal((await stats(place, '--since', since)).threads, 1)
    assert.equal((await place.run(['threads', 'stats', '--since', 'soon'])).exitCode, 2)
  })

  it('prints aligned text, and has something to say of nothing', async () => {
    await using place = await Workplace.create()
    const empty = await place.run(['threads', 'stats'])
    assert.deepEqual(
      [empty.exitCode, empty.stdout],
      [0, 'threads     0, 0 of them archived\nsize        0 B\ntokens      not known\n'],
    )
    await placeThread(place, 1, { tokens: { total_tokens: 1234, output_tokens: 34 } })
    const { stdout } = await place.run(['threads', 'stats'])
    assert.match(stdout, /^threads {5}1, 0 of them archived\nsize {8}[\d.]+ (B|KiB)\n/)
    assert.match(stdout, /\ntokens {6}1,234 \(0 in, of which 0 cached; 34 out\)\n/)
    assert.match(stdout, /\nfolder\n {2}1 {2}[\d.]+ (B|KiB) {2}\/repo\n/)
  })
})
