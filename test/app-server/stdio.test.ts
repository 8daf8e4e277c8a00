import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isObject } from '../../src/base/index.ts'
import { assistantMessage } from '../../src/core/index.ts'
import { Workplace } from '../support/bobbin.ts'
import { ScriptedResponsesServer } from '../support/responses-server.ts'
import { ServerProcess } from '../support/server-process.ts'

const CLIENT = { clientInfo: { name: 'lab', version: '0' } }
const hello = (id: string | number) => JSON.stringify({ id, method: 'initialize', params: CLIENT })

describe('bobbin app-server over stdio', () => {
  it('takes messages in pieces, without a last newline, and answers before it ends', async () => {
    await using place = await Workplace.create()
    await using server = new ServerProcess(place)
    const id = 'one\u2028two £'
    const bytes = Buffer.from(`\n  \r\nno JSON\n[1]\n${hello(id)}\r\n${hello('last')}`)
    const middle = bytes.indexOf(Buffer.from('£')) + 1
    server.write(bytes.subarray(0, middle))
    server.write(bytes.subarray(middle))
    server.child.stdin?.end()
    assert.deepEqual(await server.exited, { code: 0, signal: null })
    const answers = server.stdio.messages.filter(({ method }) => method === undefined)
    const told = answers.map(({ id, error }) => [id, isObject(error) ? error.message : undefined])
    assert.deepEqual(told, [
      [null, `Parse error: Unexpected token 'o', "no JSON" is not valid JSON`],
      [null, 'Invalid request: batches are not supported'],
      [id, undefined],
      ['last', 'Already initialized'],
    ])
    assert.equal(server.stderr, '')
  })

  it('lives on after a huge line, bytes that are no UTF-8, and a flood', async () => {
    await using place = await Workplace.create()
    await using server = new ServerProcess(place)
    await server.stdio.initialize()
    const padding = 'x'.repeat(32 * 1024 * 1024)
    server.write(`${JSON.stringify({ id: 'huge', method: 'nosuch', params: { padding } })}\n`)
    assert.match(JSON.stringify(await server.stdio.answer('huge')), /unknown variant `nosuch`/)
    server.write(Buffer.concat([Buffer.from('{"id":"bad \xff"', 'latin1'), Buffer.from('}\n')]))
    await server.logged(/standard input: a line held bytes that are no UTF-8\n/)
    const count = 5000
    const flood = Array.from({ length: count }, (_, n) => {
      return n % 2 === 0 ? hello(`f${n}`) : `{"id":"f${n}","method":"nosuch"}`
    })
    server.write(`${flood.join('\n')}\n`)
    await server.stdio.answer(`f${count - 1}`)
    server.write('{"id":"end","method":"nosuch"}\n')
    await server.stdio.answer('end')
    const codes = server.stdio.messages.flatMap(({ id, error }) => {
      return String(id).startsWith('f') ? [(error as { code: number }).code] : []
    })
    assert.equal(codes.length, count)
    assert.deepEqual([...new Set(codes)].sort(), [-32001, -32600])
  })

  it('ends with its input: a running turn is interrupted, told and kept', async () => {
    await using place = await Workplace.create()
    const never = new Promise<never>(() => undefined)
    await using model = await ScriptedResponsesServer.start(() => never)
    await place.useModel(model.baseUrl)
    await using server = new ServerProcess(place)
    await server.stdio.initialize('first-client')
    await server.stdio.startTurn()
    const request = await model.received(1)
    server.child.stdin?.end()
    assert.deepEqual(await server.exited, { code: 0, signal: null })
    const { params } = await server.stdio.notification('turn/completed')
    assert.equal((params as { turn: { status: string } }).turn.status, 'interrupted')
    const lines = await place.rolloutLines()
    assert.equal(lines.at(-1)?.payload.type, 'turn_aborted')
    const { originator, source } = lines[0]?.payload ?? {}
    assert.deepEqual([originator, source], ['first-client', 'vscode'])
    assert.equal(request.headers.originator, 'first-client')
  })

  it('reads the configuration anew for each thread, and starts on a broken one', async () => {
    await using place = await Workplace.create()
    await using model = await ScriptedResponsesServer.start([{ items: [assistantMessage('hi')] }])
    await place.writeConfig('model = [')
    await using server = new ServerProcess(place)
    await server.logged(/config\.toml:1:\d+: not valid TOML.*; starting on defaults\n/)
    await server.stdio.initialize()
    await place.useModel(model.baseUrl)
    await server.stdio.startTurn()
    const { params } = await server.stdio.notification('turn/completed')
    assert.equal((params as { turn: { status: string } }).turn.status, 'completed')
  })

  it('ends when nobody reads its output any more', async () => {
    await using place = await Workplace.create()
    await using server = new ServerProcess(place)
    await server.stdio.initialize()
    server.child.stdout?.destroy()
    server.write(`${hello(2)}\n${hello(3)}\n`)
    assert.deepEqual(await server.exited, { code: 0, signal: null })
  })
})
