import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assistantMessage, customToolCall, functionCall } from '../../src/core/index.ts'
import type { SessionEvent, TurnItem } from '../../src/protocol/index.ts'
import type { Fault } from '../support/faulty-file-system.ts'
import type { Step } from '../support/played-model.ts'
import { runTurn, SessionKit, type TurnEnd, text, Watch } from '../support/session-kit.ts'

const patch = ['*** Begin Patch', '*** Add File: a.txt', '+one', '*** End Patch'].join('\n')

function script(turn = 'first'): Step[] {
  return [
    {
      items: [
        assistantMessage(`Looking, ${turn}`, { id: 'm1' }),
        functionCall('exec_command', { cmd: 'echo hi', login: false }, `${turn}_1`),
        functionCall('update_plan', { plan: [] }, `${turn}_2`),
        customToolCall('apply_patch', patch, `${turn}_3`),
      ],
      deltas: 2,
    },
    { items: [assistantMessage(`Done, ${turn}`, { id: 'm2' })] },
  ]
}

/** What stays of an item when it is read back: messages lose their ids. */
function essence(item: TurnItem): string {
  switch (item.type) {
    case 'agentMessage':
      return `said ${item.text}`
    case 'userMessage':
      return `asked ${JSON.stringify(item.content)}`
    case 'commandExecution':
    case 'fileChange':
      return `${item.id} ${item.status}`
    default:
      return item.type
  }
}

function toldItems(events: readonly SessionEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'itemCompleted' ? [essence(event.item)] : []))
}

/** Every call once, every output once, each output after its call. */
function assertWhole(kit: SessionKit): void {
  const open = new Set<string>()
  const seen = new Set<string>()
  for (const { payload } of kit.lines()) {
    const { type, call_id: id } = payload as { type?: string; call_id?: string }
    if (!id) continue
    if (type?.endsWith('_call')) {
      assert.ok(!seen.has(id), `call ${id} once`)
      seen.add(id)
      open.add(id)
    } else if (type?.endsWith('call_output')) assert.ok(open.delete(id), `output ${id} once`)
  }
  assert.deepEqual([...open], [], 'every call has its output')
}

describe('an interrupt at any moment', () => {
  it('ends the turn once, and the file says what was told', async () => {
    for (let ticks = 0; ticks < 60; ticks += 1) {
      await using kit = await SessionKit.open(script())
      const handle = await kit.start()
      using watch = new Watch(handle)
      const ended = watch.next((event) => event.type === 'turnCompleted')
      const starting = handle.startTurn(text('go'))
      // First ever later in the microtasks of the start, then ever later in the turn.
      for (let tick = 0; tick < ticks; tick += 1) {
        if (ticks < 25) await Promise.resolve()
        else await new Promise((resolve) => setImmediate(resolve))
      }
      await handle.interrupt()
      const turnId = await starting
      await ended
      const ends = watch.of('turnCompleted')
      const [turn, ...others] = kit.turns()
      assert.deepEqual(
        [ends.length, others.length, turn?.id, turn?.status],
        [1, 0, turnId, ends[0]?.status],
        `after ${ticks} ticks`,
      )
      assert.equal(watch.events.at(-1)?.type, 'turnCompleted')
      assert.deepEqual(turn?.items.map(essence).sort(), toldItems(watch.events).sort())
      assertWhole(kit)
    }
  })

  it('followed by a next turn at once leaves two whole turns', async () => {
    for (let ticks = 0; ticks < 12; ticks += 1) {
      await using kit = await SessionKit.open(script())
      const handle = await kit.start()
      await handle.startTurn(text('go'))
      for (let tick = 0; tick < ticks; tick += 1) await new Promise((next) => setImmediate(next))
      await handle.interrupt()
      kit.model.replace(...script('second'))
      const end = await runTurn(handle, 'again')
      assert.equal(kit.turns().length, 2)
      assert.equal(kit.turns()[1]?.status, end.status)
      assertWhole(kit)
    }
  })
})

interface Outcome {
  readonly told: readonly SessionEvent[]
  readonly ends: readonly TurnEnd[]
  readonly refused: number
}

/** Two turns, tried on whatever happens, and closed. */
async function twoTurns(kit: SessionKit): Promise<Outcome> {
  const handle = await kit.start()
  using watch = new Watch(handle)
  let refused = 0
  for (const prompt of ['one', 'two']) {
    kit.model.replace(...script(prompt))
    try {
      await runTurn(handle, prompt)
    } catch {
      refused += 1
    }
  }
  await handle.close().catch(() => handle.close())
  return { told: watch.events, ends: watch.of('turnCompleted'), refused }
}

describe('one failure at any call to storage', () => {
  const faults: readonly Fault[] = [
    { kind: 'fail', code: 'ENOSPC' },
    { kind: 'late', code: 'EIO' },
    { kind: 'cut', bytes: 30, code: 'ENOSPC' },
  ]
  for (const fault of faults) {
    it(`(${fault.kind}) loses nothing that was told, and no turn hangs`, async () => {
      await using clean = await SessionKit.open([])
      const { ends } = await twoTurns(clean)
      assert.deepEqual(
        ends.map(({ status }) => status),
        ['completed', 'completed'],
      )
      const count = clean.files.calls.length
      assert.ok(count > 20)
      for (let at = 0; at < count; at += 1) {
        await using kit = await SessionKit.open([])
        kit.files.plan = ({ index }) => (index === at ? fault : undefined)
        const outcome = await twoTurns(kit)
        const where = `call ${at}: ${kit.files.calls[at]?.method}`
        const kept = kit.turns()
        const items = kept.flatMap((turn) => turn.items.map(essence))
        for (const item of toldItems(outcome.told)) {
          assert.ok(items.includes(item), `${where} lost ${item}`)
        }
        assert.equal(outcome.ends.length, 2 - outcome.refused, where)
        for (const end of outcome.ends) {
          const turn = kept.find(({ id }) => id === end.turnId)
          // Told as failed because it could not be saved; by now it has been.
          const isSavedSince = /could not be saved/.test(end.error?.message ?? '')
          if (!isSavedSince) assert.equal(turn?.status, end.status, where)
          else assert.ok(turn, where)
        }
        assertWhole(kit)
      }
    })
  }
})
