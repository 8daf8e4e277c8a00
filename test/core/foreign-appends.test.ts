/**
 * Another program that knows no leases goes on with a thread that is loaded here: nothing of
 * either is lost or glued, the person is told, and the next turn goes on from all of it.
 */
import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/base/index.ts'
import { assistantMessage, functionCall, SessionError } from '../../src/core/index.ts'
import { messageText, type RolloutItem, userText } from '../../src/protocol/index.ts'
import { RolloutWriter } from '../../src/rollout/index.ts'
import type { LocalThreadStore } from '../../src/thread-store/index.ts'
import { type FaultPlan, FaultyFileSystem, type Method } from '../support/faulty-file-system.ts'
import { completed, hangsAfter, itemEvents, type Step, started } from '../support/played-model.ts'
import { runTurn, SessionKit, text, Watch } from '../support/session-kit.ts'
import { compacted, item, named, rolledBack, textOf, turn } from '../support/thread-log.ts'

type Handle = Awaited<ReturnType<SessionKit['start']>>

const fine: FaultPlan = () => undefined
const answer = (words: string): Step => ({ items: [assistantMessage(words)] })

/** A thread with one finished turn, `one` and `first`, that is still loaded. */
async function loaded(...steps: readonly Step[]): Promise<{ kit: SessionKit; handle: Handle }> {
  const kit = await SessionKit.open([answer('first'), ...steps])
  const handle = await kit.start()
  await runTurn(handle, 'one')
  return { kit, handle }
}

function logOf(kit: SessionKit): string {
  return kit.logs()[0] ?? assert.fail('there is a log')
}

/** What a program without locks does. */
function append(kit: SessionKit, bytes: readonly RolloutItem[] | string): void {
  appendFileSync(logOf(kit), typeof bytes === 'string' ? bytes : textOf(bytes))
}

/** What was said, by whomever, in a request; context messages are left out. */
function said(kit: SessionKit, request: number): string[] {
  const { input = [] } = kit.model.requests[request] ?? {}
  return input.flatMap((each) => {
    const words = each.type === 'message' ? messageText(each) : ''
    const isContext = each.type !== 'message' || each.role === 'developer' || words.startsWith('<')
    return isContext ? [] : [words]
  })
}

function warnings(watch: Watch): string[] {
  return watch.of('warning').map(({ message }) => message)
}

const TOLD = /changed by another program while this thread was open$/
const TORN = /the last line of .* was cut off; the thread goes on after it$/

