/**
 * The least that turns can take, asked like `turns-worker.ts`: a request of the usual size, its
 * answer read and not looked at, and where that is a command, the shell that runs it. What the
 * scripted model itself takes is in here, too. Argument: base URL.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { type JsonObject, numberAt, stringAt } from '../src/base/index.ts'
import { atOnce } from './at-once.ts'
import { unixMs } from './line-pipe.ts'
import { answerQuestions } from './worker.ts'

const REQUEST_BYTES = 24_000

const url = `${process.argv[2]}/responses`
const body = Buffer.alloc(REQUEST_BYTES, 'x')
const headers = { 'content-type': 'application/json', 'content-length': String(body.length) }

async function post(): Promise<{ readonly bytes: number; readonly isCommand: boolean }> {
  const outgoing = request(url, { method: 'POST', headers }).end(body)
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
  let bytes = 0
  let isCommand = false
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    isCommand ||= bytes === 0 && chunk.includes('function_call')
    bytes += chunk.length
  }
  return { bytes, isCommand }
}

async function turn(): Promise<void> {
  while ((await post()).isCommand) {
    const shell = process.env.SHELL ?? '/bin/bash'
    await once(spawn(shell, ['-lc', 'true'], { stdio: 'ignore' }), 'close')
  }
}

async function runTurns(threads: number, turns: number): Promise<JsonObject> {
  await atOnce(Array.from({ length: threads }), async () => {
    for (let count = 0; count < turns; count += 1) await turn()
  })
  return { endedMs: unixMs() }
}

await answerQuestions(async (question) => {
  if (stringAt(question, 'call') !== 'turns') return {}
  return runTurns(numberAt(question, 'threads') ?? 1, numberAt(question, 'turns') ?? 1)
})
