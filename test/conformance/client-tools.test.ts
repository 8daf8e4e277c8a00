/**
 * Rules: for the same calls of a client's tools and of `view_image`, and for the same pictures as
 * input, the model and the client are told what real Codex 0.133.0 tells them; and a thread in
 * which Bobbin has kept such calls is still a thread of real Codex, old and new.
 */
import assert from 'node:assert/strict'
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'

import { arrayAt, isObject, type Json, type JsonObject, stringAt } from '../../src/base/index.ts'
import { parseDynamicTools } from '../../src/core/index.ts'
import { functionCall } from '../../src/core/model/script.ts'
import type { ClientAnswer } from '../../src/protocol/index.ts'
import { ScriptedResponsesServer } from '../support/responses-server.ts'
import { runTurn, SessionKit, Watch } from '../support/session-kit.ts'
import { CodexAppServer } from './codex-app-server.ts'
import { codex133, codexVersions } from './programs.ts'
import { Scratch } from './scratch.ts'
import { concludes, says } from './scripts.ts'

/** Three pixels by two. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAC0lEQVR4nGNgwAQAABQAAX3+Hu4AAAAASUVORK5CYII='

const schema = { type: 'object', properties: { q: { type: 'string' } }, required: ['q'] }
const odd = {
  properties: { z: { const: 1 }, a: true, l: { type: 'array' }, m: { type: ['object', 'null'] } },
  required: ['z'],
  $defs: {},
}
const tool = (name: string, fields: JsonObject = {}): JsonObject => ({
  name,
  description: name,
  inputSchema: schema,
  ...fields,
})

const dynamicTools = [
  ...['text', 'parts', 'picture', 'nothing', 'fails', 'invalid', 'update_plan'].map((name) =>
    tool(name, name === 'parts' ? { inputSchema: odd } : {}),
  ),
  tool('b', { namespace: 'crm' }),
  tool('a', { namespace: 'crm' }),
  tool('later', { namespace: 'crm', deferLoading: true }),
]

const text = (said: string) => ({ type: 'inputText', text: said })
const picture = { type: 'inputImage', imageUrl: `data:image/png;base64,${PNG}` }
const answers: { readonly [name: string]: JsonObject } = {
  text: { contentItems: [text('one')], success: true },
  parts: { contentItems: [text('a'), picture], success: true },
  picture: { contentItems: [picture], success: true },
  nothing: { contentItems: [], success: true },
  fails: { contentItems: [text('went wrong')], success: false },
  invalid: { nonsense: 1 },
  a: { contentItems: [text('of crm')], success: true },
  later: { contentItems: [text('later')], success: true },
}

const calls: JsonObject[] = [
  ...['text', 'parts', 'picture', 'nothing', 'fails', 'invalid'].map((name) =>
    functionCall(name, { q: name }, `call_${name}`),
  ),
  ...['a', 'later', 'text'].map((name) => ({
    ...functionCall(name, {}, `call_crm_${name}`),
    namespace: 'crm',
  })),
  functionCall('text', 'no json', 'call_json'),
  functionCall('text', [1] as never, 'call_list'),
  functionCall('update_plan', { plan: [] }, 'call_plan'),
  functionCall('request_user_input', { questions: [] }, 'call_ask'),
  functionCall('request_user_input', '{', 'call_ask_badly'),
  ...['a.png', 'no-name', 'no.png', '.', 'a.txt', 'text', '~/none.png'].map((path, index) =>
    functionCall('view_image', { path }, `view_${index}`),
  ),
  functionCall('view_image', { path: 'a.png', detail: 'original' }, 'view_original'),
  functionCall('view_image', { path: 'a.png', detail: 'low' }, 'view_low'),
  functionCall('view_image', {}, 'view_nothing'),
]
const script = [...calls.map((call) => says(call)), concludes('Done.'), concludes('Seen.')]

async function fill(project: string): Promise<void> {
  const bytes = Buffer.from(PNG, 'base64')
  await writeFile(join(project, 'a.png'), bytes)
  await writeFile(join(project, 'no-name'), bytes)
  await writeFile(join(project, 'a.txt'), 'one\ntwo\nthree\n')
  await writeFile(join(project, 'text'), 'x')
}

/** Pictures of every kind, with words between. */
const pictures = (project: string): JsonObject[] => [
  { type: 'text', text: 'one' },
  { type: 'image', url: 'https://example.invalid/x.png' },
  { type: 'localImage', path: join(project, 'a.png') },
  { type: 'text', text: 'two' },
  { type: 'image', url: picture.imageUrl },
  { type: 'localImage', path: join(project, 'no.png') },
  { type: 'localImage', path: join(project, 'a.txt') },
  { type: 'localImage', path: project },
  { type: 'localImage', path: join(project, 'no-name') },
]