describe('a thread that another program goes on with between two turns', () => {
  it('goes on from what that program wrote, and the person is told once', async () => {
    const { kit, handle } = await loaded(answer('second'), answer('third'))
    await using _ = kit
    using watch = new Watch(handle)
    const before = readFileSync(logOf(kit), 'utf8')
    append(kit, turn('f'))
    await runTurn(handle, 'two')
    assert.deepEqual(said(kit, 1), ['one', 'first', 'uf', 'af', 'two'])
    assert.equal(warnings(watch).length, 1)
    assert.match(warnings(watch)[0] ?? '', TOLD)
    await runTurn(handle, 'three')
    assert.deepEqual(said(kit, 2), ['one', 'first', 'uf', 'af', 'two', 'second', 'three'])
    assert.equal(warnings(watch).length, 1)
    assert.ok(readFileSync(logOf(kit), 'utf8').startsWith(before + textOf(turn('f'))))
    assert.deepEqual(
      kit.turns().map(({ status }) => status),
      ['completed', 'completed', 'completed', 'completed'],
    )
  })

  it('goes on after the torn line that it left', async () => {
    const { kit, handle } = await loaded(answer('second'))
    await using _ = kit
    using watch = new Watch(handle)
    append(kit, `${textOf(turn('f'))}{"timestamp":"2026`)
    await runTurn(handle, 'two')
    assert.deepEqual(said(kit, 1), ['one', 'first', 'uf', 'af', 'two'])
    assert.deepEqual(
      warnings(watch).map((message) => [TORN.test(message), TOLD.test(message)]),
      [
        [true, false],
        [false, true],
      ],
    )
    await handle.close()
    const { items, damage } = await kit.store.loadHistory(handle.threadId)
    assert.equal(damage.length, 1)
    assert.equal(items.length, wholeLines(kit).length)
  })

  it('takes over a line of it that has all but its newline', async () => {
    const { kit, handle } = await loaded(answer('second'))
    await using _ = kit
    append(kit, textOf(turn('f')).slice(0, -1))
    await runTurn(handle, 'two')
    assert.deepEqual(said(kit, 1), ['one', 'first', 'uf', 'af', 'two'])
    await handle.close()
    const { damage } = await kit.store.loadHistory(handle.threadId)
    assert.deepEqual(damage, [])
  })

  const changes: [string, readonly RolloutItem[], readonly string[]][] = [
    ['takes a turn back', [rolledBack(1)], ['two']],
    ['compacts', [compacted('', [userText('in short')])], ['in short', 'two']],
    ['names it', [named('01a1f849-0000-7000-8000-000000000001', 'n')], ['one', 'first', 'two']],
    ['is in a turn', turn('f').slice(0, 4), ['one', 'first', 'uf', 'two']],
  ]
  for (const [what, items, wanted] of changes) {
    it(`follows one that ${what}`, async () => {
      const { kit, handle } = await loaded(answer('second'))
      await using _ = kit
      append(kit, items)
      await runTurn(handle, 'two')
      assert.deepEqual(said(kit, 1), wanted)
    })
  }

  it('answers a call of it that has no output yet', async () => {
    const { kit, handle } = await loaded(answer('second'))
    await using _ = kit
    const call = { type: 'function_call', name: 'x', arguments: '{}', call_id: 'c' } as const
    append(kit, [...turn('f').slice(0, 4), item(call)])
    await runTurn(handle, 'two')
    const { input = [] } = kit.model.requests[1] ?? {}
    const outputs = input.filter((each) => each.type === 'function_call_output')
    assert.deepEqual(outputs, [{ type: 'function_call_output', call_id: 'c', output: 'aborted' }])
  })

  it('goes on from a log that it made shorter', async () => {
    const { kit, handle } = await loaded(answer('second'))
    await using _ = kit
    using watch = new Watch(handle)
    const whole = readFileSync(logOf(kit), 'utf8')
    const short = whole.slice(0, whole.lastIndexOf('\n', whole.indexOf('agent_message')) + 1)
    truncateSync(logOf(kit), Buffer.byteLength(short))
    await runTurn(handle, 'two')
    assert.deepEqual(said(kit, 1), ['one', 'two'])
    assert.match(warnings(watch).join(), TOLD)
    assert.ok(readFileSync(logOf(kit), 'utf8').startsWith(short))
  })

  it('goes on from a log that it put in the place of ours', async () => {
    const { kit, handle } = await loaded(answer('second'))
    await using _ = kit
    using watch = new Watch(handle)
    // As long as before: only the file is another.
    const other = readFileSync(logOf(kit), 'utf8').replaceAll('"one"', '"ONE"')
    writeFileSync(kit.at('other'), other)
    renameSync(kit.at('other'), logOf(kit))
    await assert.rejects(handle.startTurn(text('lost')), { code: 'not_kept' })
    await runTurn(handle, 'two')
    assert.deepEqual(said(kit, 1), ['ONE', 'first', 'two'])
    assert.match(warnings(watch).join(), TOLD)
    assert.ok(readFileSync(logOf(kit), 'utf8').startsWith(other))
  })

  it('loses nothing of it when it is closed without a turn', async () => {
    const { kit, handle } = await loaded()
    await using _ = kit
    const before = readFileSync(logOf(kit), 'utf8')
    append(kit, turn('f'))
    await handle.close()
    assert.equal(readFileSync(logOf(kit), 'utf8'), before + textOf(turn('f')))
  })

  it('keeps in order what two writers of our kind append by turns', async () => {
    const { kit, handle } = await loaded(answer('second'), answer('third'))
    await using _ = kit
    const options = { path: logOf(kit), files: new FaultyFileSystem(), clock: systemClock }
    let noticed = 0
    const onNotice = () => {
      noticed += 1
    }
    await using other = await RolloutWriter.resume({ ...options, durability: 'turn', onNotice })
    await other.append(turn('f'))
    await runTurn(handle, 'two')
    await other.append(turn('g'))
    await runTurn(handle, 'three')
    const all = ['one', 'first', 'uf', 'af', 'two', 'second', 'ug', 'ag', 'three']
    assert.deepEqual(said(kit, 2), all)
    assert.equal(noticed, 1)
    assert.equal(kit.turns().length, 5)
  })
})

