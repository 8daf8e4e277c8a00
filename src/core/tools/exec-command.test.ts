import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { noClients } from '../../../test/support/clients.ts'
import { TempFolder } from '../../../test/support/temp-folder.ts'
import { TestClock } from '../../../test/support/test-clock.ts'
import type { JsonObject } from '../../base/index.ts'
import type { RolloutItem, SessionEvent } from '../../protocol/index.ts'
import type { LiveThread } from '../../thread-store/index.ts'
import { EventHub } from '../session/event-hub.ts'
import { EventRecorder } from '../session/event-recorder.ts'
import type { SessionSettings } from '../settings.ts'
import { TurnDiff } from '../turn/turn-diff.ts'
import { Approvals } from './approvals.ts'
import { CommandRunner } from './command-runner.ts'
import { execCommandTool } from './exec-command.ts'
import { noExecPolicy } from './exec-policy/index.ts'
import type { ToolContext } from './tool.ts'

type StoredEnd = Extract<
  Extract<RolloutItem, { type: 'event_msg' }>['payload'],
  { type: 'exec_command_end' }
>

/** The tool with a recorder whose lines and events the test can look at. */
async function open(settings: Partial<SessionSettings> = {}) {
  const folder = await TempFolder.create()
  const cwd = folder.at('project')
  await mkdir(cwd)
  const clock = new TestClock()
  const environment = { PATH: process.env.PATH, SHELL: '/bin/sh' }
  const runner = new CommandRunner(environment, 'thread-1', clock)
  const sandbox = async () => ({ isThere: false, reason: 'none is wanted here' }) as const
  const approvals = new Approvals({ execPolicy: noExecPolicy, sandbox, clock })
  const tool = execCommandTool(runner, approvals)
  const kept: RolloutItem[] = []
  const told: SessionEvent[] = []
  const hub = new EventHub()
  hub.listen((event) => told.push(event))
  const append = async (items: readonly RolloutItem[]) => void kept.push(...items)
  const stop = new AbortController()
  const context: ToolContext = {
    turnId: 'turn',
    settings: {
      cwd,
      model: 'm',
      modelProvider: 'p',
      approvalPolicy: 'never',
      sandboxPolicy: { type: 'danger-full-access' },
      ...settings,
    },
    recorder: new EventRecorder({ append } as unknown as LiveThread, hub),
    clients: noClients,
    turnDiff: new TurnDiff('/'),
    remember: async () => undefined,
    interruptTurn: () => undefined,
    signal: stop.signal,
  }
  const run = (args: JsonObject) => {
    const input = JSON.stringify({ login: false, ...args })
    return tool.run({ callId: 'call', name: 'exec_command', kind: 'function', input }, context)
  }
  const ends = () =>
    kept.flatMap((item) =>
      item.type === 'event_msg' && item.payload.type === 'exec_command_end' ? [item.payload] : [],
    )
  return {
    folder,
    cwd,
    clock,
    tool,
    runner,
    kept,
    told,
    stop,
    run,
    ends,
    async [Symbol.asyncDispose]() {
      await runner[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

function shellPatch(lines: readonly string[], before = ''): string {
  const patch = ['*** Begin Patch', ...lines, '*** End Patch'].join('\n')
  return `${before}apply_patch <<'EOF'\n${patch}\nEOF`
}

describe('exec_command', () => {
  it('runs in the folder of the turn, tells and keeps its end, and answers', async () => {
    await using at = await open()
    const answer = await at.run({ cmd: 'pwd; echo err >&2; exit 3' })
    const output = `${at.cwd}\nerr\n`
    assert.match(
      String(answer),
      /^Chunk ID: [0-9a-f]{6}\nWall time: 0\.0000 seconds\nProcess exited with code 3\nOriginal/,
    )
    assert.ok(String(answer).endsWith(`\nOutput:\n${output}`))
    const [kept] = at.ends()
    const processId = kept?.process_id ?? null
    assert.match(processId ?? '', /^\d+$/)
    const end: StoredEnd = {
      type: 'exec_command_end',
      call_id: 'call',
      process_id: processId ?? '',
      turn_id: 'turn',
      command: ['/bin/sh', '-c', 'pwd; echo err >&2; exit 3'],
      cwd: at.cwd,
      parsed_cmd: [{ type: 'unknown', cmd: 'pwd; echo err >&2; exit 3' }],
      source: 'unified_exec_startup',
      stdout: '',
      stderr: '',
      aggregated_output: output,
      exit_code: 3,
      duration: { secs: 0, nanos: 0 },
      formatted_output: '',
      status: 'failed',
    }
    assert.deepEqual(at.ends(), [end])
    const [started, ...rest] = at.told
    const item = {
      type: 'commandExecution',
      id: 'call',
      command: "/bin/sh -c 'pwd; echo err >&2; exit 3'",
      cwd: at.cwd,
      processId,
      source: 'unifiedExecStartup',
      commandActions: [{ type: 'unknown', command: 'pwd; echo err >&2; exit 3' }],
    }
    assert.deepEqual(started, {
      type: 'itemStarted',
      turnId: 'turn',
      item: {
        ...item,
        status: 'inProgress',
        aggregatedOutput: null,
        exitCode: null,
        durationMs: null,
      },
    })
    const deltas = rest.flatMap((event) => (event.type === 'commandOutputDelta' ? [event] : []))
    assert.equal(deltas.map(({ delta }) => delta).join(''), output)
    assert.deepEqual(rest.at(-1), {
      type: 'itemCompleted',
      turnId: 'turn',
      item: { ...item, status: 'failed', aggregatedOutput: output, exitCode: 3, durationMs: 0 },
    })
  })

  it('runs in another folder and shell, and knows its thread', async () => {
    await using at = await open()
    await mkdir(at.folder.at('project', 'sub'))
    const answer = await at.run({
      cmd: 'pwd; echo $0 $CODEX_THREAD_ID',
      workdir: 'sub',
      shell: 'bash',
    })
    assert.ok(String(answer).endsWith(`Output:\n${at.cwd}/sub\n/bin/bash thread-1\n`), `${answer}`)
  })

  it('keeps the head and the tail of over 10,000 bytes, whole characters of them', async () => {
    await using at = await open()
    const cmd =
      'printf "a"; i=0; while [ $i -lt 700 ]; do printf "%s" "€€€€€€€€€€"; i=$((i+1)); done'
    await at.run({ cmd })
    const whole = `a${'€'.repeat(7000)}`
    const [end] = at.ends()
    const { aggregated_output: kept } = end ?? assert.fail()
    const [head = '', note, tail = ''] = kept.split('\n')
    assert.equal(note, `… ${Buffer.byteLength(whole) - 10_000} bytes left out …`)
    assert.ok(whole.startsWith(head) && whole.endsWith(tail) && !kept.includes('\uFFFD'))
    assert.deepEqual([Buffer.byteLength(head), Buffer.byteLength(tail)], [4999, 4998])
    const last = at.told.at(-1)
    assert.ok(last?.type === 'itemCompleted' && last.item.type === 'commandExecution')
    assert.equal(last.item.aggregatedOutput, whole)
  })

  it('keeps an output of 10,000 bytes whole', async () => {
    await using at = await open()
    await at.run({ cmd: 'printf "%010000d" 1' })
    assert.equal(at.ends()[0]?.aggregated_output, `${'0'.repeat(9999)}1`)
  })

  it('tells and keeps a command that could not be started as failed', async () => {
    await using at = await open()
    const answer = await at.run({ cmd: 'true', workdir: 'missing' })
    assert.match(String(answer), /^exec_command failed for `\/bin\/sh -c true`: CreateProcess \{/)
    assert.deepEqual(
      at.ends().map(({ status, exit_code }) => [status, exit_code]),
      [['failed', -1]],
    )
    assert.deepEqual(
      at.told.map(({ type }) => type),
      ['itemCompleted'],
    )
  })

  it('declines what may not run, keeps and tells that, and runs nothing', async () => {
    await using at = await open({ sandboxPolicy: { type: 'read-only' } })
    const answer = await at.run({ cmd: 'touch x' })
    assert.match(String(answer), /CreateProcess \{ message: "Rejected\(\\"sandbox mode/)
    assert.ok(!existsSync(at.folder.at('project', 'x')))
    assert.deepEqual(
      at.ends().map(({ status }) => status),
      ['declined'],
    )
    const [told, ...others] = at.told
    assert.ok(told?.type === 'itemCompleted' && told.item.type === 'commandExecution')
    assert.deepEqual([told.item.status, told.item.exitCode, others], ['declined', null, []])
  })

  it('refuses to leave the sandbox', async () => {
    await using at = await open({
      sandboxPolicy: {
        type: 'workspace-write',
        network_access: false,
        exclude_slash_tmp: true,
        exclude_tmpdir_env_var: true,
      },
    })
    const args = { cmd: 'ls', sandbox_permissions: 'require_escalated', justification: 'please' }
    assert.match(String(await at.run(args)), /approval policy is Never; reject command — you/)
    assert.match(String(await at.run({ cmd: 'ls' })), /Process exited with code 0/)
  })

  it('ends with the turn, its end kept and told before it gives up', async () => {
    await using at = await open()
    const running = at.run({ cmd: 'echo up; exec sleep 100' })
    while (!at.told.some(({ type }) => type === 'commandOutputDelta')) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    const reason = new Error('stop')
    at.stop.abort(reason)
    await assert.rejects(running, reason)
    assert.deepEqual(
      at.ends().map(({ status, exit_code }) => [status, exit_code]),
      [['failed', -1]],
    )
    assert.equal(at.told.at(-1)?.type, 'itemCompleted')
  })

  it('is not started by a turn that has ended', async () => {
    await using at = await open()
    at.stop.abort(new Error('stop'))
    await assert.rejects(at.run({ cmd: 'touch x' }), /stop/)
    assert.ok(!existsSync(at.folder.at('project', 'x')))
    assert.deepEqual(at.kept, [])
  })
})

describe('a patch through the shell', () => {
  it('is applied and told as a patch, and runs no command', async () => {
    await using at = await open()
    const answer = await at.run({ cmd: shellPatch(['*** Add File: a.txt', '+one']) })
    const success = 'Success. Updated the following files:\nA a.txt\n'
    assert.equal(
      answer,
      `Wall time: 0.0000 seconds\nOutput:\nExit code: 0\nWall time: 0 seconds\nOutput:\n${success}`,
    )
    assert.equal(readFileSync(at.folder.at('project', 'a.txt'), 'utf8'), 'one\n')
    assert.deepEqual(
      at.kept.map((item) => item.type === 'event_msg' && item.payload.type),
      ['patch_apply_end'],
    )
  })

  it('is resolved against the folder that is changed to, and the one asked for', async () => {
    await using at = await open()
    await mkdir(at.folder.at('project', 'sub', 'deep'), { recursive: true })
    const patch = ['*** Add File: a.txt', '+one']
    await at.run({ cmd: shellPatch(patch, 'cd deep && '), workdir: 'sub' })
    await at.run({ cmd: shellPatch(patch, "cd 'sub' && ") })
    await at.run({ cmd: shellPatch(patch), workdir: 'sub/deep/../..' })
    for (const path of ['sub/deep/a.txt', 'sub/a.txt', 'a.txt']) {
      assert.ok(existsSync(at.folder.at('project', path)), path)
    }
  })

  it('has the rules of a patch, not those of a command', async () => {
    const sandboxPolicy = {
      type: 'workspace-write',
      network_access: false,
      exclude_slash_tmp: true,
      exclude_tmpdir_env_var: true,
    } as const
    await using at = await open({ sandboxPolicy })
    await at.run({ cmd: shellPatch(['*** Add File: a.txt', '+one']) })
    assert.ok(existsSync(at.folder.at('project', 'a.txt')))
    const outside = await at.run({ cmd: shellPatch(['*** Add File: ../b.txt', '+one']) })
    assert.match(String(outside), /^patch rejected: writing outside of the project/)
    assert.ok(!existsSync(at.folder.at('b.txt')))
  })

  it('that does not fit answers why, as the patch tool does', async () => {
    await using at = await open()
    const cmd = shellPatch(['*** Update File: none.txt', '@@', '-a', '+b'])
    assert.match(String(await at.run({ cmd })), /^apply_patch verification failed: Failed to read/)
    assert.match(
      String(await at.run({ cmd: '*** Begin Patch\n*** Add File: x\n+y\n*** End Patch' })),
      /^apply_patch verification failed: patch detected without explicit call to apply_patch/,
    )
    assert.deepEqual(at.kept, [])
  })

  it('is not applied by a turn that has ended', async () => {
    await using at = await open()
    at.stop.abort(new Error('stop'))
    await assert.rejects(at.run({ cmd: shellPatch(['*** Add File: a.txt', '+one']) }), /stop/)
    assert.ok(!existsSync(at.folder.at('project', 'a.txt')))
  })

  it('does not share the floor, as commands do', async () => {
    await using at = await open()
    const isParallel = (input: string) =>
      at.tool.isParallel({ callId: 'c', name: 'exec_command', kind: 'function', input })
    const patch = shellPatch(['*** Add File: a.txt', '+one'])
    assert.deepEqual(
      [JSON.stringify({ cmd: 'ls' }), JSON.stringify({ cmd: patch }), '{'].map(isParallel),
      [true, false, true],
    )
  })
})
