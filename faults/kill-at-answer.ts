/** kill -9 as soon as a change was answered: the next server knows the change. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { isObject, type JsonObject, objectAt, stringAt } from '../src/base/index.ts'
import { FREE, Incarnations, idOf } from './incarnations.ts'
import { shortTurns } from './model.ts'
import type { FaultClass } from './suite.ts'
import { turnsOf } from './told.ts'

/** A change of a thread with two turns, and how the next server shows that it was made. */
interface Change {
  act(servers: Incarnations, threadId: string, word: string): Promise<unknown>
  /** `before` is what `act` came to. */
  assertKept(
    servers: Incarnations,
    threadId: string,
    word: string,
    before: unknown,
  ): Promise<void> | void
}

const threadOf = async (servers: Incarnations, threadId: string) =>
  objectAt(await servers.ask('thread/read', { threadId, includeTurns: true }), 'thread') ?? {}

async function listed(servers: Incarnations, archived: boolean): Promise<unknown[]> {
  const { data } = await servers.ask('thread/list', { archived, limit: 100 })
  return Array.isArray(data) ? data.filter(isObject).map(({ id }) => id) : []
}

const logOf = async (servers: Incarnations, threadId: string) =>
  await readFile(String((await threadOf(servers, threadId)).path), 'utf8')

const goal = async (servers: Incarnations, threadId: string) =>
  objectAt(await servers.ask('thread/goal/get', { threadId }), 'goal')

const CHANGES: { readonly [method: string]: Change } = {
  'thread/start': {
    act: (servers) => servers.startThread({ model: 'gpt-5.4-mini' }),
    async assertKept(servers, _threadId, _word, fresh) {
      const result = await servers.ask('thread/resume', { threadId: String(fresh) })
      assert.equal(idOf(result, 'thread'), fresh)
      assert.equal(result.cwd, servers.place.project)
    },
  },
  'turn/start': {
    act: (servers, threadId, word) => servers.startTurn(threadId, word),
    async assertKept(servers, threadId, word, turnId) {
      const turn = turnsOf(await threadOf(servers, threadId)).find(({ id }) => id === turnId)
      assert.ok(JSON.stringify(turn ?? null).includes(`"${word}"`), `message ${word} is lost`)
    },
  },
  'thread/name/set': {
    act: (servers, threadId, name) => servers.ask('thread/name/set', { threadId, name }),
    async assertKept(servers, threadId, name) {
      assert.equal((await threadOf(servers, threadId)).name, name)
    },
  },
  'thread/archive': {
    act: (servers, threadId) => servers.ask('thread/archive', { threadId }),
    async assertKept(servers, threadId) {
      assert.ok((await listed(servers, true)).includes(threadId), 'not in the archive')
      assert.ok(!(await listed(servers, false)).includes(threadId), 'still in the list')
    },
  },
  'thread/unarchive': {
    async act(servers, threadId) {
      await servers.ask('thread/archive', { threadId })
      await servers.ask('thread/unarchive', { threadId })
    },
    async assertKept(servers, threadId) {
      assert.ok((await listed(servers, false)).includes(threadId), 'not back in the list')
      assert.ok(!(await listed(servers, true)).includes(threadId), 'still in the archive')
    },
  },
  'thread/fork': {
    act: async (servers, threadId) =>
      idOf(await servers.ask('thread/fork', { threadId, ...FREE }), 'thread'),
    async assertKept(servers, threadId, _word, fork) {
      const thread = await threadOf(servers, String(fork))
      const source = turnsOf(await threadOf(servers, threadId))
      assert.deepEqual(turnsOf(thread), source)
      assert.equal(thread.forkedFromId, threadId)
    },
  },
  'thread/rollback': {
    act: (servers, threadId) => servers.ask('thread/rollback', { threadId, numTurns: 1 }),
    async assertKept(servers, threadId) {
      assert.equal(turnsOf(await threadOf(servers, threadId)).length, 1)
    },
  },
  'thread/goal/set': {
    act: (servers, threadId, objective) => servers.ask('thread/goal/set', { threadId, objective }),
    async assertKept(servers, threadId, objective) {
      assert.equal((await goal(servers, threadId))?.objective, objective)
    },
  },
  'thread/goal/clear': {
    async act(servers, threadId, objective) {
      await servers.ask('thread/goal/set', { threadId, objective })
      await servers.ask('thread/goal/clear', { threadId })
    },
    async assertKept(servers, threadId) {
      assert.equal(await goal(servers, threadId), undefined)
    },
  },
  'thread/settings/update': {
    act: (servers, threadId, model) => servers.ask('thread/settings/update', { threadId, model }),
    async assertKept(servers, threadId, model) {
      assert.equal((await servers.ask('thread/resume', { threadId })).model, model)
    },
  },
  'thread/memoryMode/set': {
    act: (servers, threadId) =>
      servers.ask('thread/memoryMode/set', { threadId, mode: 'disabled' }),
    async assertKept(servers, threadId) {
      assert.match(await logOf(servers, threadId), /"memory_mode":"disabled"/)
    },
  },
  'thread/metadata/update': {
    act: (servers, threadId, branch) =>
      servers.ask('thread/metadata/update', { threadId, gitInfo: { branch } }),
    async assertKept(servers, threadId, branch) {
      const git = objectAt(await threadOf(servers, threadId), 'gitInfo') ?? {}
      assert.equal(stringAt(git, 'branch'), branch)
    },
  },
  'thread/inject_items': {
    act: (servers, threadId, text) => {
      const content = [{ type: 'input_text', text }]
      const items: JsonObject[] = [{ type: 'message', role: 'user', content }]
      return servers.ask('thread/inject_items', { threadId, items })
    },
    async assertKept(servers, threadId, text) {
      assert.ok((await logOf(servers, threadId)).includes(`"${text}"`), 'the item is lost')
    },
  },
  'thread/delete': {
    act: (servers, threadId) => servers.ask('thread/delete', { threadId }),
    async assertKept(servers, threadId) {
      const there = [...(await listed(servers, false)), ...(await listed(servers, true))]
      assert.ok(!there.includes(threadId), 'it came back')
      await assert.rejects(servers.peer.request('thread/read', { threadId }))
    },
  },
}

export const killAtAnswer: FaultClass = {
  name: 'kill: at an answer',
  goals: 'G2 G4',
  steps: { short: 1, long: 40 },
  async run(trial) {
    await using model = await shortTurns()
    await using servers = await Incarnations.start(trial.lab, model.baseUrl)
    for (const [method, change] of Object.entries(CHANGES)) {
      await trial.fault(`kill at the answer of ${method}`, async (checks) => {
        const word = `word-${trial.number}-${trial.random(1e9)}`
        const threadId = await servers.startThread()
        await servers.runTurn(threadId, 'one')
        await servers.runTurn(threadId, 'two')
        const came = await change.act(servers, threadId, word)
        await servers.restart()
        await change.assertKept(servers, threadId, word, came)
        checks.add()
      })
      if (servers.server.child.signalCode !== null) await servers.restart()
    }
  },
}
