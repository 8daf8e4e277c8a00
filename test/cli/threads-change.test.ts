import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { assistantMessage } from '../../src/core/index.ts'
import { parseThreadId } from '../../src/protocol/index.ts'
import { WriterLease } from '../../src/thread-store/local/writer-lease.ts'
import { jsonLines, Workplace } from '../support/bobbin.ts'
import { ScriptedResponsesServer } from '../support/responses-server.ts'

/** Threads with these prompts; their ids, in order. */
async function threadsOf(place: Workplace, prompts: readonly string[]): Promise<string[]> {
  const say = (text: string) => ({ items: [assistantMessage(text)] })
  await using model = await ScriptedResponsesServer.start(prompts.map(() => say('done')))
  await place.useModel(model.baseUrl)
  const ids: string[] = []
  for (const prompt of prompts) {
    const { stdout } = await place.exec(['--json', prompt])
    ids.push(String(jsonLines(stdout)[0]?.thread_id))
  }
  return ids
}

async function listed(place: Workplace, ...flags: string[]): Promise<[string, string | null][]> {
  const { stdout } = await place.run(['threads', 'list', '--json', ...flags])
  const { threads } = JSON.parse(stdout) as { threads: { id: string; name: string | null }[] }
  return threads.map(({ id, name }) => [id, name])
}

