/** What a client was told by servers of one home, and whether a later one still knows it. */
import assert from 'node:assert/strict'
import { isObject, type JsonObject, objectAt, stringAt } from '../src/base/index.ts'
import type { RpcPeer } from '../test/support/server-process.ts'
import type { Checks } from './suite.ts'

interface ToldTurn {
  /** The person's words; undefined until `turn/start` was answered. */
  text?: string
  readonly items: JsonObject[]
  /** Undefined until it was told that the turn has ended. */
  status?: string
}

export class Told {
  readonly #threads = new Map<string, Map<string, ToldTurn>>()

  get threadIds(): string[] {
    return [...this.#threads.keys()]
  }

  /** `thread/start` or the like was answered. */
  thread(threadId: string): void {
    if (!this.#threads.has(threadId)) this.#threads.set(threadId, new Map())
  }

  /** `turn/start` was answered. */
  message(threadId: string, turnId: string, text: string): void {
    this.#turn(threadId, turnId).text = text
  }

  /** Every message of a connection. */
  hear(messages: readonly JsonObject[]): void {
    for (const { method, params } of messages) {
      if (!isObject(params)) continue
      const threadId = stringAt(params, 'threadId') ?? ''
      const item = objectAt(params, 'item')
      if (method === 'item/completed' && item) {
        const { items } = this.#turn(threadId, stringAt(params, 'turnId') ?? '')
        // Every client of a thread is told.
        if (!items.some(({ id }) => id === item.id)) items.push(item)
      }
      const turn = objectAt(params, 'turn')
      if (method === 'turn/completed' && turn) {
        const told = this.#turn(threadId, stringAt(turn, 'id') ?? '')
        told.status = stringAt(turn, 'status') ?? ''
      }
    }
  }

  /** Asks a server for all of it, or for what was told of these threads. */
  async assertKept(peer: RpcPeer, checks: Checks, threadIds = this.threadIds): Promise<void> {
    for (const threadId of threadIds) {
      const turns = this.#threads.get(threadId)
      if (!turns || turns.size === 0) continue
      const read = await peer.request('thread/read', { threadId, includeTurns: true })
      const found = turnsOf(objectAt(read, 'thread'))
      for (const [turnId, turn] of turns) {
        const kept = found.filter((each) => each.id === turnId)
        assert.equal(kept.length, 1, `turn ${turnId} is there ${kept.length} times`)
        assertTurn(turn, kept[0] ?? {}, checks)
      }
    }
  }

  #turn(threadId: string, turnId: string): ToldTurn {
    this.thread(threadId)
    const turns = this.#threads.get(threadId) ?? new Map<string, ToldTurn>()
    const turn = turns.get(turnId) ?? { items: [] }
    turns.set(turnId, turn)
    return turn
  }
}

export function turnsOf(thread: JsonObject | undefined): JsonObject[] {
  return Array.isArray(thread?.turns) ? thread.turns.filter(isObject) : []
}

const NUMBERED_ANEW = ['userMessage', 'agentMessage', 'reasoning', 'contextCompaction']

/** Some kinds are numbered anew when a thread is read; all else has to be as told. */
function sameText({ id, ...rest }: JsonObject): string {
  return JSON.stringify(
    NUMBERED_ANEW.includes(String(rest.type)) ? rest : { id, ...rest },
    (_, value) => (isObject(value) ? Object.fromEntries(Object.entries(value).toSorted()) : value),
  )
}

function assertTurn({ text, items, status }: ToldTurn, kept: JsonObject, checks: Checks): void {
  const found = (Array.isArray(kept.items) ? kept.items : []).filter(isObject)
  const texts = found.map(sameText)
  if (text !== undefined) {
    checks.add()
    const said = found.filter((item) => item.type === 'userMessage')
    assert.ok(JSON.stringify(said).includes(JSON.stringify(text)), `message ${text} is lost`)
  }
  let from = 0
  for (const item of items) {
    checks.add()
    const at = texts.indexOf(sameText(item), from)
    assert.notEqual(at, -1, `${JSON.stringify(item)} is lost or out of order in ${texts}`)
    from = at + 1
  }
  if (status === undefined) return
  checks.add()
  assert.equal(kept.status, status, `the status of turn ${kept.id}`)
  assert.equal(texts.length, items.length, `more is there than was told: ${texts}`)
}
