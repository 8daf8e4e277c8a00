/**
 * Rule: what 0.133.0 answers to a question about stored threads, Bobbin answers. Both have the same
 * home, written by 0.133.0. Where they differ, `DIFFERENCES` says in what.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { isObject, type Json, type JsonObject } from '../../src/base/index.ts'
import {
  answerOf,
  BobbinOnCopy,
  type HomeThreads,
  type Question,
  writeHome,
} from './app-server-home.ts'
import { CodexAppServer } from './codex-app-server.ts'
import type { MethodDifferenceId } from './methods/differences.ts'
import { noteCompared } from './methods/record.ts'
import { codex133 } from './programs.ts'

const NONE = '01a1fe00-0000-7000-8000-000000000001'
const BAD_IDS = [NONE, 'nope', 'abc', '']
const LIMIT_MS = 120_000

describe('questions about stored threads', () => {
  it('lists them alike, whatever is asked for', { timeout: LIMIT_MS }, async () => {
    await assertAlike(() => [...pages(), ...filters(), ...loadedPages()])
  })

  it('reads them and pages their turns alike', { timeout: LIMIT_MS }, async () => {
    await assertAlike((threads) => [...reads(threads), ...turnPages(threads)])
  })

  it('names, changes, archives and brings them back alike', { timeout: LIMIT_MS }, async () => {
    await assertAlike((threads) => [...metadata(threads), ...goals(threads), ...archive(threads)])
  })
})

async function assertAlike(questions: (threads: HomeThreads) => Question[]): Promise<void> {
  await using home = await writeHome()
  await using bobbin = await BobbinOnCopy.open(home.scratch)
  await using codex = await CodexAppServer.start(codex133, home.scratch)
  for (const question of questions(home.threads)) {
    const expected = await answerOf((method, params) => codex.request(method, params), question)
    const actual = await bobbin.ask(home.scratch, question)
    const [method] = question
    const asked = JSON.stringify(question).slice(0, 300)
    const { differences } = assertComparable(method, actual, expected, asked)
    noteCompared([{ method, isAnswered: expected.result !== undefined, differences }])
  }
}

/** What was passed over: that which would fail the comparison, or may at times. */
function assertComparable(method: string, actual: Json, expected: Json, asked: string) {
  const all = [...Object.keys(DIFFERENCES), 'list-places'] as DifferenceId[]
  const isSameBut = (allowed: readonly DifferenceId[]) =>
    isDeepStrictEqual(comparable(method, actual, allowed), comparable(method, expected, allowed))
  assert.deepEqual(comparable(method, actual, all), comparable(method, expected, all), asked)
  const text = JSON.stringify(expected)
  const differences = all.filter((id) => {
    const racy: Allowance | undefined = id === 'list-places' ? undefined : DIFFERENCES[id]
    const mayOccur = racy?.isRacy && racy.isHere(method) && text.includes(`"${racy.member}":`)
    return mayOccur || !isSameBut(all.filter((other) => other !== id))
  })
  return { differences }
}

interface Allowance {
  readonly member: string
  readonly isHere: (method: string) => boolean
  /** A race decides: it may not occur. */
  readonly isRacy?: boolean
}

/** Members that are left out of the comparison. */
const DIFFERENCES = {
  'updated-time': { member: 'updatedAt', isHere: isOfThread, isRacy: true },
  'forked-from': {
    member: 'forkedFromId',
    isHere: (method) => method === 'thread/list' || method === 'thread/unarchive',
  },
  'git-of-header': { member: 'gitInfo', isHere: (method) => method === 'thread/unarchive' },
  'created-time': {
    member: 'createdAt',
    isHere: isOfThread,
    isRacy: true,
  },
  'thread-source': { member: 'threadSource', isHere: () => true },
} as const satisfies { readonly [id in MethodDifferenceId]?: Allowance }

type DifferenceId = keyof typeof DIFFERENCES | 'list-places'

function isOfThread(method: string): boolean {
  return !method.startsWith('thread/goal/')
}