interface Side {
  readonly outputs: Json
  readonly tools: Json
  /** Items as they ended, and what the client was asked. */
  readonly items: Json
  readonly asked: Json
  readonly shown: Json
  readonly seen: Json
  readonly userMessage: Json
}

const withoutRoot = (root: string, value: unknown): Json => {
  return JSON.parse(JSON.stringify(value).replaceAll(root, '<root>')) as Json
}

/** Only what both offer: the client's own tools. */
function brought(tools: readonly unknown[]): JsonObject[] {
  const names = new Set(['crm', ...Object.keys(answers), 'update_plan'])
  return tools.filter(isObject).filter((each) => names.has(stringAt(each, 'name') ?? ''))
}

const OWN = new Set(['update_plan'])
const form = (each: JsonObject): Json => (OWN.has(stringAt(each, 'name') ?? '') ? 'built-in' : each)

function outputsOf(input: readonly unknown[]): JsonObject[] {
  return input.filter(isObject).filter((item) => item.output !== undefined)
}

const ITEMS = new Set(['dynamicToolCall', 'imageView'])
const shownItem = ({ durationMs: _, ...item }: JsonObject): JsonObject => item

async function codexSide(): Promise<Side> {
  await using server = await ScriptedResponsesServer.start(script)
  await using scratch = await Scratch.create()
  await scratch.useModelServer(server.baseUrl)
  await fill(scratch.project)
  await using codex = await CodexAppServer.start(codex133, scratch)
  codex.onRequest = ({ params }) => answers[stringAt(params, 'tool') ?? ''] ?? {}
  const { thread } = await codex.request('thread/start', { dynamicTools })
  const threadId = isObject(thread) ? (stringAt(thread, 'id') ?? '') : ''
  await codex.runTurn(threadId, 'go')
  const items = codex.notifications.flatMap(({ method, params }) => {
    const item = method === 'item/completed' && isObject(params.item) ? params.item : {}
    return ITEMS.has(stringAt(item, 'type') ?? '') ? [shownItem(item)] : []
  })
  const input = arrayAt(server.modelRequests.at(-1)?.body ?? {}, 'input') ?? []
  const { turn } = await codex.request('turn/start', { threadId, input: pictures(scratch.project) })
  const turnId = isObject(turn) ? turn.id : undefined
  await codex.waitFor('turn/completed', (told) => isObject(told.turn) && told.turn.id === turnId)
  const { params } = await codex.waitFor('item/completed', (told) => told.turnId === turnId)
  const shown = isObject(params.item) ? params.item.content : undefined
  const last = server.modelRequests.at(-1)?.body ?? {}
  const [rollout] = await scratch.rollouts()
  const lines = (rollout?.lines ?? []).map((line) => line.payload).filter(isObject)
  const clean = (value: unknown) => withoutRoot(scratch.project, withoutRoot(scratch.user, value))
  return {
    outputs: clean(outputsOf(input)),
    tools: clean(brought(arrayAt(last, 'tools') ?? []).map(form)),
    items: clean(items),
    asked: clean(codex.requests.map(({ params: { threadId: _, turnId: __, ...rest } }) => rest)),
    shown: clean(shown),
    seen: clean(arrayAt(last, 'input')?.at(-1)),
    userMessage: clean(lines.filter(({ type }) => type === 'user_message').at(-1)),
  }
}

