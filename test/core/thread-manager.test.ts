import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { assistantMessage, functionCall } from '../../src/core/index.ts'
import { newThreadId, userText } from '../../src/protocol/index.ts'
import { hangsAfter, type Step, started } from '../support/played-model.ts'
import { runTurn, SessionKit, text, Watch } from '../support/session-kit.ts'
import { TestClock } from '../support/test-clock.ts'

const done = { items: [assistantMessage('done')] }

function runs(cmd: string, callId: string, args: object = {}) {
  return functionCall('exec_command', { cmd, login: false, ...args }, callId)
}

async function isGone(pid: number): Promise<void> {
  const stat = `/proc/${pid}/stat`
  while (existsSync(stat) && !/\) Z/.test(readFileSync(stat, 'latin1'))) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('closing a thread', () => {
  it('interrupts the turn that runs, keeps its end, and ends the events', async () => {
    await using kit = await SessionKit.open([hangsAfter(assistantMessage('half', { id: 'm1' }))])
    const handle = await kit.start()
    const types: string[] = []
    const reading = (async () => {
      for await (const event of handle.events()) types.push(event.type)
    })()
    using watch = new Watch(handle)
    const answered = watch.next(
      (event) => event.type === 'itemCompleted' && event.item.type === 'agentMessage',
    )
    await handle.startTurn(text('go'))
    await answered
    await handle.close()
    await reading
    assert.equal(types.at(-1), 'turnCompleted')
    assert.equal(kit.kinds().at(-1), 'event_msg turn_aborted')
    await assert.rejects(handle.startTurn(text('more')), { code: 'closed' })
    await handle.interrupt()
    await handle.close()
  })

  it('while a turn is being started ends that turn', async () => {
    await using kit = await SessionKit.open([])
    const handle = await kit.start()
    const starting = handle.startTurn(text('go'))
    await handle.close()
    const turnId = await starting
    assert.deepEqual(
      kit.turns().map(({ id, status }) => [id, status]),
      [[turnId, 'interrupted']],
    )
  })

  it('twice at once closes once, and both wait', async () => {
    await using kit = await SessionKit.open([hangsAfter()])
    const handle = await kit.start()
    await handle.startTurn(text('go'))
    const ends: string[] = []
    await Promise.all(
      ['first', 'second'].map(async (name) => {
        await handle.close()
        ends.push(`${name} ${kit.kinds().at(-1)}`)
      }),
    )
    assert.deepEqual(ends, ['first event_msg turn_aborted', 'second event_msg turn_aborted'])
  })

  it('kills the commands that go on in the background', async () => {
    const cmd = 'echo $$ > pid; echo up; exec sleep 100'
    await using kit = await SessionKit.open([
      { items: [runs(cmd, 'call_1', { yield_time_ms: 250 })] },
      done,
    ])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const up = watch.next((event) => event.type === 'commandOutputDelta')
    const yielding = kit.clock.slept((ms) => ms === 250)
    const turn = runTurn(handle, 'go')
    await Promise.all([up, yielding])
    kit.clock.wake()
    await turn
    const pid = Number(await readFile(kit.at('project', 'pid'), 'utf8'))
    const lines = kit.lines().length
    await handle.close()
    await isGone(pid)
    assert.equal(kit.lines().length, lines)
    assert.equal(watch.events.at(-1)?.type, 'turnCompleted')
  })

  it('does not forget a handle of the same thread that was opened since', async () => {
    await using kit = await SessionKit.open([done, hangsAfter()])
    const first = await kit.start()
    await runTurn(first, 'one')
    await first.close()
    const second = await kit.resume(first.threadId)
    await first.close()
    await first[Symbol.asyncDispose]()
    assert.equal(kit.manager.get(first.threadId), second)
    await assert.rejects(kit.resume(first.threadId), { code: 'already_loaded' })
  })

  it('of a thread without a turn leaves nothing, and it cannot be resumed', async () => {
    await using kit = await SessionKit.open([])
    const handle = await kit.start()
    await handle.close()
    assert.deepEqual(readdirSync(kit.home), [])
    await assert.rejects(kit.resume(handle.threadId), { failure: notFound(handle.threadId) })
  })
})

