/**
 * Bobbin with many loaded threads, in a process of its own. Questions: `start`, which loads `count`
 * new threads; `turns`, which runs so many in each of the `threads` that were loaded last, twenty
 * threads at once, and answers the time of the last event and the deltas that were heard;
 * `collect`, which has V8 give back what nobody uses, the space for new objects included. Arguments: base URL, home, project.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type JsonObject, numberAt, stringAt } from '../src/base/index.ts'
import type { ThreadHandle } from '../src/core/index.ts'
import { atOnce } from './at-once.ts'
import { unixMs } from './line-pipe.ts'
import { openManager, settingsIn } from './manager-under-test.ts'
import { answerQuestions } from './worker.ts'

const COLLECTIONS = 5
const PAUSE_MS = 50

const [baseUrl = '', home = '', cwd = ''] = process.argv.slice(2)
await using managed = openManager(home, baseUrl)
const loaded: RunningThread[] = []
let deltas = 0

/** Runs one turn after the other; its only listener is there as long as the thread is. */
class RunningThread {
  readonly #handle: ThreadHandle
  #ended = Promise.withResolvers<void>()

  constructor(handle: ThreadHandle) {
    this.#handle = handle
    handle.listen((event) => {
      if (event.type === 'agentMessageDelta') deltas += 1
      if (event.type !== 'turnCompleted') return
      if (event.status === 'completed') this.#ended.resolve()
      else this.#ended.reject(new Error(`the turn was ${event.status}: ${event.error?.message}`))
    })
  }

  async run(turns: number): Promise<void> {
    for (let turn = 0; turn < turns; turn += 1) {
      this.#ended = Promise.withResolvers()
      await this.#handle.startTurn([{ type: 'text', text: `turn ${turn}` }])
      await this.#ended.promise
    }
  }
}

async function start(count: number): Promise<JsonObject> {
  for (let started = 0; started < count; started += 1) {
    const handle = await managed.manager.start({ settings: settingsIn(cwd) })
    loaded.push(new RunningThread(handle))
  }
  return {}
}

async function runTurns(threads: number, turns: number): Promise<JsonObject> {
  deltas = 0
  await atOnce(loaded.slice(-threads), (thread) => thread.run(turns))
  return { endedMs: unixMs(), deltas }
}

async function collect(): Promise<JsonObject> {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as (how: object) => void
  for (let count = 0; count < COLLECTIONS; count += 1) {
    collectGarbage({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    await sleep(PAUSE_MS)
  }
  return {}
}

await answerQuestions(async (question) => {
  switch (stringAt(question, 'call')) {
    case 'start':
      return start(numberAt(question, 'count') ?? 1)
    case 'turns':
      return runTurns(numberAt(question, 'threads') ?? 1, numberAt(question, 'turns') ?? 1)
    case 'collect':
      return collect()
    default:
      throw new Error(`no such question: ${JSON.stringify(question)}`)
  }
})
