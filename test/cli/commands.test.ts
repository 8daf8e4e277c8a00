import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { assistantMessage } from '../../src/core/index.ts'
import { Workplace } from '../support/bobbin.ts'
import { ScriptedResponsesServer } from '../support/responses-server.ts'

const say = (text: string) => ({ items: [assistantMessage(text)] })

describe('bobbin', () => {
  it('teaches with --help, on every command, without touching a home', async () => {
    await using place = await Workplace.create()
    for (const args of [
      [],
      ['exec'],
      ['threads'],
      ['threads', 'list'],
      ['threads', 'show'],
      ['demo'],
    ]) {
      const { exitCode, stdout, stderr } = await place.run([...args, '--help'])
      assert.equal(exitCode, 0)
      assert.match(stdout, /^Usage: bobbin/)
      assert.equal(stderr, '')
    }
    assert.deepEqual(await place.homeFiles(), [])
  })

  it('runs its demo to the end, offline, without a key and without a home', async () => {
    await using place = await Workplace.create()
    const environment = { TMPDIR: place.root }
    const { exitCode, stdout, stderr } = await place.run(['demo'], { environment })
    assert.equal(stderr, '')
    assert.equal(exitCode, 0)
    for (const part of ['$ cat greet.js', 'M ', '+export function greet(name', 'OPENAI_API_KEY']) {
      assert.ok(stdout.includes(part), `${part} is not in:\n${stdout}`)
    }
    const made = (await readdir(place.root)).filter((name) => name.startsWith('bobbin-demo-'))
    assert.equal(made.length, 1)
    assert.deepEqual(await place.homeFiles(), [])
  })

  it('says which Node it needs, on an older one', () => {
    const bin = join(import.meta.dirname, '..', '..', 'bin', 'bobbin.cjs')
    const script = `
      Object.defineProperty(process, 'versions', { value: { node: '18.0.0' } })
      Object.defineProperty(process, 'version', { value: 'v18.0.0' })
      require('fs').existsSync = () => false
      require(${JSON.stringify(bin)})`
    const { status, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
    assert.equal(
      stderr,
      'bobbin: needs Node 24 or newer, but this is v18.0.0. Install a newer Node and try again.\n',
    )
    assert.equal(status, 2)
  })
})

describe('bobbin threads', () => {
  it('lists newest first, in pages that add up, as JSON and as text', async () => {
    await using place = await Workplace.create()
    await using model = await ScriptedResponsesServer.start(['a', 'b', 'c'].map(say))
    await place.useModel(model.baseUrl)
    for (const prompt of ['first', 'second', 'third']) await place.exec([prompt])
    const whole = JSON.parse((await place.run(['threads', 'list', '--json'])).stdout)
    const previews = whole.threads.map((thread: { preview: string }) => thread.preview)
    assert.deepEqual(previews, ['third', 'second', 'first'])
    assert.equal(whole.schemaVersion, 1)
    assert.equal(whole.nextCursor, null)
    const paged: string[] = []
    let more: string[] = []
    do {
      const page = await place.run(['threads', 'list', '--json', '-n', '1', ...more])
      const { threads, nextCursor } = JSON.parse(page.stdout)
      paged.push(...threads.map((thread: { preview: string }) => thread.preview))
      more = nextCursor === null ? [] : ['--cursor', nextCursor]
    } while (more.length > 0)
    assert.deepEqual(paged, previews)
    const text = await place.run(['threads', 'list'])
    assert.equal(text.stdout.split('\n').filter((line) => /^[0-9a-f]{8}-/.test(line)).length, 3)
  })

  it('shows what can be read of a damaged thread, and says what cannot', async () => {
    await using place = await Workplace.create()
    const id = '01a1fde1-b66d-792f-a65a-f8c7be13ff24'
    const folder = join(place.home, 'sessions', '2026', '11', '21')
    await mkdir(folder, { recursive: true })
    const line = (type: string, payload: object) =>
      JSON.stringify({ timestamp: '2026-11-21T10:00:00.000Z', type, payload })
    const meta = { id, timestamp: '2026-11-21T10:00:00.000Z', cwd: '/p', originator: 'x' }
    const lines = [
      line('session_meta', { ...meta, cli_version: '0' }),
      line('event_msg', { type: 'user_message', message: 'hello' }),
      '{"damaged',
      line('event_msg', { type: 'agent_message', message: 'hi' }),
      '{"torn',
    ]
    const path = join(folder, `rollout-2026-11-21T10-00-00-${id}.jsonl`)
    await writeFile(path, lines.join('\n'))
    const { exitCode, stdout, stderr } = await place.run(['threads', 'show', id])
    assert.equal(exitCode, 0)
    assert.match(stdout, /you {2}hello\nhi\n/)
    assert.ok(stderr.includes(`${path}:3 is not JSON`), stderr)
    assert.ok(stderr.includes(`${path}:5 is cut off at the end of the file`), stderr)
  })

  it('never lets stored text drive the terminal', async () => {
    await using place = await Workplace.create()
    await using model = await ScriptedResponsesServer.start([say('\u001b[2Jgone')])
    await place.useModel(model.baseUrl)
    await place.exec(['clear \u001b]0;title\u0007 it'])
    for (const args of [['list'], ['show', '--last']]) {
      const { stdout } = await place.run(['threads', ...args])
      assert.ok(!stdout.includes('\u001b'), JSON.stringify(stdout))
    }
  })
})
