/** Rule: what one client sends or does not read costs bounded memory, and nobody else an answer. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Json, JsonObject } from '../../src/base/index.ts'
import { Workplace } from '../support/bobbin.ts'
import { ServerProcess, SocketPeer } from '../support/server-process.ts'

const LIMIT = { timeout: 120_000 }
const OVERLOADED = -32001
const MIB = 1024 * 1024
/** Of a client that stops reading. */
const REQUESTS = Array.from({ length: 400 }, (_, n) => `r${n}`)

const call = (id: Json, method: string, params: JsonObject = {}): string =>
  JSON.stringify({ id, method, params })

/** Each request has one answer: a result, or that there are too many at once. */
function served(answers: readonly JsonObject[]): number {
  const results = answers.filter(({ result }) => result !== undefined)
  const others = answers.filter(({ result }) => result === undefined)
  assert.deepEqual(
    others.filter(({ error }) => (error as JsonObject | undefined)?.code !== OVERLOADED),
    [],
  )
  return results.length
}

async function openPeer(server: ServerProcess, name: string): Promise<SocketPeer> {
  const peer = await SocketPeer.connect(server.url)
  await peer.initialize(name)
  return peer
}

describe('bobbin app-server under load', () => {
  it('answers each of 500 requests that come at once, and others beside them', LIMIT, async () => {
    await using place = await Workplace.create()
    await using server = await ServerProcess.listen(place, ['--ws-auth', 'none'])
    await using eager = await openPeer(server, 'eager')
    await using other = await openPeer(server, 'other')
    const ids = Array.from({ length: 500 }, (_, n) => `r${n}`)
    for (const id of ids) eager.socket.send(call(id, 'model/list'))
    const asked = other.request('thread/loaded/list')
    const answers = await Promise.all(ids.map((id) => eager.answer(id)))
    const count = served(answers)
    assert.ok(count >= 128, `${count} of 500 were served`)
    assert.deepEqual(await asked, { data: [], nextCursor: null })
    const once = new Set(eager.messages.map(({ id }) => id).filter((id) => ids.includes(`${id}`)))
    assert.equal(once.size, 500)
    const twice = eager.messages.filter(({ id }) => typeof id === 'string')
    assert.equal(twice.length, 500)
    await eager.request('thread/loaded/list')
  })

  it('serves fifty clients with ten requests each', LIMIT, async () => {
    await using place = await Workplace.create()
    await using server = await ServerProcess.listen(place, ['--ws-auth', 'none'])
    await using peers = new AsyncDisposableStack()
    const names = Array.from({ length: 50 }, (_, n) => `client-${n}`)
    const all = await Promise.all(
      names.map(async (name) => peers.use(await openPeer(server, name))),
    )
    const counts = await Promise.all(
      all.map(async (peer, n) => {
        const ids = Array.from({ length: 10 }, (_, at) => `${n}-${at}`)
        for (const id of ids) peer.socket.send(call(id, 'model/list'))
        return served(await Promise.all(ids.map((id) => peer.answer(id))))
      }),
    )
    assert.ok(counts.reduce((sum, count) => sum + count, 0) >= 128, `${counts}`)
    // Behind the rush each of them is served again.
    for (const peer of all) await peer.request('thread/loaded/list')
  })

  it('keeps little for readers that stop, whatever they have asked for', LIMIT, async () => {
    await using place = await Workplace.create()
    const path = join(place.project, 'large')
    await writeFile(path, Buffer.alloc(MIB, 'x'))
    await using server = await ServerProcess.listen(place, ['--ws-auth', 'none'])
    await using other = await openPeer(server, 'other')
    await using peers = new AsyncDisposableStack()
    const stopped = []
    for (const name of ['one', 'two', 'three', 'four']) {
      const peer = peers.use(await openPeer(server, name))
      peer.socket.pause()
      stopped.push(peer)
      // More than half a gigabyte of answers.
      for (const id of REQUESTS) peer.socket.send(call(id, 'fs/readFile', { path }))
      const { data } = await other.request('thread/loaded/list')
      assert.deepEqual(data, [])
    }
    const read = await other.request('fs/readFile', { path })
    assert.equal(Buffer.from(String(read.dataBase64), 'base64').length, MIB)
    for (const peer of stopped) peer.socket.resume()
    await Promise.all(stopped.map(endOrAnswers))
    for (const [, bytes] of server.stderr.matchAll(/messages, (\d+) bytes wait for it/g)) {
      // One answer more than fits.
      assert.ok(Number(bytes) < 64 * MIB + 2 * MIB, `${bytes} bytes waited`)
    }
    const peakBytes = peakMemory(server.child.pid ?? 0)
    if (peakBytes !== undefined) {
      assert.ok(peakBytes < 1024 * MIB, `${Math.round(peakBytes / MIB)} MiB at its peak`)
    }
    await other.request('thread/loaded/list')
  })
})

/**
 * A client that has stopped reading is not listened to, and has its answers once it reads; or it
 * was given up before, because of what it had sent by then. Little has waited for it either way.
 */
async function endOrAnswers(peer: SocketPeer): Promise<void> {
  const answers = Promise.all(REQUESTS.map((id) => peer.answer(id)))
  const end = await Promise.race([peer.closed, answers])
  if (Array.isArray(end)) served(end)
  // The goodbye comes behind what waited; whoever does not read that in time is cut off.
  else assert.ok([1013, 1006].includes(end.code), `closed with ${end.code}`)
}

/** The most that was in memory at a time; undefined where the system does not tell. */
function peakMemory(pid: number): number | undefined {
  const path = `/proc/${pid}/status`
  if (!existsSync(path)) return undefined
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(path, 'utf8')) ?? []
  return kib === undefined ? undefined : Number(kib) * 1024
}
