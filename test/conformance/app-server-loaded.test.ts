/**
 * Rule: what is asked about loaded threads, and what clients are told of changes, is the same in
 * real Codex 0.133.0 and in Bobbin; and what its newer sister 0.169.0 alone is asked, Bobbin
 * answers in its shapes.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isObject, type Json, type JsonObject, objectAt, stringAt } from '../../src/base/index.ts'
import { ScriptedResponsesServer } from '../support/responses-server.ts'
import { type Ask, answerOf, BobbinOnCopy, type Question } from './app-server-home.ts'
import { CodexAppServer, type ServerNotification } from './codex-app-server.ts'
import { noteCompared } from './methods/record.ts'
import { Normaliser } from './normalise.ts'
import { codex133, codex169, codexVersions } from './programs.ts'
import { Scratch } from './scratch.ts'
import { concludes } from './scripts.ts'

const LIMIT_MS = 120_000
const NONE = '01a1fe00-0000-7000-8000-000000000001'

describe('questions about loaded threads', () => {
  for (const isEphemeral of [false, true]) {
    const kind = isEphemeral ? 'an ephemeral thread' : 'a thread without a message'
    it(`${kind} answers alike, and clients are told alike`, { timeout: LIMIT_MS }, async () => {
      await using scratch = await Scratch.create()
      await using model = await ScriptedResponsesServer.start(() => concludes('Fine.'))
      await scratch.useModelServer(model.baseUrl)
      await using bobbin = await BobbinOnCopy.open(scratch)
      await using codex = await CodexAppServer.start(codex133, scratch)
      const told = (params: readonly ServerNotification[]) => params.filter(isOfAThread)
      const ofCodex = await played(scratch, isEphemeral, (...asked) => codex.request(...asked))
      const ofBobbin = await played(scratch, isEphemeral, async (...asked) => {
        const result = await bobbin.client.request(...asked)
        return JSON.parse(JSON.stringify(result).replaceAll(bobbin.home, scratch.home))
      })
      assert.deepEqual(ofBobbin, ofCodex)
      noteCompared(
        ofCodex.map(({ method, isAnswered }) => ({ method, isAnswered, differences: [] })),
      )
      const [expected, actual] = [told(codex.notifications), told(bobbin.client.notifications)]
      assert.deepEqual(tellings(scratch, actual), tellings(scratch, expected))
    })
  }
})

interface Played {
  readonly method: string
  readonly isAnswered: boolean
  readonly answer: Json
}

/** The answers to all questions of one thread, one after the other. */
async function played(scratch: Scratch, ephemeral: boolean, ask: Ask): Promise<Played[]> {
  const normaliser = new Normaliser(scratch)
  const { thread } = await ask('thread/start', { ephemeral })
  const threadId = isObject(thread) ? (stringAt(thread, 'id') ?? '') : ''
  const answers: Played[] = []
  for (const [method, params] of script()) {
    const answer = await answerOf(ask, [method, { threadId, ...params }])
    const isAnswered = answer.result !== undefined
    answers.push({ method, isAnswered, answer: withoutTimes(normaliser.value(answer)) })
  }
  return answers
}

/**
 * Not asked, because 0.133.0 fails where Bobbin does not: a thread with a goal and no message is in
 * none of its lists, and does not come back from its archive; and whoever asks for the goal of a
 * thread without a file gives it one.
 */
function script(): Question[] {
  const goal = { objective: 'Win', status: 'paused' }
  return [
    ['thread/read', {}],
    ['thread/read', { includeTurns: true }],
    ['thread/turns/list', {}],
    ['thread/loaded/list', {}],
    ['thread/loaded/list', { cursor: 'nope' }],
    ['thread/loaded/list', { cursor: NONE, limit: 0 }],
    ['thread/unarchive', {}],
    ['thread/increment_elicitation', {}],
    ['thread/increment_elicitation', {}],
    ['thread/decrement_elicitation', {}],
    ['thread/decrement_elicitation', {}],
    ['thread/decrement_elicitation', {}],
    ['thread/goal/get', {}],
    ['thread/goal/clear', {}],
    ['thread/goal/set', { status: 'paused' }],
    ['thread/name/set', { name: ' ' }],
    ['thread/name/set', { name: ' Named ' }],
    ['thread/memoryMode/set', { mode: 'disabled' }],
    ['thread/goal/set', goal],
    ['thread/goal/set', { ...goal, objective: 'Win again', tokenBudget: 7 }],
    ['thread/goal/get', {}],
    ['thread/goal/clear', {}],
    ['thread/metadata/update', { gitInfo: { branch: 'feat' } }],
    ['thread/archive', {}],
    ['thread/archive', {}],
    ['thread/loaded/list', {}],
    ['thread/read', {}],
  ]
}

function isOfAThread({ method }: ServerNotification): boolean {
  return [
    'thread/name/',
    'thread/goal/',
    'thread/archived',
    'thread/unarchived',
    'thread/status/',
  ].some((start) => method.startsWith(start))
}

function tellings(scratch: Scratch, told: readonly ServerNotification[]): Json {
  const normaliser = new Normaliser(scratch)
  return told.map(({ method, params }) => [method, withoutTimes(normaliser.value(params))])
}

const TIMES = ['createdAt', 'updatedAt']

