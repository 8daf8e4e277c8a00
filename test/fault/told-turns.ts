/** Turns on a disk that fails meanwhile, and whether all that was told of them is in the log. */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { assistantMessage, functionCall, SessionError } from '../../src/core/index.ts'
import type { SessionEvent } from '../../src/protocol/index.ts'
import type { Step } from '../support/played-model.ts'
import { SessionKit, text, Watch } from '../support/session-kit.ts'

const TURNS = 20
/** Turns that are tried while there is no room. */
const TRIES = 3

type Handle = Awaited<ReturnType<SessionKit['start']>>

const words = (n: number) => `answer ${n} ${'€'.repeat(100)}`

function stepsOf(n: number): Step[] {
  const call = functionCall('update_plan', { plan: [] }, `call_${n}`)
  return [{ items: [assistantMessage(`plan ${n}`), call] }, { items: [assistantMessage(words(n))] }]
}

interface Outcome {
  readonly prompt: string
  /** `refused`: the turn was not started. */
  readonly status: string
  readonly message: string
}

export async function play(kit: SessionKit, handle: Handle, n: number): Promise<Outcome> {
  kit.model.replace(...stepsOf(n))
  const prompt = `prompt ${n}`
  using watch = new Watch(handle)
  const ended = watch.next((event) => event.type === 'turnCompleted')
  try {
    await handle.startTurn(text(prompt))
  } catch (error) {
    assert.ok(error instanceof SessionError && error.code === 'not_kept', `${error}`)
    assert.deepEqual(watch.events, [], 'a turn that was refused is told of')
    return { prompt, status: 'refused', message: error.message }
  }
  await ended
  const end = watch.of('turnCompleted').at(-1)
  return { prompt, status: end?.status ?? '', message: end?.error?.message ?? '' }
}

/** The bytes of the log of all the turns when nothing fails. */
export async function sizeOfScript(): Promise<number> {
  await using kit = await SessionKit.open([])
  const handle = await kit.start()
  for (let n = 0; n < TURNS; n += 1) assert.equal((await play(kit, handle, n)).status, 'completed')
  await handle.close()
  return statSync(kit.logs()[0] ?? '').size
}

/** Every text that was told as finished is in the log, once; half lines are not. */
function assertAllKept(kit: SessionKit, told: readonly SessionEvent[], outcomes: Outcome[]): void {
  const log = JSON.stringify(kit.lines())
  for (const event of told) {
    if (event.type !== 'itemCompleted' || event.item.type !== 'agentMessage') continue
    assert.ok(log.includes(JSON.stringify(event.item.text)), `${event.item.text} is lost`)
  }
  const prompts = kit.payloads('event_msg user_message').map(({ message }) => String(message))
  // Of a turn that was refused the message may wait for the next one to be written, or be dropped.
  const isKept = ({ prompt, status }: Outcome) => status !== 'refused' || prompts.includes(prompt)
  const kept = outcomes.filter(isKept)
  assert.deepEqual(
    prompts,
    kept.map(({ prompt }) => prompt),
  )
  const statuses = kit.turns().map(({ status }) => status)
  for (const [n, { status }] of kept.entries()) {
    if (status === 'refused') assert.notEqual(statuses[n], 'completed')
    else assert.equal(statuses[n], status, `turn ${n}`)
  }
}

/**
 * Turns on a disk that fails somewhere, and is well again after some tries. Answers how many of
 * them had failed.
 */
export async function fillUp(kit: SessionKit, free: () => void, turns = TURNS): Promise<number> {
  const handle = await kit.start()
  using watch = new Watch(handle)
  const outcomes: Outcome[] = []
  let failures = 0
  for (let n = 0; n < turns; n += 1) {
    const outcome = await play(kit, handle, n)
    outcomes.push(outcome)
    if (outcome.status === 'completed') continue
    failures += 1
    assert.match(outcome.message, /^the conversation could not be saved: .*(ENOSPC|EIO)/)
    assert.ok(['failed', 'refused'].includes(outcome.status), outcome.status)
    if (failures === TRIES) free()
    assert.ok(failures <= TRIES, 'there is room again')
  }
  if (failures < TRIES) free()
  // A failure in the background is told once, to whoever comes next.
  await handle.close().catch(() => handle.close())
  assertAllKept(kit, watch.events, outcomes)
  await kit.restart()
  const { damage } = await kit.store.loadHistory(handle.threadId)
  assert.deepEqual(damage, [])
  return failures
}