function notFound(threadId: string) {
  return { code: 'thread_not_found', threadId }
}

describe('an ephemeral thread', () => {
  it('runs turns and leaves no byte in the home', async () => {
    await using kit = await SessionKit.open([{ items: [runs('echo hi', 'call_1')] }, done])
    const handle = await kit.start({}, true)
    assert.equal((await runTurn(handle, 'go')).status, 'completed')
    assert.equal(kit.model.requests[1]?.input.at(-1)?.type, 'function_call_output')
    await handle.close()
    assert.deepEqual(readdirSync(kit.home), [])
  })
})

describe('resuming a thread', () => {
  it('takes model, effort, provider from the log, the rest from the caller', async () => {
    const asked: string[] = []
    const client = { current: undefined as SessionKit['model'] | undefined }
    await using kit = await SessionKit.open([done, done], {
      manager: {
        modelAccess: (provider) => {
          asked.push(provider)
          return { client: client.current ?? assert.fail(), streamMaxRetries: 0 }
        },
      },
    })
    client.current = kit.model
    const first = await kit.start({ model: 'gpt-5.1', effort: 'high', modelProvider: 'other' })
    await runTurn(first, 'one')
    await kit.restart()
    const sandboxPolicy = { type: 'read-only' } as const
    const given = { cwd: '/', model: 'gpt-9', effort: 'low', sandboxPolicy } as const
    const again = await kit.resume(first.threadId, given)
    assert.deepEqual(again.settings, {
      ...kit.settings,
      cwd: '/',
      sandboxPolicy,
      model: 'gpt-5.1',
      effort: 'high',
      modelProvider: 'other',
    })
    await runTurn(again, 'two')
    assert.deepEqual(asked, ['other', 'other'])
    assert.deepEqual(kit.model.requests[1]?.reasoning, { effort: 'high' })
  })

  it('takes what is given for this run before what the log holds', async () => {
    await using kit = await SessionKit.open([done])
    const first = await kit.start({ model: 'gpt-5.1', effort: 'high' })
    await runTurn(first, 'one')
    await kit.restart()
    const settled = async (
      defaults: { effort?: string },
      overrides: Parameters<SessionKit['resume']>[2],
    ) => {
      await using handle = await kit.resume(first.threadId, defaults, overrides)
      const { model, effort, modelProvider } = handle.settings
      return [model, effort, modelProvider]
    }
    const other = { model: 'gpt-5.5', modelProvider: 'mine' }
    assert.deepEqual(await settled({}, {}), ['gpt-5.1', 'high', 'mock'])
    assert.deepEqual(await settled({}, { effort: 'low' }), ['gpt-5.1', 'low', 'mock'])
    assert.deepEqual(await settled({}, { model: 'gpt-5.1' }), ['gpt-5.1', 'high', 'mock'])
    // Another model does not inherit an effort that was chosen for the former.
    assert.deepEqual(await settled({}, other), ['gpt-5.5', undefined, 'mine'])
    assert.deepEqual(await settled({ effort: 'low' }, other), ['gpt-5.5', 'low', 'mine'])
  })

  it('keeps the instructions of its header', async () => {
    await using kit = await SessionKit.open([done, done])
    const first = await kit.start()
    await runTurn(first, 'one')
    await kit.restart()
    const [path = ''] = kit.logs()
    const [header = '', ...rest] = readFileSync(path, 'utf8').split('\n')
    const line = JSON.parse(header)
    line.payload.base_instructions = { text: 'Old words.' }
    await writeFile(path, [JSON.stringify(line), ...rest].join('\n'))
    await runTurn(await kit.resume(first.threadId), 'two')
    const seen = kit.model.requests.map(({ instructions }) => instructions.split('\n')[0])
    assert.deepEqual(seen, [
      'You are a coding agent. You work in the checkout of the user,',
      'Old words.',
    ])
  })

  it('goes on with the token counts', async () => {
    await using kit = await SessionKit.open([done, done])
    const first = await kit.start()
    await runTurn(first, 'one')
    await kit.restart()
    const again = await kit.resume(first.threadId)
    using watch = new Watch(again)
    await runTurn(again, 'two')
    assert.equal(watch.of('tokenCount')[0]?.info?.total_token_usage.total_tokens, 240)
  })

  it('is refused while it is loaded, and leaves the loaded one alone', async () => {
    await using kit = await SessionKit.open([done, done])
    const handle = await kit.start()
    await assert.rejects(kit.resume(handle.threadId), { code: 'already_loaded' })
    await runTurn(handle, 'one')
    await assert.rejects(kit.resume(handle.threadId), { code: 'already_loaded' })
    assert.equal((await runTurn(handle, 'two')).status, 'completed')
  })

  it('twice at once gives one handle and one refusal', async () => {
    await using kit = await SessionKit.open([done, done])
    const first = await kit.start()
    await runTurn(first, 'one')
    await kit.restart()
    const results = await Promise.allSettled([
      kit.resume(first.threadId),
      kit.resume(first.threadId),
    ])
    assert.deepEqual(
      results.map((result) => (result.status === 'rejected' ? result.reason.code : 'loaded')),
      ['loaded', 'already_loaded'],
    )
    const handle = kit.manager.get(first.threadId) ?? assert.fail()
    assert.equal((await runTurn(handle, 'two')).status, 'completed')
  })

  it('of an unknown thread fails, each time', async () => {
    await using kit = await SessionKit.open([])
    const threadId = newThreadId()
    for (const _ of [1, 2]) {
      await assert.rejects(kit.resume(threadId), { failure: notFound(threadId) })
    }
  })

  it('tells what storage noticed to whoever listens first, once', async () => {
    await using kit = await SessionKit.open([done, done])
    const first = await kit.start()
    await runTurn(first, 'one')
    await kit.restart()
    const [path = ''] = kit.logs()
    await appendFile(path, '{"timestamp":"2026-11-20T12:00:00.000Z","type":"event_m')
    const again = await kit.resume(first.threadId)
    using watch = new Watch(again)
    using later = new Watch(again)
    await watch.next((event) => event.type === 'warning')
    const message = `the last line of ${path} was cut off; the thread goes on after it`
    assert.deepEqual(watch.events, [{ type: 'warning', turnId: null, message }])
    assert.deepEqual(later.events, watch.events)
    using muchLater = new Watch(again)
    assert.equal((await runTurn(again, 'two')).status, 'completed')
    assert.deepEqual(muchLater.of('warning'), [])
    assert.equal(kit.model.requests[1]?.input.length, 5)
  })
})

