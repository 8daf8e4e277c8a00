/**
 * A client that sends what is no message, or more than it reads. Each request gets one answer, no
 * byte ends the server, and other work goes on.
 */
import assert from 'node:assert/strict'
import type { JsonObject } from '../src/base/index.ts'
import { ServerProcess, SocketPeer } from '../test/support/server-process.ts'
import { HANDSHAKE } from './lab.ts'
import { placeThreads } from './placed-home.ts'
import type { FaultClass } from './suite.ts'

const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const bytes = (...parts: readonly (string | readonly number[])[]) =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)))

/** Lines that are no message: each is told so, with no id. */
const NO_MESSAGES: { readonly [what: string]: () => string | Buffer } = {
  'no JSON': () => 'nonsense',
  'an open brace': () => '{',
  'half a message': () => '{"id":1,"method":"thread/list","params":{',
  'a number': () => '5',
  'a text': () => '"x"',
  null: () => 'null',
  'an empty list': () => '[]',
  'a batch': () => '[{"id":1,"method":"thread/list"},{"id":2,"method":"thread/list"}]',
  'an empty object': () => '{}',
  'an id alone': () => '{"id":1}',
  'a method that is a number': () => '{"method":5}',
  'an id that is null': () => '{"id":null,"method":"thread/list","params":{}}',
  'an id that is a fraction': () => '{"id":1.5,"method":"thread/list"}',
  'an id that is an object': () => '{"id":{},"method":"thread/list"}',
  'an id that is true': () => '{"id":true,"method":"thread/list"}',
  'deep nesting': () => deep(100_000),
  'brackets that never close': () => '['.repeat(1_000_000),
  'a NUL': () => bytes('{"id":"x', [0], '"}'),
  'NULs alone': () => Buffer.alloc(5000),
  'no UTF-8': () => bytes('{"a":"', [0xff, 0xfe, 0xc3, 0x28], '"}'),
  'UTF-16': () => Buffer.from('{"id":1,"method":"thread/list"}', 'utf16le'),
  'a byte order mark': () => bytes([0xef, 0xbb, 0xbf], '{}'),
  'a line of 40 MB': () => Buffer.alloc(40 * 2 ** 20, 'x'),
}

/** Lines to which there is nothing to say. */
const SILENT: { readonly [what: string]: () => string | Buffer } = {
  'an empty line': () => '',
  blanks: () => '   \t  ',
  'a carriage return': () => '\r',
  'an answer to nothing': () => '{"id":7,"result":{}}',
  'an error to nothing': () => '{"id":7,"error":{"code":1,"message":"x"}}',
  'a notification of nobody': () => '{"method":"nosuch"}',
  'a lone surrogate': () => '{"method":"\\ud800"}',
}

/** Requests with an id; each has to be answered. */
const REQUESTS: { readonly [what: string]: (id: string) => string } = {
  'a method of nobody': (id) => `{"id":"${id}","method":"nosuch"}`,
  'no params': (id) => `{"id":"${id}","method":"thread/read"}`,
  'params that are a list': (id) => `{"id":"${id}","method":"thread/read","params":[1]}`,
  'params that are null': (id) => `{"id":"${id}","method":"thread/read","params":null}`,
  'params too deep': (id) =>
    `{"id":"${id}","method":"thread/start","params":{"config":${deep(50_000)}}}`,
  'a thread of nobody': (id) => `{"id":"${id}","method":"thread/read","params":{"threadId":"x"}}`,
  'a member twice': (id) => `{"id":"y","id":"${id}","method":"nosuch"}`,
  'a prototype': (id) => `{"id":"${id}","method":"__proto__","params":{"__proto__":{}}}`,
  'one more handshake': (id) => JSON.stringify({ id, method: 'initialize', params: HANDSHAKE }),
}

