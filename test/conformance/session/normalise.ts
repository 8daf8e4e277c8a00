/**
 * What is taken out of a trace before it is compared: what differs from run to run, and what is
 * each program's own by its nature. Nothing else: every entry of these tables is in
 * `docs/parity.md`, with its reason.
 */
import {
  isObject,
  type Json,
  type JsonObject,
  objectAt,
  stringAt,
} from '../../../src/base/index.ts'
import type { Trace } from './trace.ts'

/** What is compared of a program. */
export interface Facets {
  readonly requests: readonly Json[]
  readonly rollout: readonly Json[]
  readonly events: readonly Json[]
  readonly refusals: readonly Json[]
  readonly answers: readonly Json[]
}

/** Members whose values are times; null stays null. */
const TIMES = new Set([
  'timestamp',
  'started_at',
  'startedAt',
  'startedAtMs',
  'completed_at',
  'completedAt',
  'completed_at_ms',
  'completedAtMs',
  'duration',
  'duration_ms',
  'durationMs',
  'time_to_first_token_ms',
  'turn_started_at_unix_ms',
])

interface TextRule {
  readonly what: string
  readonly why: string
  readonly pattern: RegExp
  readonly to: string
}

const TEXT_RULES: readonly TextRule[] = [
  {
    what: 'times in texts',
    why: 'of the run',
    pattern: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g,
    to: '<time>',
  },
  { what: 'ports', why: 'of the run', pattern: /127\.0\.0\.1:\d+/g, to: '<server>' },
  { what: 'chunk ids', why: 'random', pattern: /Chunk ID: [0-9a-f]+/g, to: 'Chunk ID: <chunk>' },
  {
    what: 'wall times',
    why: 'of the run',
    pattern: /Wall time: [\d.]+ seconds/g,
    to: 'Wall time: <s> seconds',
  },
  {
    what: 'durations in texts',
    why: 'of the run',
    pattern: /(Duration:|aborted by user after) [\d.]+ ?s(econds)?/g,
    to: '$1 <s>',
  },
  {
    what: 'process ids',
    why: 'random',
    pattern: /(session ID |"session_id": ?)(?!999999)\d+/g,
    to: '$1<process>',
  },
]

interface OwnText {
  readonly what: string
  readonly why: string
  readonly pattern: RegExp
  readonly to: string
}

const OUR_WORDS = 'each program says it in words of its own'

/** Texts that are told apart by how they begin. */
const OWN_TEXTS: readonly OwnText[] = [
  {
    what: '`<permissions instructions>`',
    why: `${OUR_WORDS}; the policy is compared in \`turn_context\``,
    pattern: /^<permissions instructions>[\s\S]*$/,
    to: '<permissions instructions>',
  },
  {
    what: '`<model_switch>`',
    why: `${OUR_WORDS}; Codex adds its instructions for the new model`,
    pattern: /^<model_switch>[\s\S]*$/,
    to: '<model_switch>',
  },
  {
    what: 'the words before a summary',
    why: OUR_WORDS,
    pattern: /^(Another language model started|The conversation up to here)[^\n]*\n/,
    to: '<summary prefix>\n',
  },
  {
    what: 'the prompt of a compaction',
    why: OUR_WORDS,
    pattern:
      /^(You are performing a CONTEXT CHECK|The conversation is about to be condensed)[\s\S]*$/,
    to: '<compaction prompt>',
  },
  {
    what: 'the prompt of a review',
    why: OUR_WORDS,
    pattern: /^Review (commit|the (current code changes|changes in|code changes))[\s\S]*$/,
    to: '<review prompt>',
  },
  {
    what: 'the advice in the warning of another model',
    why: OUR_WORDS,
    pattern: /^(This session was recorded with model [^.]*\.\S* but is resuming with \S*) .*$/,
    to: '$1',
  },
  {
    what: 'the warning after a compaction',
    why: OUR_WORDS,
    pattern: /^(Heads up: Long threads|Long threads that were condensed)[\s\S]*$/,
    to: '<long thread>',
  },
]

/** Notifications that are no part of a session. */
const OTHER_NOTIFICATIONS: { readonly [method: string]: string } = {
  'remoteControl/status/changed': 'of the app server, not of a thread',
  'account/rateLimits/updated': 'of the account; the same numbers are compared in `token_count`',
  'account/updated': 'of the account',
  'thread/started': 'the answer of an app server to the client that loads a thread',
  'skills/changed': 'Bobbin has no skills',
  'thread/goal/cleared': 'Bobbin has no goals',
  'thread/settings/updated': 'told by the app server to the client that has asked for it',
  'item/commandExecution/outputDelta':
    'in Codex a race decides how output is cut, and whether a fast command has pieces at all; ' +
    'the whole output is compared in `item/completed`',
}

/** Headers that are compared; all others are of the transport or name the program. */
const HEADERS = [
  'accept',
  'content-type',
  'originator',
  'session-id',
  'thread-id',
  'x-client-request-id',
  'x-codex-window-id',
  'x-codex-turn-state',
  'x-openai-subagent',
]

/** Members that are each program's own, by the kind of line they stand in. */
const OWN_MEMBERS: readonly { readonly what: string; readonly why: string }[] = [
  { what: '`instructions`, `base_instructions`', why: OUR_WORDS },
  { what: '`tools`', why: 'compared one by one in `request-shape.test.ts`; here: some or none' },
  { what: '`cli_version`', why: 'the program' },
  { what: '`personality` of `turn_context`', why: 'Bobbin has no personalities' },
  {
    what: '`workspaces` of the turn metadata',
    why: 'asked of git in the background: the first requests may lack it in both programs',
  },
  { what: 'ids', why: 'random; numbered in the order in which they appear' },
  { what: '`processId`', why: 'random; whether there is one is compared' },
  { what: '`requestId`', why: 'of the connection in Codex, of the process in Bobbin' },
]