describe('a thread that cannot be loaded', () => {
  it('is let go: its provider may be mended and the thread resumed', async () => {
    let isBroken = false
    const client = { current: undefined as SessionKit['model'] | undefined }
    await using kit = await SessionKit.open([done, done], {
      manager: {
        modelAccess: () => {
          if (isBroken) throw new Error('no such provider')
          return { client: client.current ?? assert.fail(), streamMaxRetries: 0 }
        },
      },
    })
    client.current = kit.model
    const first = await kit.start()
    await runTurn(first, 'one')
    await first.close()
    isBroken = true
    await assert.rejects(kit.start(), /no such provider/)
    await assert.rejects(kit.resume(first.threadId), /no such provider/)
    assert.equal(kit.manager.get(first.threadId), undefined)
    isBroken = false
    const again = await kit.resume(first.threadId)
    assert.equal((await runTurn(again, 'two')).status, 'completed')
  })
})

describe('disposing the manager', () => {
  it('closes all threads, also those being loaded, and takes no more', async () => {
    await using kit = await SessionKit.open([done, hangsAfter(), hangsAfter()])
    const stored = await kit.start()
    await runTurn(stored, 'one')
    await stored.close()
    const handles = [await kit.start(), await kit.start()]
    const turns = await Promise.all(handles.map((handle) => handle.startTurn(text('go'))))
    const loading = kit.resume(stored.threadId)
    await kit.manager[Symbol.asyncDispose]()
    handles.push(await loading)
    for (const handle of handles) {
      assert.equal(kit.manager.get(handle.threadId), undefined)
      await assert.rejects(handle.startTurn(text('more')), { code: 'closed' })
    }
    await assert.rejects(kit.start(), { code: 'closed' })
    await assert.rejects(kit.resume(stored.threadId), { code: 'closed' })
    const ended = kit.logs().map((path) => readFileSync(path, 'utf8'))
    const aborted = ended.filter((log) =>
      turns.some((id) => log.includes(`"turn_aborted","turn_id":"${id}"`)),
    )
    assert.equal(aborted.length, 2)
    await kit.manager[Symbol.asyncDispose]()
  })

  it('closes the others when one cannot be saved', async () => {
    await using kit = await SessionKit.open([hangsAfter(), hangsAfter()])
    const [bad, good] = [await kit.start(), await kit.start()]
    await bad.startTurn(text('bad'))
    await good.startTurn(text('good'))
    let hasFailed = false
    kit.files.plan = ({ method }) => {
      if (method !== 'file.write' || hasFailed) return undefined
      hasFailed = true
      return { kind: 'fail', code: 'EIO' }
    }
    // The first write that fails is the end of a turn; closing tries it again.
    await kit.manager[Symbol.asyncDispose]()
    assert.ok(hasFailed)
    const ends = kit.logs().map((path) => /turn_aborted/.test(readFileSync(path, 'utf8')))
    assert.deepEqual(ends, [true, true])
  })
})

