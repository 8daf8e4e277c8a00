import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assistantMessage, functionCall, ModelError } from '../../src/core/index.ts'
import { breaksAfter, itemEvents, started } from '../support/played-model.ts'
import { runTurn, SessionKit, text, Watch } from '../support/session-kit.ts'
import { TestClock } from '../support/test-clock.ts'

const done = { items: [assistantMessage('done', { id: 'm9' })] }

function runs(cmd: string, callId: string) {
  return functionCall('exec_command', { cmd, login: false }, callId)
}

const refused = new ModelError('no such model', { codexErrorInfo: 'other', httpStatus: 400 })
const lost = new ModelError('lost', { isRetryable: true, httpStatus: 502 })
const isRetryWait = (ms: number) => ms > 100 && ms < 10_000 && ms !== 1000

describe('a turn that fails [B7]', () => {
  it('tells the error, keeps it, and reads back as failed', async () => {
    await using kit = await SessionKit.open([
      breaksAfter([assistantMessage('so far', { id: 'm1' })], refused),
      done,
    ])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const { turnId, ...end } = await runTurn(handle, 'go')
    const error = { message: 'no such model', codexErrorInfo: 'other', additionalDetails: null }
    assert.deepEqual(end, { type: 'turnCompleted', status: 'failed', error, durationMs: 0 })
    assert.deepEqual(watch.of('error'), [{ type: 'error', turnId, error, willRetry: false }])
    assert.deepEqual(kit.kinds().slice(7), [
      'event_msg agent_message',
      'response_item message assistant',
      'event_msg error',
      'event_msg task_complete',
    ])
    assert.equal(kit.payloads('event_msg task_complete')[0]?.last_agent_message, null)
    await kit.restart()
    const [turn] = kit.turns()
    assert.deepEqual([turn?.status, turn?.error], ['failed', error])
    await runTurn(await kit.resume(handle.threadId), 'again')
    assert.deepEqual(
      kit.model.requests[1]?.input.slice(-3).map((item) => item.type === 'message' && item.role),
      ['user', 'assistant', 'user'],
    )
  })

  it('tells what is behind a broken connection, and keeps of it what Codex keeps', async () => {
    const clock = new TestClock(isRetryWait)
    const cause = new Error('connect ECONNREFUSED 127.0.0.1:9 (http://127.0.0.1:9)')
    const broken = breaksAfter([], new ModelError('no answer', { isRetryable: true, cause }))
    await using kit = await SessionKit.open([broken, broken], { clock, streamMaxRetries: 1 })
    const handle = await kit.start()
    using watch = new Watch(handle)
    const end = await runTurn(handle, 'go')
    assert.equal(end.error?.cause, cause.message)
    const told = watch.of('error').map(({ error }) => [error.additionalDetails, error.cause])
    assert.deepEqual(told, [
      ['no answer', cause.message],
      [null, cause.message],
    ])
    const kept = { type: 'error', message: 'no answer', codex_error_info: 'other' }
    assert.deepEqual(kit.payloads('event_msg error'), [kept])
  })

  it('does not hang when the model itself is broken', async () => {
    await using kit = await SessionKit.open([])
    const end = await runTurn(await kit.start(), 'go')
    assert.deepEqual(
      [end.status, end.error?.message],
      ['failed', 'internal error: the script has ended'],
    )
    assert.equal(kit.turns()[0]?.status, 'failed')
  })

  it('does not hang when the stream just ends', async () => {
    const clock = new TestClock(isRetryWait)
    const ends = async function* () {
      yield started()
    }
    await using kit = await SessionKit.open([ends, ends], { clock, streamMaxRetries: 1 })
    const end = await runTurn(await kit.start(), 'go')
    assert.equal(
      end.error?.message,
      'stream disconnected before completion: stream closed before response.completed',
    )
  })

  it('stops its commands, and answers their calls', async () => {
    const broken = new Error('bug in the client')
    await using kit = await SessionKit.open([
      breaksAfter([runs('exec sleep 100', 'call_1')], broken),
    ])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const end = await runTurn(handle, 'go')
    assert.equal(end.error?.message, 'internal error: bug in the client')
    assert.deepEqual(watch.events.at(-1)?.type, 'turnCompleted')
    const { output } = kit.payloads('response_item function_call_output')[0] ?? {}
    assert.equal(output, 'aborted after 0.1s')
  })

  it('waits for the commands of a stream that broke, and keeps their outputs', async () => {
    await using kit = await SessionKit.open([breaksAfter([runs('echo hi', 'call_1')], refused)])
    await runTurn(await kit.start(), 'go')
    const { output } = kit.payloads('response_item function_call_output')[0] ?? {}
    assert.match(String(output), /Process exited with code 0\n.*\nOutput:\nhi\n$/s)
  })
})

