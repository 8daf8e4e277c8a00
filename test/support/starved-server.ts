/**
 * A composed server whose process has no descriptors left when it loads what serves, and has some
 * again later. Prints the answers to one request each: when nothing can be loaded, when the
 * protocol is there but not what it serves, and with room. Arguments: the home.
 */
import { closeSync, openSync } from 'node:fs'
import type { JsonObject } from '../../src/base/index.ts'
import { ComposedServer } from '../../src/cli/compose-server.ts'

const taken: number[] = []

function takeAll(): void {
  for (;;) {
    try {
      taken.push(openSync('/dev/null', 'r'))
    } catch {
      // None is left.
      return
    }
  }
}

function giveBack(): void {
  for (const fd of taken.splice(0)) closeSync(fd)
}

const [home = ''] = process.argv.slice(2)
await using composed = new ComposedServer({
  home,
  environment: process.env,
  overrides: [],
  onBadConfig: () => undefined,
})
let answered: (message: JsonObject) => void = () => undefined
const port = composed.server.connect({
  send: (text) => {
    const message: JsonObject = JSON.parse(text)
    if (message.method === undefined) answered(message)
  },
})

function ask(method: string, params: JsonObject): Promise<JsonObject> {
  const answer = new Promise<JsonObject>((resolve) => {
    answered = resolve
  })
  port.receive(JSON.stringify({ id: method, method, params }))
  return answer
}

takeAll()
await ask('initialize', { clientInfo: { name: 'starved', version: '0' } })
const answers = [await ask('thread/loaded/list', {})]
giveBack()
await import('../../src/app-server/thread-server.ts')
takeAll()
answers.push(await ask('thread/loaded/list', {}))
giveBack()
answers.push(await ask('thread/loaded/list', {}))
process.stdout.write(`${JSON.stringify(answers)}\n`)