/** Lines that can be read, of a log that may have others. */
function wholeLines(kit: SessionKit): string[] {
  return readFileSync(logOf(kit), 'utf8')
    .split('\n')
    .filter((line) => {
      try {
        return line !== '' && JSON.parse(line) !== null
      } catch {
        return false
      }
    })
}

describe('a thread that another program writes to while a turn runs here', () => {
  it('has both in its log, and goes on from both', async () => {
    const { kit, handle } = await loaded()
    await using _ = kit
    using watch = new Watch(handle)
    kit.model.add(async function* () {
      yield started()
      yield* itemEvents(assistantMessage('second, to begin with'))
      append(kit, turn('f'))
      yield* itemEvents(assistantMessage('second, to end with'))
      yield completed()
    }, answer('third'))
    const end = await runTurn(handle, 'two')
    assert.equal(end.status, 'completed')
    assert.match(warnings(watch).join(), TOLD)
    await runTurn(handle, 'three')
    assert.deepEqual(said(kit, 2), [
      'one',
      'first',
      'two',
      'second, to begin with',
      'uf',
      'af',
      'second, to end with',
      'three',
    ])
  })

  it('whatever the moment, keeps every line of both, once and whole', async () => {
    const count = await callsOfTurn()
    assert.ok(count > 10, `${count}`)
    for (let at = 0; at < count; at += 1) {
      const { kit, handle } = await loaded(answer('second'), answer('third'))
      await using _ = kit
      using watch = new Watch(handle)
      const from = kit.files.calls.length
      kit.files.plan = ({ index }) => {
        if (index === from + at) append(kit, turn('f'))
        return undefined
      }
      await runTurn(handle, 'two')
      await runTurn(handle, 'three')
      await handle.close()
      const where = `at call ${at}, ${kit.files.calls[from + at]?.method}`
      const inLog = kit.payloads('response_item message user').map(({ content }) => content)
      const texts = (inLog as unknown as { text: string }[][]).map(([part]) => part?.text)
      for (const words of ['one', 'two', 'three', 'uf']) {
        assert.equal(texts.filter((each) => each === words).length, 1, `${words}, ${where}`)
      }
      assert.deepEqual(said(kit, 2).toSorted(), ALL_SAID, where)
      assert.match(warnings(watch).join(), TOLD, where)
    }
  })
})

const ALL_SAID = ['af', 'first', 'one', 'second', 'three', 'two', 'uf']

/** Calls that a turn makes, from its start to its end. */
async function callsOfTurn(): Promise<number> {
  const { kit, handle } = await loaded(answer('second'))
  await using _ = kit
  const from = kit.files.calls.length
  await runTurn(handle, 'two')
  return kit.files.calls.length - from
}

/** The calls that adopting makes, up to where the message is written. */
async function callsOfCatchUp(): Promise<Method[]> {
  const { kit, handle } = await loaded(answer('second'))
  await using _ = kit
  append(kit, turn('f'))
  const from = kit.files.calls.length
  await runTurn(handle, 'two')
  const methods = kit.files.calls.slice(from).map(({ method }) => method)
  const reading = methods.slice(0, methods.indexOf('file.write'))
  return reading.slice(0, reading.lastIndexOf('file.close') + 1)
}

