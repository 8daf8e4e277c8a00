import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type Clock, systemClock } from '../../../base/index.ts'
import { ExecError, type ExecFailure } from './exec-error.ts'
import {
  chooseDropped,
  clampYield,
  type ExecAnswer,
  type ProcessExit,
  ProcessManager,
  type ProcessManagerOptions,
  type StartRequest,
} from './process-manager.ts'

/** Sleeps until `wake`, or not at all. */
class TestClock implements Clock {
  readonly sleeps: number[] = []
  readonly #isInstant: boolean
  #wakers: (() => void)[] = []

  constructor(mode: 'instant' | 'manual') {
    this.#isInstant = mode === 'instant'
  }

  nowMs = () => 0
  monotonicMs = () => 0

  wake(): void {
    for (const waker of this.#wakers.splice(0)) waker()
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms)
    return new Promise((resolve, reject) => {
      if (signal?.aborted) reject(signal.reason)
      signal?.addEventListener('abort', () => reject(signal.reason))
      if (this.#isInstant) resolve()
      else this.#wakers.push(resolve)
    })
  }
}

const ENV = { PATH: process.env.PATH ?? '/usr/bin:/bin', TERM: 'dumb' }

function open(mode: 'instant' | 'manual' | 'real', options: ProcessManagerOptions = {}) {
  const clock = mode === 'real' ? systemClock : new TestClock(mode)
  const manager = new ProcessManager({ clock, ...options })
  const run = (script: string, request: Partial<StartRequest> = {}) =>
    manager.start({
      command: ['/bin/sh', '-c', script],
      cwd: '/',
      env: ENV,
      isTty: false,
      ...request,
    })
  return {
    run,
    manager,
    clock: clock as TestClock,
    [Symbol.asyncDispose]: () => manager[Symbol.asyncDispose](),
  }
}

function failsWith(failure: ExecFailure) {
  return (error: unknown) => {
    assert.ok(error instanceof ExecError)
    assert.deepEqual(error.failure, failure)
    return true
  }
}

function isAlive(pid: number): boolean {
  try {
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

async function assertGone(pids: readonly number[]): Promise<void> {
  assert.ok(pids.length > 0 && pids.every((pid) => pid > 1), `process ids expected: ${pids}`)
  for (let tries = 0; tries < 400 && pids.some(isAlive); tries += 1) await delay(5)
  assert.deepEqual(pids.filter(isAlive), [])
}

const idsIn = (text: string) => (text.match(/\d+/g) ?? []).map(Number)

describe('a command that ends', () => {
  it('is answered at once, its outputs merged in the order of arrival', async () => {
    await using exec = open('manual')
    const answer = await exec.run('echo a >&2; echo b; echo c > /dev/stderr; pwd; exit 3')
    assert.match(answer.chunkId, /^[0-9a-f]{6}$/)
    assert.deepEqual(
      { ...answer, chunkId: '' },
      { chunkId: '', wallTimeMs: 0, output: 'a\nb\nc\n/\n', originalTokenCount: 2, exitCode: 3 },
    )
  })

  it('reports -1 after a signal, 1 on a terminal', async () => {
    await using exec = open('manual')
    assert.equal((await exec.run('kill -9 $$')).exitCode, -1)
    assert.equal((await exec.run('kill -TERM $$')).exitCode, -1)
    assert.equal((await exec.run('kill -TERM $$', { isTty: true })).exitCode, 1)
    assert.equal((await exec.run('exit 300')).exitCode, 44)
  })

  it('tells of its start, its output and its end, in this order and once', async () => {
    await using exec = open('manual')
    const heard: unknown[] = []
    await exec.run('echo one; exit 2', {
      onSpawn: (sessionId) => heard.push(typeof sessionId),
      onOutput: (chunk) => heard.push(chunk),
      onExit: ({ exitCode, aggregatedOutput }) => heard.push([exitCode, aggregatedOutput]),
    })
    assert.deepEqual(heard, ['number', 'one\n', [2, 'one\n']])
  })

  it('shows what is no UTF-8 as U+FFFD and keeps characters that arrive in parts', async () => {
    await using exec = open('manual')
    const { output } = await exec.run(
      String.raw`printf 'a\377b\303'; sleep 0.02; printf '\251z\342\202'; sleep 0.02; printf Q`,
    )
    assert.equal(output, 'a�béz�Q')
  })

  it('has no input', async () => {
    await using exec = open('manual')
    assert.equal((await exec.run('cat; echo $?')).output, '0\n')
  })

  it('keeps head and tail of more than 1 MiB', async () => {
    await using exec = open('manual')
    let exit: ProcessExit | undefined
    const script = `echo first; head -c 3000000 /dev/zero | tr '\\0' a; echo last`
    const answer = await exec.run(script, {
      maxOutputTokens: 4,
      onExit: (seen) => {
        exit = seen
      },
    })
    assert.equal(answer.originalTokenCount, 262_144)
    assert.equal(
      answer.output,
      'Total output lines: 2\n\nfirst\naa…262140 tokens truncated…aaalast\n',
    )
    assert.equal(exit?.aggregatedOutput.length, 1024 * 1024)
  })

  it('never gets more than 10000 tokens', async () => {
    await using exec = open('manual')
    const script = `head -c 44000 /dev/zero | tr '\\0' a`
    for (const maxOutputTokens of [undefined, 1_000_000]) {
      const { output } = await exec.run(script, { maxOutputTokens })
      assert.match(output, /^Total output lines: 1\n\na{20000}…1000 tokens truncated…a{20000}$/)
    }
  })

  it('is not waited for by what it leaves behind, which is killed', async () => {
    await using exec = open('real')
    const answer = await exec.run('sleep 100 & echo $!')
    assert.equal(answer.exitCode, 0)
    await assertGone(idsIn(answer.output))
  })
})

describe('a command that goes on', () => {
  it('is answered after the yield time, then polled until its end is told once', async () => {
    await using exec = open('instant')
    const exits: number[] = []
    const first = await exec.run('echo up; exec sleep 100', {
      isTty: true,
      onExit: ({ exitCode }) => exits.push(exitCode),
    })
    assert.equal(first.exitCode, undefined)
    const sessionId = first.sessionId ?? 0
    assert.ok(sessionId >= 1000 && sessionId <= 99_999)
    const next = { sessionId, chars: '' }
    const pollUntil = async (isDone: (answer: ExecAnswer) => boolean) => {
      for (;;) {
        const answer = await exec.manager.write(next)
        if (isDone(answer)) return answer
        await delay(1)
      }
    }
    // An earlier ^C would find nobody: the terminal has no foreground process yet.
    if (first.output === '') await pollUntil(({ output }) => output === 'up\r\n')
    const written = await exec.manager.write({ sessionId, chars: '\u0003' })
    assert.equal(written.sessionId, sessionId)
    const last = await pollUntil(({ exitCode }) => exitCode !== undefined)
    assert.deepEqual([last.exitCode, last.sessionId, exits], [1, undefined, [1]])
    await assert.rejects(
      exec.manager.write(next),
      failsWith({ code: 'unknown_process', sessionId }),
    )
  })

  it('ends in the background with all of its output', async () => {
    await using exec = open('instant')
    const ended = Promise.withResolvers<ProcessExit>()
    const { sessionId = 0 } = await exec.run('sleep 0.05; echo bye; exit 7', {
      onExit: ended.resolve,
    })
    assert.deepEqual(await ended.promise, {
      sessionId,
      exitCode: 7,
      aggregatedOutput: 'bye\n',
      durationMs: 0,
    })
    const answer = await exec.manager.write({ sessionId, chars: '' })
    assert.deepEqual([answer.exitCode, answer.output], [7, 'bye\n'])
  })

  it('reads what is written to its terminal, and answers hold new output only', async () => {
    await using exec = open('manual')
    let seen = ''
    const wakeAt = (text: string) => (chunk: string) => {
      seen += chunk
      if (seen.includes(text) || seen.endsWith('ready\r\n')) exec.clock.wake()
    }
    const { sessionId = 0, output } = await exec.run('stty size; echo ready; cat', {
      isTty: true,
      onOutput: wakeAt('hello\r\nhello\r\n'),
    })
    assert.equal(output, '24 80\r\nready\r\n')
    const echoed = await exec.manager.write({ sessionId, chars: 'hello\n' })
    assert.equal(echoed.output, 'hello\r\nhello\r\n')
    const ended = await exec.manager.write({ sessionId, chars: '\u0004' })
    assert.deepEqual([ended.exitCode, ended.output], [0, ''])
  })

  it('takes no input without a terminal', async () => {
    await using exec = open('instant')
    const { sessionId = 0 } = await exec.run('sleep 100')
    for (const chars of ['x', '\u0003']) {
      await assert.rejects(
        exec.manager.write({ sessionId, chars }),
        failsWith({ code: 'stdin_closed' }),
      )
    }
  })

  it('waits as long as asked, within the limits of each kind', async () => {
    await using exec = open('instant')
    const { sessionId = 0 } = await exec.run('cat', { isTty: true, yieldMs: 400 })
    await exec.manager.write({ sessionId, chars: 'x' })
    await exec.manager.write({ sessionId, chars: '' })
    assert.deepEqual(exec.clock.sleeps, [400, 250, 5000])
    const clamped = (kind: 'exec' | 'write' | 'poll') =>
      [undefined, 0, 1e9].map((ms) => clampYield(kind, ms))
    assert.deepEqual(clamped('exec'), [10_000, 250, 30_000])
    assert.deepEqual(clamped('write'), [250, 250, 30_000])
    assert.deepEqual(clamped('poll'), [5000, 5000, 300_000])
  })
})

describe('an abort', () => {
  it('stops the waiting and leaves the process in the background', async () => {
    await using exec = open('manual')
    const abort = new AbortController()
    const reason = new Error('interrupted')
    let sessionId = 0
    const started = exec.run('echo on; sleep 100', {
      signal: abort.signal,
      onSpawn: (id) => {
        sessionId = id
      },
      onOutput: () => abort.abort(reason),
    })
    await assert.rejects(started, reason)
    const polled = exec.manager.write({ sessionId, chars: '' })
    exec.clock.wake()
    assert.deepEqual([(await polled).output, (await polled).sessionId], ['on\n', sessionId])

    const aborted = AbortSignal.abort(reason)
    await assert.rejects(exec.manager.write({ sessionId, chars: '', signal: aborted }), reason)
    await assert.rejects(exec.run('echo never', { signal: aborted }), reason)
  })

  it('kills the process and its children when that was asked for', async () => {
    await using exec = open('manual')
    const abort = new AbortController()
    const ended = Promise.withResolvers<ProcessExit>()
    const started = exec.run('sleep 100 & echo $! $$; wait', {
      signal: abort.signal,
      onAbort: 'kill',
      onOutput: () => abort.abort(),
      onExit: ended.resolve,
    })
    await assert.rejects(started, { name: 'AbortError' })
    const { exitCode, aggregatedOutput } = await ended.promise
    assert.equal(exitCode, -1)
    await assertGone(idsIn(aggregatedOutput))
  })
})

describe('disposing', () => {
  it('kills processes, children and grandchildren, and calls nobody back', async () => {
    const exec = open('manual')
    let seen = ''
    const exits: ProcessExit[] = []
    const sleeper = `sh -c 'echo $$; sleep 100; :'`
    const script = `sleep 100 & echo $!; setsid ${sleeper} & ${sleeper}`
    const running = exec.run(script, {
      onOutput: (chunk) => {
        seen += chunk
        if (idsIn(seen).length === 3) exec.clock.wake()
      },
      onExit: (exit) => exits.push(exit),
    })
    assert.equal((await running).exitCode, undefined)
    await exec.manager[Symbol.asyncDispose]()
    await assertGone(idsIn(seen))
    assert.deepEqual(exits, [])
  })

  it('kills the jobs of an interactive shell', async () => {
    const exec = open('manual')
    let seen = ''
    await exec.run('set -m; sleep 100 & echo $!; cat', {
      isTty: true,
      onOutput: (chunk) => {
        seen += chunk
        if (seen.includes('\n')) exec.clock.wake()
      },
    })
    await exec.manager[Symbol.asyncDispose]()
    await assertGone(idsIn(seen))
  })

  it('answers who is waiting, is idempotent, and ends a start under way', async () => {
    const exec = open('manual')
    const running = exec.run('sleep 100')
    await exec.manager[Symbol.asyncDispose]()
    await exec.manager[Symbol.asyncDispose]()
    assert.equal((await running).exitCode, -1)
    await assert.rejects(exec.run('echo late'), /the process manager is open/)
  })
})

describe('the limit', () => {
  it('drops the least recently used process for the 65th', async () => {
    await using exec = open('instant')
    const ids: number[] = []
    const ended = Promise.withResolvers<ProcessExit>()
    const start = () =>
      exec.run('exec sleep 100', { onSpawn: (id) => ids.push(id), onExit: ended.resolve })
    while (ids.length < 64) await start()
    await exec.manager.write({ sessionId: ids[0] ?? 0, chars: '' })
    await start()
    const { sessionId, exitCode } = await ended.promise
    assert.deepEqual([sessionId, exitCode], [ids[1], -1])
    await assert.rejects(
      exec.manager.write({ sessionId, chars: '' }),
      failsWith({ code: 'unknown_process', sessionId }),
    )
  })

  it('drops those that have ended first, and none of the eight most recent', () => {
    const processes = (ended: readonly number[]) =>
      Array.from({ length: 12 }, (_, at) => ({ at, exitCode: ended.includes(at) ? 0 : undefined }))
    assert.equal(chooseDropped(processes([]))?.at, 0)
    assert.equal(chooseDropped(processes([2, 3]))?.at, 2)
    assert.equal(chooseDropped(processes([4, 11]))?.at, 0)
    assert.equal(chooseDropped(processes([]).slice(0, 8)), undefined)
  })
})

describe('a command that cannot start', () => {
  const missing = 'No such file or directory (os error 2)'
  const cases: [string, Partial<StartRequest>, string][] = [
    ['no such folder', { cwd: '/no/dir' }, missing],
    ['no such folder, terminal', { cwd: '/no/dir', isTty: true }, missing],
    ['a file for a folder', { cwd: '/etc/passwd' }, 'Not a directory (os error 20)'],
    ['no such shell', { command: ['/no/such', '-c', 'x'] }, missing],
    ['a NUL', { command: ['/bin/sh', '-c', 'a\0b'] }, 'nul byte found in provided data'],
  ]
  for (const [name, request, reason] of cases) {
    it(name, async () => {
      await using exec = open('manual')
      await assert.rejects(exec.run('x', request), failsWith({ code: 'spawn_failed', reason }))
    })
  }

  it('says that a terminal needs node-pty', async () => {
    const loadTerminal = () => Promise.reject(new Error('Cannot find package'))
    await using exec = open('manual', { loadTerminal })
    const reason = 'tty=true needs the optional package @lydell/node-pty: Cannot find package'
    await assert.rejects(
      exec.run('x', { isTty: true }),
      failsWith({ code: 'spawn_failed', reason }),
    )
  })
})
