import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { noClients } from '../../../test/support/clients.ts'
import { SessionError } from '../errors.ts'
import { EventHub } from '../session/event-hub.ts'
import { EventRecorder } from '../session/event-recorder.ts'
import { TurnDiff } from '../turn/turn-diff.ts'
import type { Tool, ToolCall, ToolContext } from './tool.ts'
import { ToolSet } from './tool-set.ts'

const NOTHING: AsyncDisposable = { [Symbol.asyncDispose]: async () => undefined }

function contextOf(signal = new AbortController().signal): ToolContext {
  return {
    turnId: 'turn',
    settings: {
      cwd: '/',
      model: 'm',
      modelProvider: 'p',
      approvalPolicy: 'never',
      sandboxPolicy: { type: 'danger-full-access' },
    },
    recorder: new EventRecorder(undefined, new EventHub()),
    clients: noClients,
    turnDiff: new TurnDiff('/'),
    remember: async () => undefined,
    interruptTurn: () => undefined,
    signal,
  }
}

function toolOf(name: string, isParallel: boolean, run: Tool['run']): Tool {
  return { name, kind: 'function', spec: { name }, isParallel: () => isParallel, run }
}

function callOf(name: string, callId = name): ToolCall {
  return { callId, name, kind: 'function', input: '{}' }
}

/** `read` shares the floor, `write` does not; each ends when the test says so. */
function floor() {
  const log: string[] = []
  const ends = new Map<string, (error?: unknown) => void>()
  const run: Tool['run'] = (call) => {
    log.push(`${call.callId} starts`)
    return new Promise((resolve, reject) => {
      ends.set(call.callId, (error) => {
        log.push(`${call.callId} ends`)
        if (error) reject(error)
        else resolve(call.callId)
      })
    })
  }
  const tools = new ToolSet([toolOf('read', true, run), toolOf('write', false, run)], NOTHING)
  const stop = new AbortController()
  const context = contextOf(stop.signal)
  const begin = (name: string, callId: string) => tools.run(callOf(name, callId), context)
  const end = async (callId: string, error?: unknown) => {
    ends.get(callId)?.(error)
    await settle()
  }
  return { log, begin, end, stop }
}

/** Lets everything run that waits for no more than promises. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

describe('the floor', () => {
  it('is shared by parallel calls', async () => {
    const { log, begin, end } = floor()
    const all = [begin('read', 'r1'), begin('read', 'r2')]
    await settle()
    assert.deepEqual(log, ['r1 starts', 'r2 starts'])
    await end('r2')
    await end('r1')
    assert.deepEqual(await Promise.all(all), ['r1', 'r2'])
  })

  it('belongs to one exclusive call, which waits for those before it', async () => {
    const { log, begin, end } = floor()
    for (const [name, callId] of [
      ['read', 'r1'],
      ['read', 'r2'],
      ['write', 'w1'],
      ['write', 'w2'],
      ['read', 'r3'],
    ] as const) {
      void begin(name, callId)
    }
    await settle()
    for (const callId of ['r1', 'r2', 'w1', 'w2', 'r3']) await end(callId)
    assert.deepEqual(log, [
      ...['r1 starts', 'r2 starts', 'r1 ends', 'r2 ends'],
      ...['w1 starts', 'w1 ends', 'w2 starts', 'w2 ends', 'r3 starts', 'r3 ends'],
    ])
  })

  it('is given in the order of the calls: none overtakes an exclusive one', async () => {
    const { log, begin, end } = floor()
    void begin('read', 'r1')
    void begin('write', 'w1')
    void begin('read', 'r2')
    await settle()
    assert.deepEqual(log, ['r1 starts'])
    await end('r1')
    assert.deepEqual(log.slice(2), ['w1 starts'])
    await end('w1')
    assert.deepEqual(log.slice(4), ['r2 starts'])
    await end('r2')
  })

  it('is free again after a call that failed', async () => {
    const { log, begin, end } = floor()
    const failing = begin('write', 'w1')
    const next = begin('write', 'w2')
    await settle()
    await end('w1', new Error('broken'))
    await end('w2')
    assert.deepEqual([await failing, await next], ['broken', 'w2'])
    assert.equal(log.length, 4)
  })

  it('is not taken by calls that waited for it when the turn was stopped', async () => {
    const { log, begin, end, stop } = floor()
    const reason = new Error('stop')
    const running = assert.rejects(begin('write', 'w1'), reason)
    const waiting = assert.rejects(begin('write', 'w2'), reason)
    await settle()
    stop.abort(reason)
    await end('w1', reason)
    await Promise.all([running, waiting])
    assert.deepEqual(log, ['w1 starts', 'w1 ends'])
  })

  it('does not care how many calls there are', async () => {
    const { log, begin, end } = floor()
    const warnings: unknown[] = []
    process.once('warning', (warning) => warnings.push(warning))
    const ids = Array.from({ length: 50 }, (_, at) => `r${at}`)
    const all = ids.map((id) => begin('read', id))
    await settle()
    for (const id of ids) await end(id)
    assert.equal((await Promise.all(all)).length, 50)
    assert.deepEqual([log.length, warnings], [100, []])
  })
})

describe('the answer to a call', () => {
  const failing = (error: unknown) => {
    const fails: Tool['run'] = async () => {
      throw error
    }
    return new ToolSet([toolOf('fails', true, fails)], NOTHING)
  }

  it('is what the tool threw, as text', async () => {
    const answer = await failing(new Error('out of paper')).run(callOf('fails'), contextOf())
    assert.equal(answer, 'out of paper')
  })

  it('is no answer when storage failed: the turn ends', async () => {
    const error = new SessionError('not_kept', 'full')
    await assert.rejects(failing(error).run(callOf('fails'), contextOf()), error)
  })

  it('is no answer when the turn was stopped: its reason is thrown', async () => {
    const reason = new Error('stop')
    const signal = AbortSignal.abort(reason)
    await assert.rejects(failing(new Error('x')).run(callOf('fails'), contextOf(signal)), reason)
  })

  it('names what is not there, or is called in the wrong way', async () => {
    const tools = new ToolSet([toolOf('look', true, async () => 'seen')], NOTHING)
    const ask = (call: ToolCall) => tools.run(call, contextOf())
    assert.equal(await ask(callOf('look')), 'seen')
    assert.equal(await ask(callOf('lock')), 'unsupported call: lock')
    const custom = { ...callOf('look'), kind: 'custom' } as const
    assert.equal(await ask(custom), 'unsupported custom tool call: look')
  })
})

describe('a tool set', () => {
  it('offers the specs of the tools that are wanted, in their order', () => {
    const run = async () => ''
    const tools = new ToolSet([toolOf('a', true, run), toolOf('b', true, run)], NOTHING)
    assert.deepEqual(
      tools.specs(() => true),
      [{ name: 'a' }, { name: 'b' }],
    )
    assert.deepEqual(
      tools.specs(({ name }) => name === 'b'),
      [{ name: 'b' }],
    )
  })

  it('closes what its tools use', async () => {
    let closed = 0
    const resources = {
      [Symbol.asyncDispose]: async () => {
        closed += 1
      },
    }
    await new ToolSet([], resources)[Symbol.asyncDispose]()
    assert.equal(closed, 1)
  })
})