describe('bobbin threads', () => {
  it('names a thread, finds it by the name, and takes the name away', async () => {
    await using place = await Workplace.create()
    const [id = ''] = await threadsOf(place, ['first'])
    assert.equal((await place.run(['threads', 'name', id, 'The one'])).exitCode, 0)
    assert.deepEqual(await listed(place), [[id, 'The one']])
    for (const [flags, count] of [
      [['--text', 'the ONE', '--source', 'exec', '--provider', 'mock', '--since', '1d'], 1],
      [['--text', 'the ONE', '--branch', 'main'], 0],
      [['--since', '2999-01-01'], 0],
    ] as const) {
      assert.equal((await listed(place, ...flags)).length, count, flags.join(' '))
    }
    const shown = await place.run(['threads', 'show', 'The one', '--json'])
    assert.equal(JSON.parse(shown.stdout).thread.id, id)
    const named = await place.run(['threads', 'name', '--last', 'Other', '--json'])
    assert.equal(JSON.parse(named.stdout).threads[0].name, 'Other')
    await place.run(['threads', 'name', id, '--clear'])
    assert.deepEqual(await listed(place), [[id, null]])
    for (const words of [[id], [id, ' '], [id, 'a', 'b'], [id, 'a', '--clear'], []]) {
      assert.equal((await place.run(['threads', 'name', ...words])).exitCode, 2, words.join())
    }
    assert.deepEqual(await listed(place), [[id, null]])
  })

  it('refuses what another process has open, and says who that is', async () => {
    await using place = await Workplace.create()
    const [id = ''] = await threadsOf(place, ['first'])
    const holder = { client: 'another program', nowMs: Date.UTC(2026, 10, 21, 9) }
    await using lease = await WriterLease.take(
      place.home,
      parseThreadId(id) ?? assert.fail(),
      holder,
    )
    lease.noteActivity('turn')
    const who = `open for writing in process ${process.pid} (another program)`
    for (const args of [
      ['exec', '--skip-git-repo-check', 'resume', id, 'more'],
      ['threads', 'name', id, 'N'],
      ['threads', 'rollback', id],
      ['threads', 'archive', id],
      ['threads', 'delete', id, '--yes'],
    ]) {
      const { exitCode, stderr } = await place.run(args)
      assert.equal(exitCode, 4, stderr)
      assert.ok(stderr.includes(`${who} since 2026-11-21T09:00:00Z, in a turn`), stderr)
    }
    assert.equal((await place.run(['threads', 'show', id])).exitCode, 0)
    assert.equal((await place.run(['threads', 'fork', id])).exitCode, 0)
  })

  it('archives and brings back, several at once', async () => {
    await using place = await Workplace.create()
    const [first = '', second = ''] = await threadsOf(place, ['first', 'second'])
    const archived = await place.run(['threads', 'archive', first, second])
    assert.deepEqual([archived.exitCode, archived.stderr], [0, 'archived 2 threads\n'])
    assert.deepEqual(await listed(place), [])
    assert.equal((await listed(place, '--archived')).length, 2)
    assert.equal((await place.run(['threads', 'archive', first])).exitCode, 4)
    assert.equal((await place.run(['threads', 'unarchive', first])).exitCode, 0)
    assert.deepEqual(await listed(place), [[first, null]])
    assert.equal((await place.run(['threads', 'unarchive', first])).exitCode, 4)
  })

  it('deletes only what was confirmed, and all of it', async () => {
    await using place = await Workplace.create()
    const [gone = '', stays = ''] = await threadsOf(place, ['first', 'second'])
    await place.run(['threads', 'name', gone, 'Secret name'])
    const asked = await place.run(['threads', 'delete', gone])
    assert.equal(asked.exitCode, 5)
    assert.match(asked.stderr, /delete 1 thread, \d+ bytes\? \(nothing was deleted; add --yes\)/)
    assert.equal((await listed(place)).length, 2)
    const unknown = await place.run(['threads', 'delete', '--yes', gone, 'no such thread'])
    assert.equal(unknown.exitCode, 3)
    assert.equal((await listed(place)).length, 2)
    const deleted = await place.run(['threads', 'delete', '--yes', gone])
    assert.deepEqual([deleted.exitCode, deleted.stderr], [0, 'deleted one thread\n'])
    assert.deepEqual(await listed(place), [[stays, null]])
    const logs = (await place.homeFiles()).filter((name) => name.endsWith('.jsonl'))
    const texts = await Promise.all(logs.map((name) => readFile(join(place.home, name), 'utf8')))
    assert.ok(!texts.join('').includes('Secret name') && !texts.join('').includes(gone))
  })

  it('exports a thread as Markdown, and as the items of its log', async () => {
    await using place = await Workplace.create()
    const [id = ''] = await threadsOf(place, ['what is ```this```?'])
    const markdown = (await place.run(['threads', 'export', id])).stdout
    assert.match(markdown, /^# what is ```this```\?\n\n- Thread: `/)
    assert.match(markdown, /\n## You\n\nwhat is ```this```\?\n\n## Agent\n\ndone\n$/)
    await place.run(['threads', 'export', '--last', '-f', 'jsonl', '-o', 'out.jsonl'])
    const path = join(place.project, 'out.jsonl')
    const items = jsonLines(await readFile(path, 'utf8'))
    assert.deepEqual(
      items,
      (await place.rolloutLines()).map(({ type, payload }) => ({ type, payload })),
    )
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.equal((await place.run(['threads', 'export', id, '-f', 'pdf'])).exitCode, 2)
  })

  it('ends quietly when its reader has seen enough', async () => {
    await using place = await Workplace.create()
    await threadsOf(place, ['x'.repeat(100_000)])
    const bin = join(import.meta.dirname, '..', '..', 'bin', 'bobbin.cjs')
    const command = `"${process.execPath}" "${bin}" threads show --last --json | head -c 10`
    const options = { cwd: place.project, env: place.environment, encoding: 'utf8' } as const
    const { stderr, stdout } = spawnSync('/bin/sh', ['-c', command], options)
    assert.deepEqual([stdout, stderr], ['{"schemaVe', ''])
  })
})

describe('bobbin threads fork and rollback', () => {
  const turnsOf = async (place: Workplace, id: string): Promise<{ id: string; said: string }[]> => {
    const { stdout } = await place.run(['threads', 'show', id, '--json'])
    const { turns } = JSON.parse(stdout)
    return turns.map((turn: { id: string; items: { content?: { text: string }[] }[] }) => ({
      id: turn.id,
      said: turn.items[0]?.content?.[0]?.text,
    }))
  }

  it('forks whole or at a turn, and the source stays as it is', async () => {
    await using place = await Workplace.create()
    const say = { items: [assistantMessage('done')] }
    await using model = await ScriptedResponsesServer.start(() => say)
    await place.useModel(model.baseUrl)
    const { stdout } = await place.exec(['--json', 'one'])
    const id = String(jsonLines(stdout)[0]?.thread_id)
    await place.exec(['resume', id, 'two'])
    await place.run(['threads', 'name', id, 'Source'])
    const turns = await turnsOf(place, id)
    const whole = JSON.parse((await place.run(['threads', 'fork', id, '--json'])).stdout).thread
    assert.deepEqual([whole.forkedFromId, whole.name, whole.preview], [id, null, 'one'])
    assert.deepEqual(await turnsOf(place, whole.id), turns)
    const args = ['threads', 'fork', id, '--at', turns[0]?.id ?? '', '--json']
    const first = JSON.parse((await place.run(args)).stdout).thread
    assert.deepEqual(await turnsOf(place, first.id), turns.slice(0, 1))
    await place.exec(['resume', first.id, 'another way'])
    assert.deepEqual(
      (await turnsOf(place, first.id)).map((turn) => turn.said),
      ['one', 'another way'],
    )
    assert.deepEqual(await turnsOf(place, id), turns)
    const unknown = await place.run(['threads', 'fork', id, '--at', 'nope'])
    assert.equal(unknown.exitCode, 2)
    assert.equal((await listed(place)).length, 3)
  })

  it('rolls back for people and for the model, and removes nothing', async () => {
    await using place = await Workplace.create()
    const say = { items: [assistantMessage('done')] }
    await using model = await ScriptedResponsesServer.start(() => say)
    await place.useModel(model.baseUrl)
    for (const words of [['one'], ['resume', '--last', 'two'], ['resume', '--last', 'three']]) {
      await place.exec(words)
    }
    const before = await place.rolloutLines()
    const rolled = await place.run(['threads', 'rollback', '--last', '-n', '2', '--json'])
    assert.equal(JSON.parse(rolled.stdout).turns.length, 1)
    assert.deepEqual((await place.rolloutLines()).slice(0, before.length), before)
    await place.exec(['resume', '--last', 'four'])
    const input = JSON.stringify(model.modelRequests.at(-1)?.body.input)
    for (const text of ['"one"', '"four"']) assert.ok(input.includes(text))
    for (const text of ['"two"', '"three"']) assert.ok(!input.includes(text))
    for (const count of ['3', '0', 'x']) {
      const refused = await place.run(['threads', 'rollback', '--last', '-n', count])
      assert.equal(refused.exitCode, 2, count)
    }
  })
})