function comparable(method: string, value: Json, allowed: readonly DifferenceId[], key = ''): Json {
  const isLeftOut = allowed.some((id) => {
    if (id === 'list-places') return false
    const { member, isHere }: Allowance = DIFFERENCES[id]
    return member === key && isHere(method)
  })
  if (isLeftOut) return null
  const isPlace = method === 'thread/list' && key.endsWith('Cursor') && value !== null
  if (isPlace && allowed.includes('list-places')) return '<place>'
  if (!isOfThread(method) && ['createdAt', 'updatedAt'].includes(key)) return '<time>'
  if (Array.isArray(value)) return value.map((each) => comparable(method, each, allowed))
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(([name, each]) => {
    return [name, comparable(method, each ?? null, allowed, name)]
  })
  return Object.fromEntries(entries) as JsonObject
}

const list = (params: JsonObject): Question => ['thread/list', params]
const DIRECTIONS = ['asc', 'desc'] as const

function pages(): Question[] {
  const sorted = ['created_at', 'updated_at'].flatMap((sortKey) =>
    DIRECTIONS.map((sortDirection) => list({ sortKey, sortDirection })),
  )
  const cursors = ['zzz', '', '2026', '2000-01-01T00:00:00Z', '2100-01-01T00-00-00']
  return [
    ...[null, 0, 1, 2, 3, 4, 5, 1000, -1, 'x', 1.5].map((limit) => list({ limit })),
    ...sorted,
    ...cursors.flatMap((cursor) =>
      DIRECTIONS.map((sortDirection) => list({ cursor, sortDirection })),
    ),
    list({ sortKey: 'recency_at' }),
    list({ sortDirection: 'up' }),
    list({ useStateDbOnly: true }),
  ]
}

function filters(): Question[] {
  const kinds = ['cli', 'vscode', 'exec', 'appServer', 'subAgent', 'subAgentReview', 'unknown']
  const more = ['subAgentCompact', 'subAgentThreadSpawn', 'subAgentOther', 'x']
  const sources: Json[] = [...kinds, ...more].map((kind) => [kind])
  const several: Json[] = [[], 'cli', ['exec', 'subAgent'], ['vscode', 'exec']]
  const providers: Json[] = [[], ['mock'], ['openai'], ['openai', 'mock'], 'mock', [5]]
  const folders: Json[] = [[], '/nowhere', ['/nowhere', '/x'], 5, [5]]
  return [
    ...[...sources, ...several].map((sourceKinds) => list({ sourceKinds })),
    ...providers.map((modelProviders) => list({ modelProviders })),
    ...folders.map((cwd) => list({ cwd })),
    list({ limit: 1, sourceKinds: ['exec', 'subAgent'] }),
    ...[true, false, null, 'yes'].map((archived) => list({ archived })),
    ...['', 'rich', 'Rich', 'Change', 'nothing'].map((searchTerm) => list({ searchTerm })),
  ]
}

function loadedPages(): Question[] {
  const asked: JsonObject[] = [
    {},
    { limit: 0 },
    { cursor: 'nope' },
    { cursor: NONE },
    { limit: -1 },
  ]
  return asked.map((params) => ['thread/loaded/list', params])
}

function reads(threads: HomeThreads): Question[] {
  const ids = [...Object.values(threads), ...BAD_IDS] as string[]
  return [
    ...ids.flatMap((threadId): Question[] => [
      ['thread/read', { threadId }],
      ['thread/read', { threadId, includeTurns: true }],
      ['thread/turns/list', { threadId }],
    ]),
    ['thread/read', {}],
    ['thread/read', { threadId: 5 }],
    ['thread/read', { threadId: threads.rich, includeTurns: 'x' }],
  ]
}

function turnPages({ rich, fork }: HomeThreads): Question[] {
  const views = ['notLoaded', 'summary', 'full']
  const whole = DIRECTIONS.flatMap((sortDirection) =>
    views.flatMap((itemsView) =>
      [0, 1, 2, 500].map((limit): Question => {
        return ['thread/turns/list', { threadId: fork, sortDirection, itemsView, limit }]
      }),
    ),
  )
  const cursors = ['zzz', '', '{"turnId":"gone","includeAnchor":false}', '{"turnId":"gone"}']
  const odd: JsonObject[] = [
    ...cursors.map((cursor) => ({ cursor })),
    { itemsView: 'x' },
    { limit: -1 },
    { sortDirection: 5 },
  ]
  return [
    ...whole,
    ...odd.map((each): Question => ['thread/turns/list', { threadId: rich, ...each }]),
    ['thread/turns/items/list', { threadId: rich }],
  ]
}