/** The trace in comparable form, but for ids, which `numbered` names. */
export function normalised(trace: Trace): Facets {
  const names = namesOf(trace)
  const plain = (value: Json) => plainValue(value, names)
  return {
    requests: trace.requests.map((request) => plain(comparableRequest(request))),
    rollout: trace.rollout.map((line) => plain(comparableLine(line))),
    events: trace.events
      .filter(({ method }) => OTHER_NOTIFICATIONS[String(method)] === undefined)
      .map((event) => plain(event)),
    refusals: trace.refusals.map((text) => plain(text)),
    answers: trace.answers.map((answer) => plain(comparableAnswer(answer))),
  }
}

const ANY_ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[a-z]{2,4}_\d+\b/g

/** Every id by the order of its first appearance, so that equal ones stay equal. */
export function numbered(facets: Facets): Facets {
  const rename = (values: readonly Json[]): Json[] => {
    const ids = new Map<string, string>()
    const text = JSON.stringify(values).replaceAll(ANY_ID, (id) => {
      const known = ids.get(id) ?? `<id-${ids.size + 1}>`
      ids.set(id, known)
      return known
    })
    return JSON.parse(text) as Json[]
  }
  return {
    requests: rename(facets.requests),
    rollout: rename(facets.rollout),
    events: rename(facets.events),
    refusals: rename(facets.refusals),
    answers: rename(facets.answers),
  }
}

/** Scratch folder, threads and turns, by names that mean the same in both programs. */
function namesOf({ root, threadIds, events }: Trace): Map<string, string> {
  const names = new Map([[root, '<root>']])
  for (const [index, id] of threadIds.entries()) names.set(id, `<thread-${index + 1}>`)
  let turns = 0
  for (const { method, params } of events) {
    if (method !== 'turn/started' || !isObject(params) || !isObject(params.turn)) continue
    const id = stringAt(params.turn, 'id')
    if (id === undefined || names.has(id)) continue
    turns += 1
    names.set(id, `<turn-${turns}>`)
  }
  return names
}

function comparableRequest({ headers, body }: JsonObject): JsonObject {
  const sent = isObject(headers) ? headers : {}
  const kept = HEADERS.map((name) => [name, sent[name] ?? null])
  const metadata = JSON.parse(stringAt(sent, 'x-codex-turn-metadata') ?? '{}') as JsonObject
  const { workspaces: _, ...turn } = metadata
  const { instructions, tools, ...rest } = isObject(body) ? body : {}
  const own = {
    instructions: typeof instructions === 'string' ? '<instructions>' : (instructions ?? null),
    tools: Array.isArray(tools) && tools.length > 0 ? '<tools>' : (tools ?? null),
  }
  return { headers: Object.fromEntries(kept), turn, body: { ...rest, ...own } }
}

function comparableLine(line: JsonObject): JsonObject {
  const payload = isObject(line.payload) ? line.payload : {}
  if (line.type === 'session_meta') {
    const { base_instructions: _, cli_version: __, ...rest } = payload
    return { ...line, payload: rest }
  }
  if (line.type === 'turn_context') {
    const { personality: _, ...rest } = payload
    return { ...line, payload: rest }
  }
  return line
}

/** A thread's times, and the time in the name of its log, are those of the run. */
function comparableAnswer({ method, result }: JsonObject): JsonObject {
  const thread = isObject(result) ? objectAt(result, 'thread') : undefined
  if (!isObject(result) || !thread) return { method, result }
  const { cliVersion: _, path, ...rest } = thread
  const log =
    typeof path === 'string'
      ? path.replace(/\d{4}\/\d\d\/\d\d\/rollout-[^/]*T\d\d-\d\d-\d\d-/, '<time>-')
      : path
  const times = { createdAt: '<time>', updatedAt: '<time>' }
  return { method, result: { ...result, thread: { ...rest, ...times, path: log } } }
}

function plainValue(value: Json, names: ReadonlyMap<string, string>): Json {
  if (typeof value === 'string') return plainText(value, names)
  if (Array.isArray(value)) return value.map((item) => plainValue(item, names))
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(([key, item]): [string, Json] => {
    if (TIMES.has(key) && item !== null && item !== undefined) return [key, '<time>']
    if (key === 'processId' && typeof item === 'string') return [key, '<process>']
    if (key === 'requestId') return [key, '<request>']
    return [plainText(key, names), plainValue(item ?? null, names)]
  })
  return Object.fromEntries(entries)
}

function plainText(text: string, names: ReadonlyMap<string, string>): string {
  let plain = text
  for (const [id, name] of names) plain = plain.replaceAll(id, name)
  for (const { pattern, to } of OWN_TEXTS) plain = plain.replace(pattern, to)
  for (const { pattern, to } of TEXT_RULES) plain = plain.replaceAll(pattern, to)
  return plain
}

/** Everything that is not compared, and why: rows for the document. */
export function normalisations(): { readonly what: string; readonly why: string }[] {
  const headers = HEADERS.map((name) => `\`${name}\``).join(', ')
  return [
    { what: `\`${[...TIMES].join('`, `')}\``, why: 'of the run' },
    ...TEXT_RULES,
    ...OWN_MEMBERS,
    { what: `headers other than ${headers} and the turn metadata`, why: 'of the transport' },
    ...OWN_TEXTS,
    ...Object.entries(OTHER_NOTIFICATIONS).map(([method, why]) => ({ what: `\`${method}\``, why })),
    {
      what: '`thread/status/changed`, `thread/tokenUsage/updated` while a thread is loaded',
      why: 'the answer of an app server to the client that loads it',
    },
  ].map(({ what, why }) => ({ what, why }))
}