function withoutTimes(value: Json, key = ''): Json {
  if (TIMES.includes(key) && value !== null) return '<time>'
  // A path tells the second of the start.
  if (key === 'path' && typeof value === 'string') return value.replace(/\d{4}-.*T[\d-]*/, '')
  if (Array.isArray(value)) return value.map((each) => withoutTimes(each))
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(([name, each]) => {
    return [name, withoutTimes(each ?? null, name)]
  })
  return Object.fromEntries(entries) as JsonObject
}

describe('the lines of a goal', () => {
  for (const { version, binary } of codexVersions) {
    it(`are passed over by ${version}`, { timeout: LIMIT_MS }, async () => {
      await using scratch = await Scratch.create()
      await using model = await ScriptedResponsesServer.start(() => concludes('Fine.'))
      await scratch.useModelServer(model.baseUrl)
      const threadId = await aThreadOfCodex(scratch)
      let home: string
      {
        await using bobbin = await BobbinOnCopy.open(scratch)
        home = bobbin.home
        const goal = { threadId, objective: 'Win', status: 'paused' }
        await bobbin.client.request('thread/goal/set', goal)
        const cleared = await bobbin.client.request('thread/goal/clear', { threadId })
        assert.deepEqual(cleared, { cleared: true })
      }
      const env = { ...scratch.env, CODEX_HOME: home }
      await using codex = await CodexAppServer.start(binary, { project: scratch.project, env })
      const read = await codex.request('thread/read', { threadId, includeTurns: true })
      const turns = objectAt(read, 'thread')?.turns
      assert.equal(Array.isArray(turns) ? turns.length : undefined, 1)
      await codex.request('thread/resume', { threadId })
      const { goal } = await codex.request('thread/goal/get', { threadId })
      assert.equal(goal, null)
      assert.equal((await codex.runTurn(threadId, 'Go on')).status, 'completed')
    })
  }
})

async function aThreadOfCodex(scratch: Scratch): Promise<string> {
  await using codex = await CodexAppServer.start(codex133, scratch)
  const { thread } = await codex.request('thread/start', {})
  const threadId = isObject(thread) ? (stringAt(thread, 'id') ?? '') : ''
  await codex.runTurn(threadId, 'Hello')
  return threadId
}

describe('questions that 0.169.0 alone is asked', () => {
  it('are answered for its own threads', { timeout: LIMIT_MS }, async () => {
    await using scratch = await Scratch.create()
    await using model = await ScriptedResponsesServer.start(() => concludes('Fine.'))
    await scratch.useModelServer(model.baseUrl)
    await using codex = await CodexAppServer.start(codex169, scratch)
    const { thread } = await codex.request('thread/start', {})
    const threadId = isObject(thread) ? (stringAt(thread, 'id') ?? '') : ''
    const turns = [await codex.runTurn(threadId, 'Hello'), await codex.runTurn(threadId, 'Again')]
    await using bobbin = await BobbinOnCopy.open(scratch)
    const turnIds = turns.map((turn) => stringAt(turn, 'id') ?? '')
    for (const question of newerQuestions(threadId, turnIds)) {
      const ask: Ask = (method, params) => codex.request(method, params)
      const answer = await answerOf(ask, question)
      const actual = newerFacts(await bobbin.ask(scratch, question))
      assert.deepEqual(actual, newerFacts(answer), JSON.stringify(question))
      const isAnswered = answer.result !== undefined
      const differences = isAnswered ? ['newer-items'] : []
      noteCompared([{ method: question[0], isAnswered, differences }])
    }
  })
})

function newerQuestions(threadId: string, [first = '', last = '']: readonly string[]): Question[] {
  const items = (params: JsonObject): Question => ['thread/items/list', { threadId, ...params }]
  const search = (params: JsonObject): Question => ['thread/search', params]
  return [
    ...[{}, { limit: 3 }, { sortDirection: 'desc' }, { limit: 0 }].map(items),
    ...[first, last, 'gone'].map((turnId) => items({ turnId })),
    items({ turnId: last, sortDirection: 'desc', limit: 1 }),
    items({ cursor: 'zzz' }),
    items({ cursor: { type: 'item', itemId: 'x' } }),
    items({ turnId: last, cursor: { type: 'item', itemId: 'x' } }),
    ...['hello', 'Again', 'nothing', ' ', ''].map((searchTerm) => search({ searchTerm })),
    search({ searchTerm: 'hello', cursor: 'zzz' }),
    search({ searchTerm: 'hello', archived: true }),
    search({ searchTerm: 'hello', sourceKinds: ['exec'] }),
    search({}),
    ['thread/delete', { threadId: NONE }],
    ['thread/delete', { threadId: 'nope' }],
    ['thread/revert', { threadId: NONE, beforeTurnId: first }],
    ['thread/revert', { threadId }],
  ]
}

/** Who said what in which turn. Ids of items, and what else it tells more, are its own. */
function newerFacts({ result, ...failure }: JsonObject): Json {
  if (!isObject(result)) return failure
  const data = Array.isArray(result.data) ? result.data.filter((each) => isObject(each)) : []
  const facts = data.map((each) => {
    const item = objectAt(each, 'item') ?? {}
    const { type = null, text = null, content = null } = item
    const threadId = objectAt(each, 'thread')?.id ?? null
    return { turnId: each.turnId ?? null, type, text, content, threadId }
  })
  const [next, back] = [result.nextCursor ?? null, result.backwardsCursor ?? null]
  return { facts, hasMore: next !== null, hasFirst: back !== null }
}