function metadata({ rich, fork, archived }: HomeThreads): Question[] {
  const git = (threadId: string, gitInfo: Json): Question => {
    return ['thread/metadata/update', { threadId, gitInfo }]
  }
  const name = (threadId: string, text: string): Question => {
    return ['thread/name/set', { threadId, name: text }]
  }
  const mode = (threadId: string, word: string): Question => {
    return ['thread/memoryMode/set', { threadId, mode: word }]
  }
  const none = { sha: null, branch: null, originUrl: null }
  // Lists of 0.133.0 show facts again that were cleared: here they are set anew.
  const all = { sha: 'abc', branch: 'main', originUrl: 'https://example.invalid/x' }
  return [
    ...BAD_IDS.flatMap((id) => [name(id, 'x'), name(id, ' '), mode(id, 'enabled')]),
    ...BAD_IDS.flatMap((id) => [git(id, { branch: 'b' }), git(id, { branch: ' ' }), git(id, {})]),
    ...[' ', ' Forked '].map((text) => name(fork, text)),
    name(archived, 'x'),
    ['thread/name/set', { threadId: fork }],
    ['thread/read', { threadId: fork }],
    ['thread/metadata/update', { threadId: fork }],
    ...[{}, null, { branch: ' ' }, { sha: '' }, { originUrl: 5 }].map((each) => git(fork, each)),
    ...[{ branch: ' feat ' }, { sha: null }, none, all].map((each) => git(fork, each)),
    git(archived, { branch: 'b' }),
    ...['disabled', 'polluted'].map((word) => mode(fork, word)),
    mode(archived, 'disabled'),
    ['thread/memoryMode/set', { threadId: rich }],
  ]
}

function goals({ rich, archived }: HomeThreads): Question[] {
  const set = (params: JsonObject): Question => ['thread/goal/set', { threadId: rich, ...params }]
  const get: Question = ['thread/goal/get', { threadId: rich }]
  const clear: Question = ['thread/goal/clear', { threadId: rich }]
  const paused = { objective: 'Win', status: 'paused' }
  return [
    ...[...BAD_IDS, archived].flatMap((threadId): Question[] => [
      ['thread/goal/set', { threadId, objective: 'x', status: 'paused' }],
      ['thread/goal/get', { threadId }],
      ['thread/goal/clear', { threadId }],
    ]),
    ...[get, clear, set({}), set({ status: 'paused' }), set({ tokenBudget: 5 })],
    ...[' ', 'x'.repeat(4001), 'x'.repeat(4000)].map((objective) => set({ ...paused, objective })),
    ...[0, -1, 'x', 1.5].map((tokenBudget) => set({ ...paused, tokenBudget })),
    set({ objective: 'Win', status: 'x' }),
    set({ ...paused, objective: ' Win ', tokenBudget: 10 }),
    ...[set({ tokenBudget: null }), set({}), set({ status: 'complete' }), get],
    ...[set({ objective: 'Win again' }), clear, clear, get],
  ]
}

function archive({ fork, archived }: HomeThreads): Question[] {
  const away = (threadId: string): Question => ['thread/archive', { threadId }]
  const back = (threadId: string): Question => ['thread/unarchive', { threadId }]
  return [
    ...BAD_IDS.flatMap((id) => [away(id), back(id)]),
    ...[away(archived), back(fork), away(fork), away(fork)],
    ...[list({ archived: true }), list({})],
    ['thread/read', { threadId: fork, includeTurns: true }],
    ...[back(fork), back(fork), list({ archived: true }), list({})],
    ['thread/increment_elicitation', { threadId: fork }],
    ['thread/decrement_elicitation', { threadId: NONE }],
  ]
}