describe('a log that cannot be read while the session catches up', () => {
  it('refuses the turn, which leaves nothing, and the next one goes on from all', async () => {
    const calls = await callsOfCatchUp()
    assert.ok(calls.includes('file.read'), `${calls}`)
    let refused = 0
    for (const [at, method] of calls.entries()) {
      const { kit, handle } = await loaded(answer('second'))
      await using _ = kit
      append(kit, turn('f'))
      const from = kit.files.calls.length
      kit.files.plan = ({ index }) =>
        index === from + at ? { kind: 'fail', code: 'EIO' } : undefined
      const where = `call ${at}, ${method}`
      const before = readFileSync(logOf(kit), 'utf8')
      const isKept = await handle.startTurn(text('two')).then(
        () => true,
        (error: unknown) => {
          assert.ok(error instanceof SessionError && error.code === 'not_kept', `${error}`)
          return false
        },
      )
      kit.files.plan = fine
      if (isKept) await handle.interrupt()
      else {
        refused += 1
        assert.equal(readFileSync(logOf(kit), 'utf8'), before, where)
        await runTurn(handle, 'two')
        assert.deepEqual(said(kit, 1), ['one', 'first', 'uf', 'af', 'two'], where)
      }
      const told = kit.payloads('event_msg user_message').map(({ message }) => message)
      assert.deepEqual(told, ['one', 'uf', 'two'], where)
    }
    assert.ok(refused > 0)
  })

  it('refuses each turn until it can be read, and forgets nothing meanwhile', async () => {
    const { kit, handle } = await loaded(answer('second'))
    await using _ = kit
    append(kit, turn('f'))
    kit.files.plan = ({ method }) =>
      method === 'openForRead' ? { kind: 'fail', code: 'EIO' } : undefined
    for (let n = 0; n < 3; n += 1) {
      await assert.rejects(handle.startTurn(text('lost')), { code: 'not_kept' })
    }
    kit.files.plan = fine
    await runTurn(handle, 'two')
    assert.deepEqual(said(kit, 1), ['one', 'first', 'uf', 'af', 'two'])
  })

  it('lets the thread be closed, and the turn be interrupted, while it waits', async () => {
    for (const stop of ['close', 'interrupt'] as const) {
      const { kit, handle } = await loaded(hangsAfter())
      await using _ = kit
      append(kit, turn('f'))
      const reading = Promise.withResolvers<void>()
      const openForRead = kit.files.openForRead.bind(kit.files)
      kit.files.openForRead = async (path) => {
        reading.resolve()
        return openForRead(path)
      }
      const starting = handle.startTurn(text('two')).catch((error: unknown) => error)
      await reading.promise
      await handle[stop]()
      await starting
      const texts = kit.payloads('event_msg user_message').map(({ message }) => message)
      assert.deepEqual(texts, ['one', 'uf', 'two'])
      assert.deepEqual(
        kit.turns().map(({ status }) => status),
        ['completed', 'completed', 'interrupted'],
      )
    }
  })
})

describe('a command that outlives its turn', () => {
  it('does not hide from the next turn what another program wrote', async () => {
    const cmd = 'echo up; until test -e go; do sleep 0.01; done'
    const call = functionCall('exec_command', { cmd, login: false, yield_time_ms: 250 }, 'c')
    const { kit, handle } = await loaded({ items: [call] }, answer('second'), answer('third'))
    await using _ = kit
    using watch = new Watch(handle)
    const up = watch.next((event) => event.type === 'commandOutputDelta')
    const yielding = kit.clock.slept((ms) => ms === 250)
    const running = runTurn(handle, 'two')
    await Promise.all([up, yielding])
    kit.clock.wake()
    await running
    append(kit, turn('f'))
    const ended = watch.next(
      (event) => event.type === 'itemCompleted' && event.item.type === 'commandExecution',
    )
    appendFileSync(kit.at('project', 'go'), '')
    await ended
    assert.match(warnings(watch).join(), TOLD)
    await runTurn(handle, 'three')
    const all = ['one', 'first', 'two', 'second', 'uf', 'af', 'three']
    assert.deepEqual(said(kit, 3), all)
  })
})

/** What the store itself answers meanwhile. */
describe('the store of a live thread', () => {
  it('shows what another program wrote as soon as it is there', async () => {
    const { kit, handle } = await loaded()
    await using _ = kit
    const turnsOf = async (store: LocalThreadStore) => {
      const { threadId } = handle
      const page = await store.listTurns({ threadId, limit: 10, direction: 'asc' })
      return page.turns.map(({ id }) => id)
    }
    const before = await turnsOf(kit.store)
    append(kit, turn('f'))
    assert.deepEqual(await turnsOf(kit.store), [...before, 'tf'])
    assert.equal((await kit.store.loadHistory(handle.threadId)).items.at(-1)?.type, 'event_msg')
  })
})
