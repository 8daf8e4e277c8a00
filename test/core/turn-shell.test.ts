import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { assistantMessage } from '../../src/core/index.ts'
import { messageText, type ResponseItem, type TurnItem } from '../../src/protocol/index.ts'
import { completed, itemEvents, type Step, started } from '../support/played-model.ts'
import { runTurn, SessionKit, text, Watch } from '../support/session-kit.ts'

const done: Step = { items: [assistantMessage('done')] }
const isEnd = ({ type }: { type: string }) => type === 'turnCompleted'

function held(words: string) {
  const asked = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const step: Step = async function* () {
    yield started()
    asked.resolve()
    await gate.promise
    yield* itemEvents(assistantMessage(words))
    yield completed()
  }
  return { step, asked: asked.promise, letGo: gate.resolve }
}

function shellTexts(items: readonly ResponseItem[] | undefined): string[] {
  const texts = (items ?? []).map((item) => (item.type === 'message' ? messageText(item) : ''))
  return texts.filter((each) => each.startsWith('<user_shell_command>'))
}

function commands(watch: Watch) {
  return watch.of('itemCompleted').flatMap(({ item }): TurnItem[] => {
    return item.type === 'commandExecution' ? [item] : []
  })
}

async function ran(kit: SessionKit, command: string) {
  const handle = await kit.start({ sandboxPolicy: { type: 'read-only' } })
  using watch = new Watch(handle)
  const ended = watch.next(isEnd)
  await handle.runShellCommand(command)
  await ended
  return { handle, watch }
}

describe('a command that a person runs [B8]', () => {
  it('is a turn of its own, with their rights, and the model knows of it later', async () => {
    await using kit = await SessionKit.open([done])
    const { handle, watch } = await ran(kit, ' echo hi > made; cat made; exit 3 ')
    assert.equal(readFileSync(kit.at('project', 'made'), 'utf8'), 'hi\n')
    assert.deepEqual(
      watch.events.map(({ type }) => type),
      ['turnStarted', 'itemStarted', 'commandOutputDelta', 'itemCompleted', 'turnCompleted'],
    )
    assert.equal(watch.of('turnCompleted')[0]?.status, 'completed')
    assert.deepEqual(kit.kinds(), [
      'session_meta',
      'event_msg task_started',
      'event_msg exec_command_end',
      'response_item message user',
      'event_msg task_complete',
    ])
    assert.equal(kit.payloads('event_msg exec_command_end')[0]?.source, 'user_shell')
    assert.deepEqual(kit.turns()[0]?.items, commands(watch))
    await runTurn(handle, 'go on')
    const [message] = shellTexts(kit.model.requests[0]?.input)
    assert.match(message ?? '', /<command>\necho hi > made; cat made; exit 3\n<\/command>/)
    assert.match(message ?? '', /Exit code: 3\nDuration: [\d.]+ seconds\nOutput:\nhi\n/)
  })

  it('that is stopped dies with its children, and that is said', async () => {
    await using kit = await SessionKit.open([])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const up = watch.next(({ type }) => type === 'commandOutputDelta')
    await handle.runShellCommand('sleep 100 & echo $! > pid; echo up; wait')
    await up
    await handle.interrupt()
    const pid = Number(readFileSync(kit.at('project', 'pid'), 'utf8'))
    assert.ok(!existsSync(`/proc/${pid}`) || / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')))
    assert.equal(watch.of('turnCompleted')[0]?.status, 'interrupted')
    assert.deepEqual(kit.kinds().slice(2), [
      'event_msg exec_command_end',
      'response_item message user',
      'response_item message user',
      'event_msg turn_aborted',
    ])
    const [told] = shellTexts(kit.payloads('response_item message user') as never)
    assert.match(told ?? '', /Exit code: -1\nDuration: 0.0000 seconds\nOutput:\ncommand aborted/)
  })

  it('beside a turn goes into it, or behind it when it takes longer', async () => {
    const first = held('a1')
    await using kit = await SessionKit.open([first.step, done])
    const handle = await kit.start()
    using watch = new Watch(handle)
    const ended = watch.next(isEnd)
    const turnId = await handle.startTurn(text('go'))
    await first.asked
    const shown = watch.next(({ type }) => type === 'itemCompleted')
    assert.equal(await handle.runShellCommand('echo quick'), turnId)
    await shown
    await handle.runShellCommand('until test -e go; do sleep 0.01; done; echo slow')
    first.letGo()
    await ended
    assert.match(shellTexts(kit.model.requests[1]?.input)[0] ?? '', /quick/)
    const late = watch.next(({ type }) => type === 'itemCompleted')
    kit.model.add(done, done)
    writeFileSync(kit.at('project', 'go'), '')
    await late
    await runTurn(handle, 'and?')
    assert.equal(shellTexts(kit.model.requests.at(-1)?.input).length, 2)
  })

  it('beside a turn that is stopped dies with it; the thread goes on', async () => {
    const first = held('a1')
    await using kit = await SessionKit.open([first.step, done, done])
    const handle = await kit.start()
    using watch = new Watch(handle)
    await handle.startTurn(text('go'))
    await first.asked
    const up = watch.next(({ type }) => type === 'commandOutputDelta')
    await handle.runShellCommand('echo up; sleep 100')
    await up
    const over = watch.next(
      (event) => event.type === 'itemCompleted' && event.item.type === 'commandExecution',
    )
    const stopping = handle.interrupt()
    first.letGo()
    await Promise.all([stopping, over])
    assert.equal((await runTurn(handle, 'next')).status, 'completed')
    assert.match(shellTexts(kit.model.requests.at(-1)?.input)[0] ?? '', /aborted by user/)
  })

  it('is refused when it is blank, and when the thread is closed; closing ends it', async () => {
    await using kit = await SessionKit.open([])
    const handle = await kit.start()
    await assert.rejects(handle.runShellCommand(' \n'), { code: 'empty_input' })
    assert.deepEqual(kit.logs(), [])
    await handle.runShellCommand('sleep 100')
    await handle.close()
    assert.equal(kit.kinds().at(-1), 'event_msg turn_aborted')
    await assert.rejects(handle.runShellCommand('true'), { code: 'closed' })
  })
})