/** Over standard input: the lines of both kinds, each followed by a question that is answered. */
export const brokenMessages: FaultClass = {
  name: 'client: broken messages',
  goals: 'G15 G16',
  steps: { short: 1, long: 8 },
  async run(trial) {
    await using place = await trial.lab.place()
    await placeThreads(place, 3)
    await using server = await trial.lab.server(place)
    const ask = (id: string, line: string | Buffer) => {
      server.write(Buffer.concat([Buffer.from(line), Buffer.from('\n')]))
      return server.stdio.answer(id)
    }
    const isWell = async (what: string) => {
      const id = `well ${what}`
      const list = await ask(id, JSON.stringify({ id, method: 'thread/list', params: {} }))
      assert.ok((list.result as JsonObject | undefined)?.data, `the list behind ${what}`)
    }
    const complaints = () => server.stdio.messages.filter(({ id }) => id === null)
    for (const [what, line] of Object.entries({ ...NO_MESSAGES, ...SILENT })) {
      await trial.fault(`a line with ${what}`, async (checks) => {
        const before = complaints().length
        server.write(Buffer.concat([Buffer.from(line()), Buffer.from('\n')]))
        await isWell(what)
        const told = complaints().slice(before)
        assert.equal(told.length, Object.hasOwn(NO_MESSAGES, what) ? 1 : 0, 'one complaint')
        for (const { error } of told) assert.match(JSON.stringify(error), /"code":-32[67]00\b/)
        checks.add()
      })
    }
    for (const [what, line] of Object.entries(REQUESTS)) {
      await trial.fault(`a request with ${what}`, async (checks) => {
        const { error } = await ask(what, line(what))
        assert.equal(typeof (error as JsonObject | undefined)?.code, 'number')
        await isWell(what)
        const answers = server.stdio.messages.filter((message) => message.id === what)
        assert.equal(answers.length, 1, 'one answer')
        checks.add()
      })
    }
  },
}

const FLOOD = 500

/** Requests in one go, over both transports, of a client that reads late. */
export const flood: FaultClass = {
  name: `client: ${FLOOD} requests unread`,
  goals: 'G16 G17',
  steps: { short: 1, long: 8 },
  async run(trial) {
    await using place = await trial.lab.place()
    await placeThreads(place, 3)
    await trial.faults(FLOOD, 'over standard input', async (checks) => {
      await using server = await trial.lab.server(place)
      server.child.stdout?.pause()
      server.write(floodOf('stdio'))
      server.write('{"id":"last","method":"nosuch"}\n')
      server.child.stdout?.resume()
      await server.stdio.answer('last')
      checks.add(await answered(server.stdio, 'stdio'))
    })
    await trial.faults(FLOOD, 'over a WebSocket', async (checks) => {
      await using server = await ServerProcess.listen(place, ['--ws-auth', 'none'])
      await using slow = await SocketPeer.connect(server.url)
      await using other = await SocketPeer.connect(server.url)
      for (const peer of [slow, other]) await peer.request('initialize', HANDSHAKE)
      slow.socket.pause()
      for (const line of floodOf('ws').trimEnd().split('\n')) slow.socket.send(line)
      // Who else is there may be told that the server is busy, and is not kept waiting.
      await other.request('thread/list').catch((error: Error) => {
        assert.match(error.message, /overloaded/)
      })
      slow.socket.resume()
      checks.add(await answered(slow, 'ws'))
    })
  },
}

const METHODS = ['thread/list', 'thread/loaded/list', 'model/list', 'nosuch', 'config/read']

function floodOf(name: string): string {
  return Array.from({ length: FLOOD }, (_, n) => {
    return `${JSON.stringify({ id: `${name}${n}`, method: METHODS[n % 5], params: {} })}\n`
  }).join('')
}

/** Waits for every answer, each of which comes once; answers how many there are. */
async function answered(peer: Pick<SocketPeer, 'answer' | 'messages'>, name: string) {
  for (let n = 0; n < FLOOD; n += 1) await peer.answer(`${name}${n}`)
  const ids = peer.messages.map(({ id }) => String(id)).filter((id) => id.startsWith(name))
  assert.equal(ids.length, FLOOD, 'one answer each')
  return ids.length
}