describe('the registry of loaded threads', () => {
  it('tells of what is loaded and let go, lists it, and removes by id', async () => {
    await using kit = await SessionKit.open([done])
    const told: string[] = []
    using _listening = kit.manager.listen({
      onLoaded: ({ threadId }) => told.push(`loaded ${threadId}`),
      onClosed: (threadId) => told.push(`closed ${threadId}`),
    })
    const handle = await kit.start()
    const { threadId } = handle
    await runTurn(handle, 'go')
    assert.deepEqual(kit.manager.list(), [handle])
    assert.equal(await kit.manager.remove(threadId), true)
    assert.equal(await kit.manager.remove(threadId), false)
    const again = await kit.resume(threadId)
    await again.close()
    assert.deepEqual(told, [
      `loaded ${threadId}`,
      `closed ${threadId}`,
      `loaded ${threadId}`,
      `closed ${threadId}`,
    ])
    assert.deepEqual(kit.manager.list(), [])
  })

  it('resumes by the path of a log, wherever it lies', async () => {
    await using kit = await SessionKit.open([done, done])
    const handle = await kit.start()
    await runTurn(handle, 'one')
    await kit.restart()
    const rolloutPath = kit.logs()[0] ?? assert.fail()
    const again = await kit.resume({ rolloutPath })
    assert.equal(again.threadId, handle.threadId)
    await assert.rejects(kit.resume(handle.threadId), { code: 'already_loaded' })
    await runTurn(again, 'two')
    assert.equal(kit.turns().length, 2)
  })

  it('shuts all down and reports; what does not end in time is named', async () => {
    const clock = new TestClock()
    await using kit = await SessionKit.open([hangsAfter()], { clock })
    const running = await kit.start()
    const idle = await kit.start()
    await running.startTurn(text('go'))
    const report = await kit.manager.shutDown(5000)
    const completed = [running.threadId, idle.threadId].sort()
    assert.deepEqual(report, { completed, failed: [], timedOut: [] })
    await assert.rejects(kit.start(), { code: 'closed' })
  })

  it('names what hangs, and what could not be saved', async () => {
    const clock = new TestClock()
    const gate = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    const deaf: Step = async function* () {
      yield started()
      asked.resolve()
      await gate.promise
    }
    await using kit = await SessionKit.open([done, deaf], { clock })
    using _letGo = { [Symbol.dispose]: () => gate.resolve() }
    const unsaved = await kit.start()
    await runTurn(unsaved, 'go')
    const hanging = await kit.start()
    await hanging.startTurn(text('go'))
    await asked.promise
    kit.files.plan = ({ method }) =>
      method === 'file.sync' ? { kind: 'fail', code: 'EIO' } : undefined
    await assert.rejects(unsaved.injectItems([userText('more')]), { code: 'not_kept' })
    const reporting = kit.manager.shutDown(5000)
    await assert.rejects(unsaved.close())
    clock.wake()
    const report = await reporting
    assert.deepEqual([report.completed, report.timedOut], [[], [hanging.threadId]])
    assert.deepEqual(
      report.failed.map(({ threadId }) => threadId),
      [unsaved.threadId],
    )
  })
})
