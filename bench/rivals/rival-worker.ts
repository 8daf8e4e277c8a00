/**
 * One store in a process of its own, filled with items and then asked to append some and to load
 * all. Arguments: its name, a folder, and how many items it is filled with.
 */
import { type JsonObject, stringAt } from '../../src/base/index.ts'
import { SeededText } from '../seeded-text.ts'
import { answerQuestions, timed } from '../worker.ts'
import { agentsSession } from './agents.ts'
import { bobbin } from './bobbin.ts'
import { langgraphPostgres, langgraphSqlite } from './langgraph.ts'
import { mastra } from './mastra.ts'
import type { Rival } from './rival.ts'

const BATCH_ITEMS = 10
const FILL_ITEMS = 500

const RIVALS: { readonly [name: string]: (folder: string) => Promise<Rival> } = {
  bobbin,
  langgraphSqlite,
  langgraphPostgres,
  mastra,
  agents: agentsSession,
}

const [name = '', folder = '', count = '0'] = process.argv.slice(2)
const open = RIVALS[name]
if (!open) throw new Error(`no such store: ${name}`)
const text = new SeededText(7)
let length = 0

function items(wanted: number): JsonObject[] {
  return Array.from({ length: wanted }, (_, n) => {
    const call_id = `call_${text.hex(24)}`
    if (n % 2 === 1) {
      const output = text.prose(text.count(300, 2_500))
      return { type: 'function_call_output', call_id, output }
    }
    const args = JSON.stringify({ cmd: text.prose(80) })
    return { type: 'function_call', name: 'exec_command', arguments: args, call_id }
  })
}

async function append(rival: Rival, wanted: number): Promise<number> {
  const batch = items(wanted)
  const { ms } = await timed(() => rival.append(batch))
  length += wanted
  return ms
}

async function load(rival: Rival): Promise<number> {
  const { ms, value } = await timed(() => rival.load())
  if (value.length < length) throw new Error(`${value.length} of ${length} items are there`)
  return ms
}

await using rival = await open(folder)
while (length < Number(count)) {
  await append(rival, Math.min(FILL_ITEMS, Number(count) - length))
}
await answerQuestions(async (question) => {
  const call = stringAt(question, 'call')
  if (call === 'append') return { ms: await append(rival, BATCH_ITEMS) }
  if (call === 'load') return { ms: await load(rival) }
  return {}
})