describe('a broken stream [C7]', () => {
  it('is tried again with what was finished, and each try is told', async () => {
    const clock = new TestClock(isRetryWait)
    await using kit = await SessionKit.open(
      [
        breaksAfter([assistantMessage('part', { id: 'm1' }), runs('echo hi', 'call_1')], lost),
        breaksAfter([], new ModelError('idle', { isRetryable: true, retryAfterMs: 1234 })),
        done,
      ],
      { clock },
    )
    const handle = await kit.start()
    using watch = new Watch(handle)
    const { turnId, status } = await runTurn(handle, 'go')
    assert.equal(status, 'completed')
    const retry = (message: string, httpStatusCode: number | null, additionalDetails: string) => ({
      type: 'error',
      turnId,
      error: {
        message,
        codexErrorInfo: { responseStreamDisconnected: { httpStatusCode } },
        additionalDetails,
      },
      willRetry: true,
    })
    assert.deepEqual(watch.of('error'), [
      retry('Reconnecting... 1/5', 502, 'lost'),
      retry('Reconnecting... 2/5', null, 'idle'),
    ])
    const types = kit.model.requests.map(({ input }) => input.slice(3).map((item) => item.type))
    const kept = ['message', 'function_call', 'function_call_output']
    assert.deepEqual(types, [[], kept, kept])
    assert.deepEqual(kit.kinds().slice(7), [
      'event_msg agent_message',
      'response_item message assistant',
      'response_item function_call',
      'event_msg exec_command_end',
      'response_item function_call_output',
      'event_msg agent_message',
      'response_item message assistant',
      'event_msg token_count',
      'event_msg task_complete',
    ])
    assert.deepEqual([kit.turns()[0]?.status, kit.turns()[0]?.error], ['completed', null])
    assert.ok(clock.sleeps.includes(1234))
  })

  it('fails the turn when all tries are used up', async () => {
    const clock = new TestClock(isRetryWait)
    const steps = Array.from({ length: 3 }, () => breaksAfter([], lost))
    await using kit = await SessionKit.open(steps, { clock, streamMaxRetries: 2 })
    const end = await runTurn(await kit.start(), 'go')
    assert.deepEqual(
      [end.status, end.error?.message, kit.model.requests.length],
      ['failed', 'lost', 3],
    )
    assert.deepEqual(
      clock.sleeps.filter(isRetryWait).map((ms) => Math.round(ms / 200)),
      [1, 2],
    )
  })

  it('is counted anew for each request of a turn', async () => {
    const clock = new TestClock(isRetryWait)
    const plan = functionCall('update_plan', { plan: [] }, 'call_1')
    await using kit = await SessionKit.open(
      [breaksAfter([], lost), { items: [plan] }, breaksAfter([], lost), done],
      { clock, streamMaxRetries: 1 },
    )
    assert.equal((await runTurn(await kit.start(), 'go')).status, 'completed')
  })

  it('is not tried again when that cannot help', async () => {
    await using kit = await SessionKit.open([breaksAfter([], refused), done])
    assert.equal((await runTurn(await kit.start(), 'go')).status, 'failed')
    assert.equal(kit.model.requests.length, 1)
  })
})

describe('a listener that fails', () => {
  it('does not break the turn, nor keep others from hearing', async () => {
    const warnings: string[] = []
    const onWarning = (warning: Error) => warnings.push(warning.message)
    process.on('warning', onWarning)
    await using kit = await SessionKit.open([done])
    const handle = await kit.start()
    handle.listen((event) => {
      throw new Error(`no ${event.type}`)
    })
    const end = await runTurn(handle, 'go')
    assert.equal(end.status, 'completed')
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', onWarning)
    assert.deepEqual(warnings, ['a listener failed on turnStarted: no turnStarted'])
  })
})

describe('two turns at once', () => {
  it('are refused, and the second changes nothing', async () => {
    const go = Promise.withResolvers<void>()
    await using kit = await SessionKit.open([
      async function* () {
        yield started()
        await go.promise
        yield* itemEvents(assistantMessage('done'))
        yield { type: 'completed', usage: null, endTurn: true }
      },
    ])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const ended = watch.next((event) => event.type === 'turnCompleted')
    const starts = await Promise.allSettled(['one', 'two'].map((t) => handle.startTurn(text(t))))
    assert.deepEqual(
      starts.map((start) => (start.status === 'rejected' ? start.reason.code : start.status)),
      ['fulfilled', 'turn_running'],
    )
    await assert.rejects(handle.startTurn(text('three')), { code: 'turn_running' })
    go.resolve()
    await ended
    assert.equal(kit.model.requests.length, 1)
    assert.deepEqual(
      kit.payloads('event_msg user_message').map(({ message }) => message),
      ['one'],
    )
  })

  it('follow each other when the second is started by who hears the end of the first', async () => {
    await using kit = await SessionKit.open([done, done, done])
    const handle = await kit.start()
    const seen: string[] = []
    const finished = Promise.withResolvers<void>()
    handle.listen((event) => {
      if (event.type !== 'turnCompleted') return
      if (seen.push(event.status) === 3) finished.resolve()
      else handle.startTurn(text('more')).catch(finished.reject)
    })
    await handle.startTurn(text('one'))
    await finished.promise
    assert.deepEqual(seen, ['completed', 'completed', 'completed'])
  })
})