async function bobbinSide(kit: SessionKit): Promise<Side> {
  await fill(kit.project)
  const handle = await kit.manager.start({
    settings: kit.settings,
    dynamicTools: parseDynamicTools(dynamicTools),
  })
  const asked: unknown[] = []
  handle.answerRequests({
    dynamicToolCall: async (params) => {
      asked.push(params)
      return (answers[params.tool] ?? {}) as unknown as ClientAnswer<'dynamicToolCall'>
    },
  })
  using watch = new Watch(handle)
  await runTurn(handle, 'go')
  const input = kit.model.requests.at(-1)?.input ?? []
  await runTurn(handle, pictures(kit.project) as never)
  const last = kit.model.requests.at(-1)
  const message = watch.events.findLast(
    (event) => event.type === 'itemCompleted' && event.item.type === 'userMessage',
  )
  const shown = message && 'item' in message && 'content' in message.item && message.item.content
  const items = watch
    .of('itemCompleted')
    .filter(({ item }) => ITEMS.has(item.type))
    .map(({ item }) => shownItem(item as unknown as JsonObject))
  const home = process.env.HOME ?? '/'
  const clean = (value: unknown) => withoutRoot(kit.project, withoutRoot(home, value))
  return {
    outputs: clean(outputsOf(input)),
    tools: clean(brought(last?.tools ?? []).map(form)),
    items: clean(items),
    asked: clean(asked),
    shown: clean(shown),
    seen: clean(last?.input.at(-1)),
    userMessage: clean(kit.payloads('event_msg user_message').at(-1)),
  }
}

describe("a client's tools, and pictures", { timeout: 120_000 }, () => {
  let codex: Side
  let bobbin: Side
  before(async () => {
    await using kit = await SessionKit.open(script)
    codex = await codexSide()
    bobbin = await bobbinSide(kit)
  })

  it('give the model the same outputs', () => {
    assert.equal((codex.outputs as Json[]).length, calls.length)
    assert.deepEqual(bobbin.outputs, codex.outputs)
  })

  it('are told to the model in the same form', () => {
    assert.deepEqual(bobbin.tools, codex.tools)
  })

  it('are asked of the client, and told as items, alike', () => {
    assert.deepEqual(bobbin.asked, codex.asked)
    assert.deepEqual(bobbin.items, codex.items)
  })

  it('are the same parts of a message when a person sends them', () => {
    assert.deepEqual(bobbin.shown, codex.shown)
    assert.deepEqual(bobbin.seen, codex.seen)
    assert.deepEqual(bobbin.userMessage, codex.userMessage)
  })
})

for (const { version, binary } of codexVersions) {
  describe(`a thread with kept calls in Codex ${version}`, { timeout: 120_000 }, () => {
    it('is listed, read, resumed and continued with all of its history', async () => {
      await using kit = await SessionKit.open(script)
      await bobbinSide(kit)
      const kept = new Set(kit.kinds())
      assert.ok(kept.has('event_msg dynamic_tool_call_response'))
      assert.ok(kept.has('event_msg view_image_tool_call'))
      const history = kit.payloads('response_item function_call_output').length
      const threadId = String(kit.lines()[0]?.payload.id)
      const prompts = kit.turns().length
      await kit.manager[Symbol.asyncDispose]()
      await using server = await ScriptedResponsesServer.start([
        says({ ...functionCall('later', {}, 'call_again'), namespace: 'crm' }),
        concludes('Codex was here.'),
      ])
      await using scratch = await Scratch.create()
      await scratch.useModelServer(server.baseUrl)
      await cp(join(kit.home, 'sessions'), join(scratch.home, 'sessions'), { recursive: true })
      await using codex = await CodexAppServer.start(binary, scratch)
      codex.onRequest = ({ params }) => answers[stringAt(params, 'tool') ?? ''] ?? {}
      const { data } = await codex.request('thread/list', { sourceKinds: ['exec', 'unknown'] })
      assert.deepEqual(
        (data as JsonObject[]).map(({ id }) => id),
        [threadId],
      )
      const read = await codex.request('thread/read', { threadId, includeTurns: true })
      assert.equal(((read.thread as JsonObject).turns as Json[]).length, prompts)
      await codex.request('thread/resume', { threadId })
      const turn = await codex.runTurn(threadId, 'go on')
      assert.equal(turn.status, 'completed')
      const input = arrayAt(server.modelRequests[0]?.body ?? {}, 'input') ?? []
      assert.equal(outputsOf(input).length, history)
      const outputs = outputsOf(arrayAt(server.modelRequests[1]?.body ?? {}, 'input') ?? [])
      assert.equal(outputs.at(-1)?.output, 'later', 'the kept tools are served again')
    })
  })
}
