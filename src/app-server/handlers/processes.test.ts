import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { AppServerKit, type KitClient } from '../../../test/support/app-server-kit.ts'
import type { JsonObject } from '../../base/index.ts'
import { stringAt } from '../../base/index.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const sh = (script: string) => ['sh', '-c', script]

/** All that was told of a stream. */
function outputOf(client: KitClient, method: string, stream: string): string {
  const parts = client.notifications.filter((told) => told.method === method)
  return parts
    .filter(({ params }) => params.stream === stream)
    .map(({ params }) => Buffer.from(stringAt(params, 'deltaBase64') ?? '', 'base64').toString())
    .join('')
}

const DELTA = 'command/exec/outputDelta'

describe('command/exec', () => {
  it('streams both outputs and takes input until it is closed', async () => {
    await using kit = await AppServerKit.open()
    const { client } = kit
    const streams = { streamStdin: true, streamStdoutStderr: true }
    const command = sh('read x; echo "got $x" >&2; cat')
    const done = client.request('command/exec', { command, processId: 'p', ...streams })
    const again = { command: ['cat'], processId: 'p' }
    assert.deepEqual(await client.refused('command/exec', again), {
      code: -32600,
      message: 'duplicate active command/exec process id: "p"',
    })
    await client.request('command/exec/write', { processId: 'p', deltaBase64: base64('a\nb') })
    await client.waitFor(DELTA, ({ stream }) => stream === 'stderr')
    await client.request('command/exec/write', { processId: 'p', closeStdin: true })
    assert.deepEqual(await done, { exitCode: 0, stdout: '', stderr: '' })
    assert.equal(outputOf(client, DELTA, 'stderr'), 'got a\n')
    assert.equal(outputOf(client, DELTA, 'stdout'), 'b')
  })

  it('gives a terminal of the size that is asked for, and another size later', async () => {
    await using kit = await AppServerKit.open()
    const { client } = kit
    const done = client.request('command/exec', {
      command: sh('stty size; read x; stty size'),
      processId: 't',
      tty: true,
      size: { rows: 10, cols: 30 },
    })
    await client.waitFor(DELTA)
    await client.request('command/exec/resize', { processId: 't', size: { rows: 11, cols: 22 } })
    await client.request('command/exec/write', { processId: 't', deltaBase64: base64('\n') })
    assert.deepEqual(await done, { exitCode: 0, stdout: '', stderr: '' })
    assert.equal(outputOf(client, DELTA, 'stdout'), '10 30\r\n\r\n11 22\r\n')
  })

  it('marks the piece that fills the cap, and tells no more', async () => {
    await using kit = await AppServerKit.open()
    const { client } = kit
    await client.request('command/exec', {
      command: ['echo', 'hello'],
      processId: 'c',
      streamStdoutStderr: true,
      outputBytesCap: 2,
    })
    const told = client.notifications.filter(({ method }) => method === DELTA)
    assert.deepEqual(
      told.map(({ params }) => params),
      [{ processId: 'c', stream: 'stdout', deltaBase64: base64('he'), capReached: true }],
    )
  })

  it('ends with its client, which others cannot do', async () => {
    await using kit = await AppServerKit.open()
    const owner = await kit.connect()
    const running = owner.request('command/exec', {
      command: sh('echo $$; sleep 600 & wait'),
      processId: 'mine',
      streamStdoutStderr: true,
    })
    await owner.waitFor(DELTA)
    const pid = outputOf(owner, DELTA, 'stdout').trim()
    assert.deepEqual(await kit.client.refused('command/exec/terminate', { processId: 'mine' }), {
      code: -32600,
      message: 'no active command/exec for process id "mine"',
    })
    assert.ok(existsSync(`/proc/${pid}`))
    owner.close()
    await assert.rejects(running, /hung up/)
    await kit.server.settled()
    assert.equal(existsSync(`/proc/${pid}`), false)
  })

  it('keeps a command inside the walls that its policy wants, or does not run it', async () => {
    await using kit = await AppServerKit.open()
    const outside = kit.session.at('outside.txt')
    const params: JsonObject = {
      command: sh(`echo x > "${outside}"`),
      sandboxPolicy: { type: 'readOnly' },
    }
    const answer = await kit.client.request('command/exec', params).catch((error: Error) => error)
    if (answer instanceof Error) assert.match(answer.message, /failed to confine command/)
    else assert.notEqual(answer.exitCode, 0)
    assert.equal(existsSync(outside), false)
  })
})

describe('command/exec without a policy', () => {
  const script = 'for to; do { echo x > "$to/w"; } 2>&- && echo "$to"; done; true'
  for (const [level, isWritable] of [
    ['trusted', true],
    ['untrusted', true],
    [undefined, false],
  ] as const) {
    const may = isWritable ? 'may' : 'may not'
    it(`${may} write the server's folder, whose trust is ${level ?? 'unknown'}`, async () => {
      await using kit = await AppServerKit.open([], { config: 'model = "m"\n' })
      const { client, home, project } = kit
      const trust = level ? `[projects."${project}"]\ntrust_level = "${level}"\n` : ''
      const excluded = 'exclude_slash_tmp = true\nexclude_tmpdir_env_var = true\n'
      const config = `[sandbox_workspace_write]\n${excluded}${trust}`
      await writeFile(join(home, 'config.toml'), config)
      // Also a command that runs elsewhere: that place is not writable for it.
      const params = { command: [...sh(script), 'sh', home, project], cwd: home }
      const answer = await client.request('command/exec', params).catch((error: Error) => error)
      if (answer instanceof Error) assert.match(answer.message, /failed to confine command/)
      else assert.equal(answer.stdout, isWritable ? `${project}\n` : '')
    })
  }
})

describe('process/spawn', () => {
  it('is answered before it tells anything, and tells its end', async () => {
    await using kit = await AppServerKit.open()
    const { client } = kit
    const before = client.messages.length
    const cwd = kit.project
    await client.request('process/spawn', {
      command: sh('echo out; echo err >&2; exit 4'),
      processHandle: 'h',
      cwd,
      outputBytesCap: 3,
    })
    const { params } = await client.waitFor('process/exited')
    assert.deepEqual(params, {
      processHandle: 'h',
      exitCode: 4,
      stdout: 'out',
      stdoutCapReached: true,
      stderr: 'err',
      stderrCapReached: true,
    })
    assert.deepEqual(client.messages[before]?.result, {})
  })

  it('is killed, and its name is free again', async () => {
    await using kit = await AppServerKit.open()
    const { client } = kit
    const spawn = { command: ['cat'], processHandle: 'k', cwd: kit.project, streamStdin: true }
    await client.request('process/spawn', spawn)
    await client.request('process/kill', { processHandle: 'k' })
    const { params } = await client.waitFor('process/exited')
    assert.equal(params.exitCode, -1)
    await client.request('process/spawn', spawn)
    await client.request('process/writeStdin', { processHandle: 'k', closeStdin: true })
    await client.waitFor('process/exited', ({ exitCode }) => exitCode === 0)
  })
})
