import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type JsonObject, objectAt } from '../../src/base/index.ts'
import { assistantMessage } from '../../src/core/index.ts'
import { Workplace } from '../support/bobbin.ts'
import { ScriptedResponsesServer, type ScriptedStep } from '../support/responses-server.ts'
import { bearerOf, type RpcPeer, ServerProcess, SocketPeer } from '../support/server-process.ts'

const ANSWER = { items: [assistantMessage('done')] }
const CLOSED = { code: 1001, reason: 'the server stops' }

/** A model that answers nothing until it is told to. */
async function heldModel() {
  const { promise, resolve } = Promise.withResolvers<ScriptedStep>()
  const model = await ScriptedResponsesServer.start(() => promise)
  return { model, release: () => resolve(ANSWER) }
}

async function endOf(peer: RpcPeer, turnId: string): Promise<unknown> {
  const turnOf = (message: JsonObject) => objectAt(objectAt(message, 'params') ?? {}, 'turn')
  const isEnd = (message: JsonObject) => message.method === 'turn/completed'
  const told = await peer.find((message) => isEnd(message) && turnOf(message)?.id === turnId)
  return turnOf(told)?.status
}

describe('bobbin app-server that is to stop', () => {
  it('serves on until the last turn has ended and is told', async () => {
    await using place = await Workplace.create()
    const { model, release } = await heldModel()
    await using _model = model
    await place.useModel(model.baseUrl)
    await using server = await ServerProcess.listen(place)
    const headers = await bearerOf(place)
    await using peer = await SocketPeer.connect(server.url, headers)
    await peer.initialize()
    const first = await peer.startTurn()
    server.child.kill('SIGTERM')
    await server.logged(/a second signal interrupts them\n/)
    const ready = await fetch(`${server.url.replace('ws:', 'http:')}/readyz`)
    assert.equal(ready.status, 200)
    await using late = await SocketPeer.connect(server.url, headers)
    await late.initialize()
    const second = await late.startTurn()
    await model.received(2)
    release()
    assert.equal(await endOf(peer, first.turnId), 'completed')
    assert.equal(await endOf(late, second.turnId), 'completed')
    assert.deepEqual([await peer.closed, await late.closed], [CLOSED, CLOSED])
    assert.deepEqual(await server.exited, { code: 0, signal: null })
  })

  it('interrupts what runs at the second signal, tells it and keeps it', async () => {
    await using place = await Workplace.create()
    const { model } = await heldModel()
    await using _model = model
    await place.useModel(model.baseUrl)
    await using server = await ServerProcess.listen(place, ['--ws-auth', 'none'])
    await using peer = await SocketPeer.connect(server.url)
    await peer.initialize()
    const { turnId } = await peer.startTurn()
    server.child.kill('SIGINT')
    await server.logged(/a second signal interrupts them\n/)
    server.child.kill('SIGINT')
    assert.equal(await endOf(peer, turnId), 'interrupted')
    assert.deepEqual(await peer.closed, CLOSED)
    assert.deepEqual(await server.exited, { code: 0, signal: null })
    assert.equal((await place.rolloutLines()).at(-1)?.payload.type, 'turn_aborted')
  })

  it('interrupts what runs when the time is over, over stdio too', async () => {
    await using place = await Workplace.create()
    const { model } = await heldModel()
    await using _model = model
    await place.useModel(model.baseUrl)
    await using server = new ServerProcess(place, ['--drain-seconds', '0'])
    await server.stdio.initialize()
    const { turnId } = await server.stdio.startTurn()
    server.child.kill('SIGTERM')
    assert.equal(await endOf(server.stdio, turnId), 'interrupted')
    assert.deepEqual(await server.exited, { code: 0, signal: null })
    assert.equal((await place.rolloutLines()).at(-1)?.payload.type, 'turn_aborted')
  })

  it('leaves nothing that holds up the next one when it is killed', async () => {
    await using place = await Workplace.create()
    const { model, release } = await heldModel()
    await using _model = model
    await place.useModel(model.baseUrl)
    const killed = await ServerProcess.listen(place)
    const { url } = killed
    const headers = await bearerOf(place)
    const { threadId } = await (async () => {
      await using _killed = killed
      await using peer = await SocketPeer.connect(url, headers)
      await peer.initialize()
      return await peer.startTurn()
    })()
    release()
    const port = new URL(url).port
    await using server = new ServerProcess(place, ['--listen', `ws://127.0.0.1:${port}`])
    await server.logged(/note: .*\n {2}token file: .*\n/)
    assert.ok(!server.stderr.includes('token: '))
    await using peer = await SocketPeer.connect(server.url, headers)
    await peer.initialize()
    await peer.request('thread/resume', { threadId })
    const { turn } = await peer.request('turn/start', {
      threadId,
      input: [{ type: 'text', text: 'again' }],
    })
    assert.equal(await endOf(peer, String((turn as JsonObject).id)), 'completed')
  })
})
