/**
 * kill -9 of `bobbin exec` at random moments: every item that had been printed as completed is in
 * the file, no line is glued to a torn one, and the thread resumes. The seed is printed;
 * `BOBBIN_KILLS` and `BOBBIN_SEED` choose how often and which moments.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { isObject, type JsonObject } from '../../src/base/index.ts'
import {
  assistantMessage,
  customToolCall,
  functionCall,
  reasoning,
  type ScriptedResponse,
} from '../../src/core/index.ts'
import { jsonLines, Workplace } from '../support/bobbin.ts'
import { ScriptedResponsesServer } from '../support/responses-server.ts'
import { seededRandom } from '../support/seeded-random.ts'

const KILLS = Number(process.env.BOBBIN_KILLS ?? 12)
const SEED = Number(process.env.BOBBIN_SEED ?? Math.floor(Math.random() * 2 ** 31))
const TURN_LENGTH_MS = 260

const ADD_FILE = '*** Begin Patch\n*** Add File: b.txt\n+b\n*** End Patch'

const SCRIPT: readonly ScriptedResponse[] = [
  {
    delayMs: 1,
    items: [
      reasoning('first thoughts'),
      assistantMessage('message one', { phase: 'commentary' }),
      functionCall('exec_command', { cmd: 'cat a.txt' }, 'call_one'),
    ],
  },
  { items: [customToolCall('apply_patch', ADD_FILE, 'call_patch')] },
  {
    delayMs: 1,
    items: [
      assistantMessage('message two', { phase: 'commentary' }),
      functionCall('exec_command', { cmd: 'echo out; echo more' }, 'call_two'),
    ],
  },
  { delayMs: 1, deltas: 8, items: [assistantMessage('message three, which is the last')] },
]

const RESUMED: ScriptedResponse = { items: [assistantMessage('resumed')] }

/** Starts a turn, kills it so long after its first line, and answers what it had printed. */
async function killedTurn(place: Workplace, afterMs: number): Promise<string> {
  const args = ['exec', '--json', '--dangerously-bypass-approvals-and-sandbox', 'the prompt']
  const child = place.start(args)
  child.stdin?.end()
  const closed = once(child, 'close')
  let printed = ''
  let isTimed = false
  child.stdout?.on('data', (chunk) => {
    printed += String(chunk)
    if (isTimed) return
    isTimed = true
    void pause(afterMs).then(() => child.kill('SIGKILL'))
  })
  await closed
  return printed
}

/** The lines of the file that parse, and how many do not. */
function parseRollout(text: string): { lines: JsonObject[]; unreadable: number } {
  const lines: JsonObject[] = []
  let unreadable = 0
  for (const line of text.split('\n')) {
    if (line === '') continue
    try {
      const value: unknown = JSON.parse(line)
      if (isObject(value)) lines.push(value)
    } catch {
      unreadable += 1
    }
  }
  return { lines, unreadable }
}

/** Whether the log holds what `exec --json` printed as completed. */
function isKept(item: JsonObject, lines: readonly JsonObject[]): boolean {
  const payloads = lines.map((line) => line.payload).filter(isObject)
  const has = (type: string, isSame: (payload: JsonObject) => boolean) =>
    payloads.some((payload) => payload.type === type && isSame(payload))
  switch (item.type) {
    case 'agent_message':
      return (
        has('agent_message', (payload) => payload.message === item.text) &&
        has('message', (payload) => JSON.stringify(payload.content).includes(String(item.text)))
      )
    case 'reasoning':
      return has('agent_reasoning', (payload) => payload.text === item.text)
    case 'command_execution':
      return has(
        'exec_command_end',
        (payload) => payload.aggregated_output === item.aggregated_output,
      )
    case 'file_change':
      return has('patch_apply_end', (payload) => payload.success === true)
    default:
      return false
  }
}

it(`[RO-1] ${KILLS} kills, seed ${SEED}: nothing printed as completed is lost`, async () => {
  const random = seededRandom(SEED)
  let checked = 0
  for (let kill = 0; kill < KILLS; kill += 1) {
    await using place = await Workplace.create()
    await using model = await ScriptedResponsesServer.start(({ body }, index) => {
      const isResumed = JSON.stringify(body.input).includes('"go on"')
      return (isResumed ? undefined : SCRIPT[index]) ?? RESUMED
    })
    await place.useModel(model.baseUrl)
    const printed = await killedTurn(place, random(TURN_LENGTH_MS))
    const events = jsonLines(printed.slice(0, printed.lastIndexOf('\n') + 1))
    const threadId = String(events[0]?.thread_id)
    const isStarted = events.some((event) => event.type === 'turn.started')
    const name = (await place.homeFiles()).find((each) => each.endsWith('.jsonl'))
    if (!isStarted && name === undefined) continue
    const path = join(place.home, name ?? '')
    const before = await readFile(path, 'utf8')
    const { lines } = parseRollout(before)
    if (isStarted) assert.ok(before.includes('"the prompt"'), 'the prompt is kept')
    for (const event of events.filter((each) => each.type === 'item.completed')) {
      assert.ok(
        isKept(event.item as JsonObject, lines),
        `${JSON.stringify(event)} is lost: ${path}`,
      )
      checked += 1
    }
    // A file whose header was cut off names no thread that could be resumed.
    if (!before.includes('\n')) continue
    const next = await place.exec(['resume', threadId, 'go on'])
    assert.equal(next.exitCode, 0, next.stderr)
    const after = await readFile(path, 'utf8')
    assert.ok(after.startsWith(before), 'nothing that was there has changed')
    const grown = parseRollout(after.slice(before.lastIndexOf('\n') + 1))
    assert.ok(grown.unreadable <= 1 && parseRollout(after).unreadable <= 1, 'no line is glued')
    assert.ok(grown.lines.some((line) => JSON.stringify(line).includes('"resumed"')))
  }
  assert.ok(checked >= KILLS, `only ${checked} items were printed before the kills`)
})
