/**
 * A process that serves a home's threads. Each JSON line of stdin is a message of one of its
 * clients, each line of stdout one for a client; the end of stdin is an orderly end. Arguments:
 * home, project, name. What the model does is what the person says: `hang`, `ask`, or words.
 */
import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { ClientPort } from '../../src/app-server/index.ts'
import { isObject, systemClock } from '../../src/base/index.ts'
import { assistantMessage, functionCall, type ModelClient } from '../../src/core/index.ts'
import { PeerSide } from './peer-side.ts'
import { hangsAfter, PlayedModel, type Step } from './played-model.ts'

const [home = '', project = '', name = ''] = process.argv.slice(2)

const model: ModelClient = {
  stream: (request, signal) => new PlayedModel([stepFor(request.input)]).stream(request, signal),
}

function stepFor(input: readonly unknown[]): Step {
  const last = input.at(-1)
  const isOutput = isObject(last) && last.type === 'function_call_output'
  const words = isOutput ? 'done' : (/"text":"([^"]*)"/.exec(JSON.stringify(last))?.[1] ?? '')
  if (words === 'hang') return hangsAfter(assistantMessage('partial'))
  if (words !== 'ask') return { items: [assistantMessage(`heard ${words}`)] }
  const call = { cmd: 'touch asked', login: false }
  return { items: [functionCall('exec_command', call, `call_${input.length}`)] }
}

const side = await PeerSide.open({ home, project, name, model, clock: systemClock })
const ports = new Map<number, ClientPort>()
const say = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`)

function portOf(client: number): ClientPort {
  const known = ports.get(client)
  if (known) return known
  const port = side.server.connect({
    send: (text) => say({ client, message: JSON.parse(text) }),
  })
  ports.set(client, port)
  return port
}

say({ ready: true })
for await (const line of createInterface({ input: process.stdin })) {
  const { client, message } = JSON.parse(line)
  if (message) portOf(client).receive(JSON.stringify(message))
  else portOf(client).close()
}
await side[Symbol.asyncDispose]()
