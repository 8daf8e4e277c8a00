import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  assistantMessage,
  type ClientHandlers,
  customToolCall,
  functionCall,
  parseDynamicTools,
  type ThreadHandle,
} from '../../src/core/index.ts'
import type { SessionEvent } from '../../src/protocol/index.ts'
import type { Step } from '../support/played-model.ts'
import { runTurn, SessionKit, text, Watch } from '../support/session-kit.ts'
import { TestClock } from '../support/test-clock.ts'

const done: Step = { items: [assistantMessage('done')] }
const patch = ['*** Begin Patch', '*** Add File: a.txt', '+one', '*** End Patch'].join('\n')
const dynamicTools = parseDynamicTools([
  { name: 'lookup', description: 'Looks up.', inputSchema: { type: 'object' } },
])

/** A turn with all that can be pending: approvals, a client's tool, a process, a command. */
function script(): Step[] {
  const exec = (cmd: string, id: string) =>
    functionCall('exec_command', { cmd, login: false, yield_time_ms: 250 }, id)
  return [
    {
      items: [
        assistantMessage('Let me see.', { id: 'm1' }),
        exec('touch made', 'c1'),
        exec('echo up; exec sleep 1000', 'c2'),
        functionCall('lookup', {}, 'c3'),
        customToolCall('apply_patch', patch, 'c4'),
        functionCall('update_plan', { plan: [] }, 'c5'),
      ],
      deltas: 2,
    },
    { items: [exec('touch again', 'c6'), functionCall('lookup', {}, 'c7')] },
    done,
    done,
    done,
  ]
}

const ANSWERS = ['accept', 'acceptForSession', 'decline', 'cancel', 'never', 'fails'] as const
type Answer = (typeof ANSWERS)[number]
const ENDS = ['interrupt', 'close', 'dispose', 'shutDown', 'replace', 'leave'] as const
type End = (typeof ENDS)[number]

/** Clients that answer as told, one answer a request, and count who still waits for them. */
class Crowd {
  waiting = 0
  readonly #answers: readonly Answer[]
  #asked = 0

  constructor(answers: readonly Answer[]) {
    this.#answers = answers
  }

  get handlers(): ClientHandlers {
    return {
      commandApproval: (_, { signal }) => this.#answer(signal, (answer) => answer),
      patchApproval: (_, { signal }) => this.#answer(signal, (answer) => answer),
      dynamicToolCall: (_, { signal }) =>
        this.#answer(signal, (answer) => ({
          contentItems: [{ type: 'inputText', text: answer }],
          success: answer !== 'decline',
        })),
    }
  }

  async #answer<T>(
    signal: AbortSignal,
    make: (answer: Exclude<Answer, 'never' | 'fails'>) => T,
  ): Promise<T> {
    const answer = this.#answers[this.#asked++ % this.#answers.length] ?? 'accept'
    if (answer === 'fails') throw new Error('no answer')
    if (answer !== 'never') return make(answer)
    this.waiting += 1
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    this.waiting -= 1
    return make('accept')
  }
}

/** Commands of ours that still run. */
function livingCommands(): string[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
  return children
    .split(' ')
    .filter((pid) => pid !== '')
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return '' // It has ended since.
      }
    })
    .filter((line) => line.includes('sleep 1000'))
}

function assertWhole(kit: SessionKit): void {
  const calls: string[] = []
  const outputs: string[] = []
  for (const { payload } of kit.lines()) {
    const { type, call_id: id } = payload as { type?: string; call_id?: string }
    if (id && type?.endsWith('tool_call')) calls.push(id)
    if (id && type === 'function_call') calls.push(id)
    if (id && type?.endsWith('call_output')) outputs.push(id)
  }
  assert.deepEqual(outputs.toSorted(), calls.toSorted(), 'every call has one output')
}

async function endIt(kit: SessionKit, handle: ThreadHandle, end: End): Promise<void> {
  if (end === 'interrupt') await handle.interrupt()
  if (end === 'close') await handle.close()
  if (end === 'dispose') await kit.manager[Symbol.asyncDispose]()
  if (end === 'shutDown') await kit.manager.shutDown(5000)
  if (end === 'replace') await handle.compact({ replacesRunning: true }).catch(() => undefined)
}

const count = (events: readonly SessionEvent[], type: SessionEvent['type']) =>
  events.filter((event) => event.type === type).length

async function play(at: number, end: End, answers: readonly Answer[]): Promise<void> {
  // Grace for tools and waits for output are over at once; nothing else may sleep.
  const clock = new TestClock((ms) => ms <= 1000)
  await using kit = await SessionKit.open(script(), {
    clock,
    settings: { approvalPolicy: 'untrusted' },
  })
  const handle = await kit.manager.start({ settings: kit.settings, dynamicTools })
  const crowd = new Crowd(answers)
  using _crowd = handle.answerRequests(crowd.handlers)
  using watch = new Watch(handle)
  const reached = Promise.withResolvers<void>()
  using _counting = handle.listen(({ type }) => {
    if (watch.events.length >= at || type === 'turnCompleted') reached.resolve()
    // Whom nobody ever answers is stopped by somebody in the end.
    if (type === 'requestOpened' && answers.includes('never')) setImmediate(reached.resolve)
  })
  await handle.startTurn(text('go'))
  await reached.promise
  await endIt(kit, handle, end)
  if (crowd.waiting > 0 || handle.activeTurn) await handle.interrupt()
  await handle.close()
  await kit.manager[Symbol.asyncDispose]()
  const { events } = watch
  assert.equal(count(events, 'turnStarted'), count(events, 'turnCompleted'))
  const opened = watch.of('requestOpened').map(({ request }) => request.id)
  const resolved = watch.of('requestResolved').map(({ requestId }) => requestId)
  assert.deepEqual(resolved.toSorted(), opened.toSorted(), 'every request is resolved once')
  assert.equal(crowd.waiting, 0, 'no client waits')
  assert.deepEqual(clock.sleeping, [], 'no timer')
  assert.deepEqual(livingCommands(), [], 'no process')
  assertWhole(kit)
  await kit.restart()
  kit.model.replace(done)
  const again = await kit.resume(handle.threadId, { approvalPolicy: 'never' })
  assert.equal((await runTurn(again, 'and now?')).status, 'completed')
  assertWhole(kit)
}

describe('a turn that is ended at any step, by any road', () => {
  it('leaves no waiter, timer, process or lease, and a history that can go on', async () => {
    const run = fc.asyncProperty(
      fc.integer({ min: 1, max: 45 }),
      fc.constantFrom(...ENDS),
      fc.array(fc.constantFrom(...ANSWERS), { minLength: 1, maxLength: 6 }),
      play,
    )
    await fc.assert(run, { numRuns: 60, endOnFailure: true })
  })
})
