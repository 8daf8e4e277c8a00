/**
 * The scripted model of the bench, in a process of its own so that nobody's numbers hold it. What
 * it says is made beforehand, and what it is asked is thrown away, so that it keeps nobody waiting.
 * Questions: `address`; `play`, which turns to one of the scripts; `requestMs`, the time at which
 * the first request since the last such question had arrived.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type JsonObject, stringAt } from '../src/base/index.ts'
import {
  assistantMessage,
  functionCall,
  responseEvents,
  type ScriptedResponse,
} from '../src/core/model/script.ts'
import { unixMs } from './line-pipe.ts'
import { SeededText } from './seeded-text.ts'
import { answerQuestions } from './worker.ts'

const COMMANDS = 5
const DELTAS = 5000

const text = new SeededText(5).prose(DELTAS * 5).slice(0, DELTAS * 5)
const done = bytesOf({ items: [assistantMessage('Done.', { id: 'msg_1' })] })
const deltas = bytesOf({ items: [assistantMessage(text, { id: 'msg_2' })], deltas: DELTAS })

/** The answer to the nth request, from 0, since the script was turned to. */
const SCRIPTS: { readonly [name: string]: (n: number) => Buffer } = {
  message: () => done,
  deltas: () => deltas,
  /** A turn of so many requests more than commands. */
  commands: (n) => (n % (COMMANDS + 1) === COMMANDS ? done : command(n)),
}

function command(n: number): Buffer {
  return bytesOf({ items: [functionCall('exec_command', { cmd: 'true' }, `call_${n}`)] })
}

function bytesOf(response: ScriptedResponse): Buffer {
  const events = responseEvents(response, 'resp_1')
  const lines = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  return Buffer.from(lines.join(''))
}

let answerTo = SCRIPTS.message ?? (() => done)
let given = 0
let firstRequestMs: number | undefined

function answer(request: IncomingMessage, response: ServerResponse): void {
  request.resume()
  request.once('end', () => {
    const isForModel = request.method === 'POST' && request.url?.endsWith('/responses')
    if (!isForModel) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{}')
      return
    }
    firstRequestMs ??= unixMs()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(answerTo(given))
    given += 1
  })
}

const server = createServer(answer).listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo

await answerQuestions(async (question): Promise<JsonObject> => {
  switch (stringAt(question, 'call')) {
    case 'address':
      return { baseUrl: `http://127.0.0.1:${port}/v1` }
    case 'play': {
      const script = SCRIPTS[stringAt(question, 'script') ?? '']
      if (!script) throw new Error(`no such script: ${JSON.stringify(question)}`)
      answerTo = script
      given = 0
      return {}
    }
    case 'requestMs': {
      const requestMs = firstRequestMs ?? 0
      firstRequestMs = undefined
      return { requestMs }
    }
    default:
      throw new Error(`no such question: ${JSON.stringify(question)}`)
  }
})
server.close()
server.closeAllConnections()
