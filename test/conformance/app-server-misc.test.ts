/**
 * Rule: requests that are not about a thread's turns (files, processes, configuration, account,
 * lists, search) get the answers and the error texts of real Codex. Where Bobbin differs on
 * purpose, the step says why, and what is still compared.
 */
import assert from 'node:assert/strict'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { AppServer } from '../../src/app-server/index.ts'
import {
  isObject,
  type Json,
  type JsonObject,
  nodeFileSystem,
  systemClock,
} from '../../src/base/index.ts'
import { loadConfig } from '../../src/config/index.ts'
import { ThreadManager } from '../../src/core/index.ts'
import { LocalThreadStore } from '../../src/thread-store/index.ts'
import { INSTALLATION_ID, KitClient, KitRpcError } from '../support/app-server-kit.ts'
import { PlayedModel } from '../support/played-model.ts'
import { CodexAppServer, RpcError } from './codex-app-server.ts'
import type { MethodDifferenceId } from './methods/differences.ts'
import { noteCompared } from './methods/record.ts'
import { codex133 } from './programs.ts'
import { Scratch } from './scratch.ts'

type Request = (method: string, params: JsonObject) => Promise<JsonObject>

interface Step {
  readonly method: string
  readonly params: (scratch: Scratch) => JsonObject
  /** Why the answers may not be the same. */
  readonly why?: MethodDifferenceId
  /** The part of the answer that is the same nevertheless. */
  readonly same?: (answer: Json) => Json
}

function step(
  method: string,
  params: JsonObject | Step['params'] = {},
  difference: Pick<Step, 'why' | 'same'> = {},
): Step {
  return { method, params: typeof params === 'function' ? params : () => params, ...difference }
}

/** The project's path in front of what follows. */
const at =
  (make: (project: string) => JsonObject): Step['params'] =>
  ({ project }) =>
    make(project)

async function answerOf(request: Request, { method, params }: Step, scratch: Scratch) {
  try {
    return await request(method, params(scratch))
  } catch (error) {
    if (!(error instanceof RpcError) && !(error instanceof KitRpcError)) throw error
    return { error: { code: error.code, message: error.message.replace(`${method}: `, '') } }
  }
}

const SORTED = new Set(['entries', 'errors'])

/** Scratch paths and times are taken out, and orders that the file system makes. */
function normalised(value: Json, scratch: Scratch): Json {
  if (typeof value === 'string') return value.replaceAll(scratch.root, '<root>')
  if (Array.isArray(value)) return value.map((each) => normalised(each, scratch))
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(([key, each = null]): [string, Json] => {
    if (/AtMs$|^installationId$/.test(key)) return [key, `<${key}>`]
    const inner = normalised(each, scratch)
    if (!SORTED.has(key) || !Array.isArray(inner))
      return [key.replaceAll(scratch.root, '<root>'), inner]
    return [key, inner.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))]
  })
  return Object.fromEntries(entries)
}

type Prepare = (scratch: Scratch) => Promise<void>

async function newScratch(prepare: Prepare | undefined): Promise<Scratch> {
  const scratch = await Scratch.create()
  await scratch.useModelServer('http://127.0.0.1:9/v1')
  await prepare?.(scratch)
  return scratch
}

/** What both clients of the suite can do. */
type Client = Pick<KitClient, 'request' | 'waitFor' | 'notifications'>
type Scene<T> = (client: Client, scratch: Scratch) => Promise<T>

async function inCodex<T>(scene: Scene<T>, prepare?: Prepare): Promise<T> {
  await using scratch = await newScratch(prepare)
  await using codex = await CodexAppServer.start(codex133, scratch)
  return await scene(
    {
      request: (method, params) => codex.request(method, params as JsonObject),
      waitFor: (method, is) => codex.waitFor(method, is),
      notifications: codex.notifications,
    },
    scratch,
  )
}

async function inBobbin<T>(scene: Scene<T>, prepare?: Prepare): Promise<T> {
  await using scratch = await newScratch(prepare)
  const { home, project, env } = scratch
  const clock = systemClock
  const files = nodeFileSystem
  await using store = new LocalThreadStore({ home, files, clock, durability: 'turn' })
  const client = new PlayedModel([])
  await using manager = new ThreadManager({
    store,
    clock,
    modelAccess: () => ({ client }),
    environment: env,
    docsHome: home,
  })
  await using server = new AppServer({
    runtime: () => ({ manager, store }),
    clock,
    home,
    cwd: project,
    version: '0.0.0',
    environment: env,
    loadConfig: (overrides) => loadConfig({ home, environment: env, overrides }),
    installationId: async () => INSTALLATION_ID,
  })
  using bobbin = new KitClient(server)
  await bobbin.initialize()
  return await scene(bobbin, scratch)
}

interface Played {
  readonly method: string
  readonly params: Json
  readonly answer: Json
}

async function play(steps: readonly Step[], request: Request, scratch: Scratch): Promise<Played[]> {
  const answers: Played[] = []
  for (const each of steps) {
    const answer = normalised(await answerOf(request, each, scratch), scratch)
    const { method } = each
    const params = normalised(each.params(scratch), scratch)
    answers.push({ method, params, answer })
  }
  return answers
}

async function compare(steps: readonly Step[], prepare?: Prepare): Promise<void> {
  const scene: Scene<Played[]> = (client, scratch) => {
    return play(steps, (method, params) => client.request(method, params), scratch)
  }
  const codex = await inCodex(scene, prepare)
  const bobbin = await inBobbin(scene, prepare)
  const reduced = (all: readonly Played[]) =>
    all.map((each, at) => ({ ...each, answer: steps[at]?.same?.(each.answer) ?? each.answer }))
  assert.deepEqual(reduced(bobbin), reduced(codex))
  noteCompared(
    codex.map(({ method, answer }, at) => {
      const isSame = isDeepStrictEqual(answer, bobbin[at]?.answer)
      const { why } = steps[at] ?? {}
      return { method, isAnswered: !isRefusal(answer), differences: isSame || !why ? [] : [why] }
    }),
  )
}

function isRefusal(answer: Json): boolean {
  return isObject(answer) && isObject(answer.error) && typeof answer.error.code === 'number'
}

/**
 * Plays the scene in both programs: what it shows is the same, and so are the answers to all its
 * requests, in the order of the requests.
 */
async function compareScenes(scene: Scene<Json>, prepare?: Prepare): Promise<void> {
  const played = async (run: typeof inCodex) => {
    const answers: { method: string; answer: Json }[] = []
    const noting: Scene<Json> = async (client, scratch) => {
      const request: Client['request'] = async (method, params) => {
        const noted = { method, answer: null as Json }
        answers.push(noted)
        const result = await client.request(method, params)
        noted.answer = normalised(result, scratch)
        return result
      }
      const { notifications } = client
      const waitFor: Client['waitFor'] = (method, is) => client.waitFor(method, is)
      return normalised(await scene({ request, waitFor, notifications }, scratch), scratch)
    }
    return { shown: await run(noting, prepare), answers }
  }
  const codex = await played(inCodex)
  assert.deepEqual(await played(inBobbin), codex)
  noteCompared(codex.answers.map(({ method }) => ({ method, isAnswered: true, differences: [] })))
}

const put =
  (files: { readonly [path: string]: string }): Prepare =>
  async ({ root }) => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), text)
    }
  }

const codeOnly = (answer: Json): Json => {
  const error = isObject(answer) && isObject(answer.error) ? answer.error : undefined
  return error ? { code: error.code ?? null } : answer
}

describe('files', () => {
  it('are read, written, listed, copied and removed alike', async () => {
    const steps = [
      ...['rel', '', '~/x', 5].map((path) => step('fs/readFile', { path })),
      step('fs/readFile'),
      ...['a.txt', 'nosuch', '.', '../project/./a.txt'].map((name) =>
        step(
          'fs/readFile',
          at((project) => ({ path: `${project}/${name}` })),
        ),
      ),
      ...['aGk=', '!!', 'aGk', 'a', 'aGk==', 'aGl=', 'aG k=', ''].map((dataBase64) =>
        step(
          'fs/writeFile',
          at((project) => ({ path: `${project}/w.txt`, dataBase64 })),
        ),
      ),
      step(
        'fs/writeFile',
        at((project) => ({ path: `${project}/no/w`, dataBase64: '' })),
      ),
      step(
        'fs/createDirectory',
        at((project) => ({ path: `${project}/d/e` })),
      ),
      step(
        'fs/createDirectory',
        at((project) => ({ path: `${project}/d/e` })),
      ),
      step(
        'fs/createDirectory',
        at((path) => ({ path: `${path}/x/e`, recursive: false })),
      ),
      step(
        'fs/createDirectory',
        at((path) => ({ path: `${path}/d`, recursive: false })),
      ),
      step(
        'fs/createDirectory',
        at((project) => ({ path: `${project}/a.txt` })),
      ),
      ...['link', 'd', 'nosuch'].map((name) =>
        step(
          'fs/getMetadata',
          at((project) => ({ path: `${project}/${name}` })),
        ),
      ),
      ...['', '/a.txt', '/nosuch'].map((name) =>
        step(
          'fs/readDirectory',
          at((project) => ({ path: `${project}${name}` })),
        ),
      ),
      step(
        'fs/remove',
        at((project) => ({ path: `${project}/nosuch` })),
      ),
      step(
        'fs/remove',
        at((project) => ({ path: `${project}/nosuch`, force: false })),
      ),
      step(
        'fs/remove',
        at((project) => ({ path: `${project}/d`, recursive: false })),
      ),
      step(
        'fs/remove',
        at((project) => ({ path: `${project}/d/e`, recursive: false })),
      ),
      step(
        'fs/remove',
        at((project) => ({ path: `${project}/d` })),
      ),
      ...copies(),
      step(
        'fs/readDirectory',
        at((project) => ({ path: project })),
      ),
    ]
    const link: Prepare = async (scratch) => {
      await put({ 'project/from/inner/f': 'x' })(scratch)
      await symlink('a.txt', join(scratch.project, 'link'))
    }
    await compare(steps, link)
  })
})

function copies(): Step[] {
  const pairs = [
    ['from', 'cp', false],
    ['from', 'cp', true],
    ['from', 'from/below', true],
    ['a.txt', 'b.txt', false],
    ['nosuch', 'b.txt', false],
    ['a.txt', 'zz/b.txt', false],
    ['a.txt', 'cp', false],
    ['link', 'link2', false],
  ] as const
  return pairs.map(([source, destination, recursive]) =>
    step(
      'fs/copy',
      at((project) => ({
        sourcePath: `${project}/${source}`,
        destinationPath: `${project}/${destination}`,
        recursive,
      })),
    ),
  )
}

describe('watches', () => {
  it('are opened and closed alike', async () => {
    await compare([
      step(
        'fs/watch',
        at((path) => ({ watchId: 'w', path })),
      ),
      step(
        'fs/watch',
        at((path) => ({ watchId: 'w', path })),
      ),
      step(
        'fs/watch',
        at((path) => ({ watchId: 'v', path: `${path}/nosuch` })),
      ),
      step('fs/watch', { watchId: 5, path: '/tmp' }),
      step('fs/unwatch', { watchId: 'w' }),
      step('fs/unwatch', { watchId: 'w' }),
    ])
  })
})

const sh = (script: string): string[] => ['sh', '-c', script]

describe('command/exec', () => {
  it('runs, limits and refuses alike', async () => {
    const exec = (params: JsonObject) => step('command/exec', params)
    await compare([
      exec({ command: ['echo', 'hi'] }),
      exec({ command: [] }),
      exec({}),
      exec({ command: ['nosuch-prog'] }),
      exec({
        command: sh('echo $FOO-$HOME; pwd; echo err >&2; exit 3'),
        cwd: '/',
        env: { FOO: 'bar', HOME: null },
      }),
      exec({ command: sh('pwd'), cwd: '.' }),
      exec({ command: ['true'], cwd: '/nosuch' }),
      exec({ command: sh('echo hello; echo errtext >&2'), outputBytesCap: 3 }),
      exec({ command: ['echo', 'x'], outputBytesCap: 0 }),
      exec({ command: ['true'], outputBytesCap: 3, disableOutputCap: true }),
      exec({ command: ['sleep', '60'], timeoutMs: 50 }),
      exec({ command: ['true'], timeoutMs: 100, disableTimeout: true }),
      exec({ command: ['true'], timeoutMs: -1 }),
      exec({ command: ['true'], tty: true }),
      exec({ command: sh('kill -9 $$') }),
      exec({ command: ['cat'], size: { rows: 1, cols: 2 } }),
      exec({ command: ['cat'], tty: true, processId: 's', size: { rows: 0, cols: 2 } }),
      exec({ command: sh('exit 3'), tty: true, processId: 't' }),
      exec({ command: ['true'], permissionProfile: ':nosuch' }),
      exec({
        command: ['true'],
        permissionProfile: ':read-only',
        sandboxPolicy: { type: 'readOnly' },
      }),
      exec({ command: ['cat'] }),
      step('command/exec/write', { processId: 'p' }),
      step('command/exec/write', { processId: 'p', deltaBase64: '!!' }),
      step('command/exec/write', { processId: 'p', deltaBase64: 'YQ==' }),
      step('command/exec/resize', { processId: 'p', size: { rows: 1, cols: 0 } }),
      step('command/exec/resize', { processId: 'p', size: { rows: 1, cols: 1 } }),
      step('command/exec/terminate', { processId: 'p' }),
      step('command/exec/terminate', {}),
    ])
  })
})

/** What was told of a process: each stream's text, whether it was full, and the end. */
function toldOf({ notifications }: Client): JsonObject[] {
  const told = notifications.filter(({ method }) => /^(command\/exec|process)\//.test(method))
  const deltas = told.filter(({ method }) => method.endsWith('outputDelta'))
  const streams = ['stdout', 'stderr'].map((stream): JsonObject => {
    const own = deltas.filter(({ params }) => params.stream === stream)
    const bytes = own.map(({ params }) => Buffer.from(String(params.deltaBase64), 'base64'))
    const { stream: name, deltaBase64, ...last } = own.at(-1)?.params ?? {}
    return { stream, text: Buffer.concat(bytes).toString(), ...last }
  })
  const others = told.filter(({ method }) => !method.endsWith('outputDelta'))
  return [...streams, ...others.map(({ method, params }) => ({ method, params }))]
}

describe('a process that is watched', () => {
  const streams = { streamStdin: true, streamStdoutStderr: true }
  const base64 = (text: string) => Buffer.from(text).toString('base64')

  it('gets its input and tells its output alike', async () => {
    await compareScenes(async (client) => {
      const command = sh('read x; echo "got $x" >&2; cat')
      const processId = 'p'
      const done = client.request('command/exec', { command, processId, ...streams })
      const write = (more: JsonObject) =>
        client.request('command/exec/write', { processId, ...more })
      const first = await write({ deltaBase64: base64('a\nb') })
      const second = await write({ closeStdin: true })
      return [first, second, await done, ...toldOf(client)]
    })
  })

  it('is cut off at its cap and terminated alike', async () => {
    await compareScenes(async (client) => {
      const command = sh('echo abc; echo def >&2; sleep 600')
      const processId = 'p'
      const params = { command, processId, ...streams, outputBytesCap: 2 }
      const done = client.request('command/exec', params)
      const method = 'command/exec/outputDelta'
      await client.waitFor(method, ({ stream }) => stream === 'stdout')
      await client.waitFor(method, ({ stream }) => stream === 'stderr')
      const ended = await client.request('command/exec/terminate', { processId })
      return [ended, await done, ...toldOf(client)]
    })
  })

  it('has a terminal alike', async () => {
    await compareScenes(async (client) => {
      const processId = 'p'
      const command = sh('stty size; read x; stty size')
      const size = { rows: 10, cols: 30 }
      const done = client.request('command/exec', { command, processId, tty: true, size })
      await client.waitFor('command/exec/outputDelta')
      const larger = { rows: 11, cols: 22 }
      const resized = await client.request('command/exec/resize', { processId, size: larger })
      await client.request('command/exec/write', { processId, deltaBase64: base64('\n') })
      return [resized, await done, ...toldOf(client)]
    })
  })

  for (const [name, more] of Object.entries({
    'ends by itself': { command: sh('echo out; echo err >&2; exit 4') },
    'runs out of time': { command: ['sleep', '600'], timeoutMs: 50 },
    'fills its cap': { command: sh('echo hello; echo e >&2'), outputBytesCap: 2 },
    'fills its cap as it streams': {
      command: sh('echo hello; echo e >&2'),
      outputBytesCap: 2,
      streamStdoutStderr: true,
    },
    'is killed by a signal on a terminal': { command: sh('kill -9 $$'), tty: true },
  })) {
    it(`in the background: ${name}, told alike`, async () => {
      await compareScenes(async (client, { project: cwd }) => {
        await client.request('process/spawn', { processHandle: 'h', cwd, ...more })
        await client.waitFor('process/exited')
        return toldOf(client)
      })
    })
  }
})

describe('the account', () => {
  it('is told of alike', async () => {
    const scene: Scene<Json> = async (client) => {
      await client.request('account/login/start', { type: 'apiKey', apiKey: 'k' })
      await client.waitFor('account/updated')
      await client.request('account/logout', {})
      await client.waitFor('account/updated', ({ authMode }) => authMode === null)
      const told = client.notifications.filter(({ method }) => method.startsWith('account/'))
      return told.map(({ method, params }) => ({ method, params }))
    }
    await compareScenes(scene)
  })
})

describe('process/*', () => {
  it('refuses alike', async () => {
    const spawn = (params: JsonObject) =>
      step(
        'process/spawn',
        at((cwd) => ({ command: ['true'], processHandle: 'h', cwd, ...params })),
      )
    await compare([
      spawn({ command: [] }),
      spawn({ command: ['nosuch'] }),
      spawn({ processHandle: '' }),
      spawn({ cwd: 'rel' }),
      spawn({ cwd: '/nosuch' }),
      spawn({ timeoutMs: -5 }),
      spawn({ size: { rows: 1, cols: 1 } }),
      step('process/spawn', { command: ['true'], processHandle: 'h' }),
      spawn({ command: ['cat'], streamStdin: true }),
      spawn({ command: ['cat'] }),
      step('process/writeStdin', { processHandle: 'h' }),
      step('process/resizePty', { processHandle: 'h', size: { rows: 1, cols: 1 } }),
      step('process/kill', { processHandle: 'h' }),
      step('process/kill', { processHandle: 'nosuch' }),
      step('process/resizePty', { processHandle: 'h', size: { rows: 0, cols: 1 } }),
      step('process/writeStdin', { processHandle: 'nosuch', deltaBase64: '' }),
    ])
  })
})

const CONFIG = `# top comment
model = "gpt-5.4" # trailing
model_provider = "mock"

# about providers
[model_providers.mock]
name = "mock" # nm
base_url = "http://127.0.0.1:9/v1"

[tui]
notifications = false # note

[features]
apps = false
`

const write = (keyPath: string, value: Json, more: JsonObject = {}): Step =>
  step('config/value/write', { keyPath, value, mergeStrategy: 'replace', ...more })

describe('config', () => {
  const file = put({ 'home/config.toml': CONFIG })

  it('is written alike, and the file says the same', async () => {
    const upsert = { mergeStrategy: 'upsert' }
    const readBack = (name: string) => step('fs/readFile', (s) => ({ path: join(s.home, name) }))
    const edits: Step[] = [
      write('model', 'gpt-5.5'),
      write('sandbox_mode', 'read-only'),
      write('features.goals', true),
      write('model_providers.mock.name', 'm2'),
      write('projects."/x/y".trust_level', 'trusted'),
      write('tui.theme', 'dark'),
      write('tui.notifications', null),
      write('tui', null),
      write('nosuch.deep.er', [1, 'a', { x: 1 }]),
      write('mcp_servers.one', { command: 'c', args: ['a', 'b'], env: { A: '1' } }),
      write('mcp_servers.one', { args: ['z'] }, upsert),
      write('mcp_servers.one', { command: 'd' }),
      write('features', { shell_snapshot: true }, upsert),
      write('x_float', 1.5),
      write('x_empty', {}),
      write('x_list', []),
      write('nothere', null),
      step('config/batchWrite', {
        edits: [
          { keyPath: 'model', value: 'm1', mergeStrategy: 'upsert' },
          { keyPath: 'model_reasoning_effort', value: 'high', mergeStrategy: 'replace' },
        ],
      }),
      step('config/batchWrite', { edits: [] }),
    ]
    await compare(
      edits.flatMap((edit) => [edit, readBack('config.toml')]),
      file,
    )
  })

  it('is refused alike', async () => {
    await compare(
      [
        write('', 'x'),
        write('a..b', 'x'),
        write('a."b', 'x'),
        write('model', 'x', { mergeStrategy: 'zzz' }),
        write('model', 'x', { expectedVersion: 'sha256:0' }),
        write('model', 'x', { filePath: '/tmp/other.toml' }),
        write('model.sub', 'x'),
        write('x', { a: [null] }),
        write('model', 5, {}),
        write('approval_policy', 'zzz'),
        step('config/batchWrite', {}),
        write('a"b', 1),
        write('a.', 1),
        step('config/value/write', { keyPath: 'model', mergeStrategy: 'replace' }),
        step('configRequirements/read'),
      ].map((each, index) =>
        index === 8 || index === 9 ? { ...each, why: 'value-words', same: codeOnly } : each,
      ),
      file,
    )
  })

  it('is read alike', async () => {
    const why = 'config-layers'
    const same = (answer: Json): Json => {
      if (!isObject(answer) || !isObject(answer.config)) return answer
      const { model, model_provider, approval_policy, profile, tui, tools } = answer.config
      const layers = Array.isArray(answer.layers) ? answer.layers : []
      const user = layers.find(
        (each) => isObject(each) && isObject(each.name) && each.name.type === 'user',
      )
      const theme = isObject(tui) ? tui.notifications : null
      return {
        config: { model, model_provider, approval_policy, profile, theme, tools },
        origins: answer.origins,
        user,
      }
    }
    await compare(
      [
        step('config/read', { includeLayers: true }, { why, same }),
        step('config/read', {}, { why, same }),
      ],
      put({ 'home/config.toml': `${CONFIG}[other]\nlist = [1, ["a"], {x = 2}]\n` }),
    )
  })
})

describe('account', () => {
  const steps = [
    step('account/read'),
    step('getAuthStatus'),
    step('account/rateLimits/read'),
    step('account/login/start', { type: 'apiKey', apiKey: 'sk-test' }),
    step('fs/readFile', (s) => ({ path: join(s.home, 'auth.json') })),
    step('account/read'),
    step('getAuthStatus', { includeToken: true }),
    step('getAuthStatus'),
    step('account/rateLimits/read'),
    step('account/login/start', { type: 'x' }),
    step('account/login/start', { type: 'apiKey' }),
    step('account/login/start', {}),
    step('account/login/cancel', { loginId: 'x' }),
    step('account/login/cancel', { loginId: '0190a000-0000-7000-8000-000000000000' }),
    step('account/logout'),
    step('account/logout'),
    step('account/read'),
  ]

  it('is told and changed alike', async () => {
    await compare(steps, put({ 'home/config.toml': '[features]\nplugins = false\napps = false\n' }))
  })

  it('is of no use to a provider of one’s own', () => compare(steps))
})

describe('lists', () => {
  it('are alike', async () => {
    const models = (answer: Json): Json => {
      if (!isObject(answer) || !Array.isArray(answer.data)) return answer
      const data = answer.data.filter(isObject).map((model) => {
        const { upgrade, displayName, hidden, inputModalities, supportsPersonality } = model
        const { additionalSpeedTiers, defaultReasoningEffort } = model
        const shown = { upgrade, displayName, hidden, inputModalities, supportsPersonality }
        return { id: model.id, ...shown, additionalSpeedTiers, defaultReasoningEffort }
      })
      return { data: data as Json[], nextCursor: answer.nextCursor }
    }
    const features = (answer: Json): Json => {
      if (!isObject(answer) || !Array.isArray(answer.data)) return answer
      const data = answer.data.filter(isObject).map(({ name, stage, enabled, defaultEnabled }) => {
        return { name, stage, enabled, defaultEnabled }
      })
      return { data: data as Json[], nextCursor: answer.nextCursor }
    }
    const list = (params: JsonObject) =>
      step('model/list', params, { why: 'model-texts', same: models })
    const featureList = (params: JsonObject) =>
      step('experimentalFeature/list', params, { why: 'feature-texts', same: features })
    const enable = (enablement: JsonObject) =>
      step('experimentalFeature/enablement/set', { enablement })
    await compare([
      list({}),
      list({ includeHidden: true, limit: 2 }),
      list({ limit: 0 }),
      list({ limit: 2, cursor: '2' }),
      list({ cursor: '99' }),
      list({ cursor: 'zz' }),
      list({ cursor: '-1' }),
      list({ cursor: '' }),
      list({ cursor: '5' }),
      step('modelProvider/capabilities/read'),
      step('hooks/list'),
      step('hooks/list', { cwds: ['/nosuch'] }),
      step('plugin/list'),
      step('plugin/installed'),
      step('app/list'),
      step('app/list', { threadId: 'x' }),
      featureList({}),
      featureList({ limit: 2 }),
      featureList({ cursor: 'x' }),
      featureList({ cursor: '9999' }),
      enable({ apps: true }),
      enable({ zzz: true }),
      enable({ goals: true }),
      enable({}),
      step('collaborationMode/list'),
      step('permissionProfile/list'),
      step('permissionProfile/list', { limit: 2 }),
      step('permissionProfile/list', { cursor: 'x' }),
      step('permissionProfile/list', { cursor: '9' }),
      step('permissionProfile/list', { limit: 0 }),
      step('mcpServerStatus/list', { threadId: 'x' }),
      step('remoteControl/status/read'),
      step('windowsSandbox/readiness'),
      step('config/mcpServer/reload'),
      step('feedback/upload', { classification: 'bug', includeLogs: false, threadId: 'x' }),
      step('feedback/upload'),
      step('memory/reset'),
    ])
  })

  it('name the servers of MCP alike', async () => {
    const config = `[mcp_servers.one]
command = "nosuch-cmd"
[mcp_servers.two]
url = "http://127.0.0.1:9/x"
enabled = false
[mcp_servers.four]
url = "http://127.0.0.1:9/x"
http_headers = { Authorization = "x" }
[features]
plugins = false
apps = false
`
    await compare(
      [
        step('mcpServerStatus/list'),
        step('mcpServerStatus/list', { limit: 1, detail: 'toolsAndAuthOnly' }),
        step('mcpServerStatus/list', { cursor: 'zz' }),
        step('mcpServerStatus/list', { cursor: '9' }),
        step('mcpServerStatus/list', { detail: 'x' }),
      ],
      put({ 'home/config.toml': config }),
    )
  })

  it('find the same skills', async () => {
    const skill = (head: string) => `---\n${head}\n---\n# Skill\n`
    const long = 'n'.repeat(1100)
    await compare(
      [
        step('skills/list', { forceReload: true }),
        step(
          'skills/list',
          at((project) => ({ cwds: [`${project}/src/deep`, '/nosuch'] })),
        ),
      ],
      put({
        'home/skills/alpha/SKILL.md': skill('name: alpha\ndescription: does alpha'),
        'home/skills/broken/SKILL.md': 'no front\n',
        'home/skills/lone/SKILL.md': skill('name: lone'),
        'home/skills/n1/n2/n3/SKILL.md': skill('name: nested\ndescription: d'),
        'home/skills/.hid/SKILL.md': skill('name: hid\ndescription: d'),
        'home/skills/long/SKILL.md': skill(`name: ${long}\ndescription: d`),
        'home/skills/longd/SKILL.md': skill(`name: ld\ndescription: ${long}`),
        'home/skills/unq/SKILL.md': skill('name: unq\ndescription: a: b'),
        'home/skills/dup/SKILL.md': skill('name: beta\ndescription: >\n  folded\n  text'),
        'home/skills/num/SKILL.md': skill('name: 5\ndescription: d'),
        'home/skills/face/SKILL.md': skill('name: face\ndescription: d'),
        'home/skills/face/agents/openai.yaml': 'interface:\n  display_name: "Nice"\n',
        'user/.agents/skills/delta/SKILL.md': skill('description: no name'),
        'project/.codex/skills/beta/SKILL.md': skill(
          'name: beta\ndescription: "does: beta"\nmetadata:\n  short-description: sb',
        ),
        'project/.agents/skills/gamma/SKILL.md': skill(
          'name: gamma\ndescription: |\n  multi\n  line',
        ),
        'project/src/.codex/skills/in/SKILL.md': skill('name: inner\ndescription: d'),
        'project/src/deep/x': '',
      }),
    )
  })
})

describe('rules about skills', () => {
  const rule = (params: JsonObject): Step[] => [
    step('skills/config/write', params),
    step('fs/readFile', (s) => ({ path: join(s.home, 'config.toml') })),
  ]
  const path = '/x/SKILL.md'
  const rules = [
    {},
    { enabled: false },
    { path: 'rel', enabled: false },
    { name: ' ', enabled: true },
    { path, name: 'a', enabled: true },
    { path: '/y/SKILL.md', enabled: true },
    { path, enabled: false },
    { path: '/x/../x/SKILL.md', enabled: false },
    { name: ' alpha ', enabled: false },
    { name: 'q', enabled: false },
    { path, enabled: true },
    { name: 'alpha', enabled: true },
    { name: 'q', enabled: true },
  ]
  const configs = {
    'behind all else': CONFIG,
    'behind what is said of skills': `[skills.bundled]\nenabled = false\n${CONFIG}`,
    'in place': `${CONFIG}\n[[skills.config]]\n# why\nname = "q"\nenabled = true\n`,
  }
  for (const [name, config] of Object.entries(configs)) {
    it(`are written alike: ${name}`, async () => {
      const text =
        name === 'behind what is said of skills' ? config.replace(/^model.*\n/gm, '') : config
      await compare(rules.flatMap(rule), put({ 'home/config.toml': text }))
    })
  }
})

describe('search', () => {
  it('finds the same files with the same scores', async () => {
    const why = 'search-git'
    const same = (answer: Json): Json => {
      if (!isObject(answer) || !Array.isArray(answer.files)) return answer
      return answer.files.filter((f) => !(isObject(f) && String(f.path).startsWith('.git/')))
    }
    const search = (query: string) =>
      step(
        'fuzzyFileSearch',
        at((project) => ({ query, roots: [project] })),
        { why, same },
      )
    await compare(
      [
        ...['alpha', 'ALPHA', 'alp', 'deep', 'upper', 'deep/be', 'src alpha', 'sa', 'a2'].map(
          search,
        ),
        ...['', 'one two', 'cC', 'tst', 'x y'].map(search),
        step('fuzzyFileSearch', { query: 'a', roots: ['/nosuch'] }),
        step('fuzzyFileSearch', { query: 'a', roots: [] }),
        step('fuzzyFileSearch', { query: 5, roots: [] }),
        step('fuzzyFileSearch/sessionUpdate', { sessionId: 'nope', query: 'x' }),
        step('fuzzyFileSearch/sessionStart', { sessionId: '', roots: [] }),
        step('fuzzyFileSearch/sessionStop', { sessionId: 'nope' }),
      ],
      put({
        'project/.gitignore': 'ignored/\n',
        'project/src/alpha.ts': '',
        'project/src/deep/beta.ts': '',
        'project/src/deep/alphabet.md': '',
        'project/ignored/alpha.ts': '',
        'project/.hidden-alpha': '',
        'project/UPPER.TS': '',
        'project/src/a-l-p.txt': '',
        'project/camelCase2.ts': '',
        'project/one two.txt': '',
        'project/test/the_second-test.txt': '',
      }),
    )
  })
})

describe('what older clients ask', () => {
  it('is refused alike', async () => {
    const conversationId = '0190a000-0000-7000-8000-000000000000'
    await compare([
      step('getConversationSummary', { conversationId }),
      step('getConversationSummary', { conversationId: 'x' }),
      step('getConversationSummary', { rolloutPath: '/nosuch' }),
      step('getConversationSummary'),
      step(
        'gitDiffToRemote',
        at((cwd) => ({ cwd })),
      ),
      step('gitDiffToRemote', { cwd: '/' }),
      step('gitDiffToRemote'),
    ])
  })
})

describe('gitDiffToRemote', () => {
  it('shows alike what no remote has', async () => {
    const push = `git init -q --bare ../r.git && git remote add origin ../r.git &&
      git push -q origin main && printf 'new\\n \\n' > new.txt && echo x >> a.txt`
    const commit = 'git add a.txt && git -c user.name=t -c user.email=t@e commit -q -m x'
    const diff = step(
      'gitDiffToRemote',
      at((cwd) => ({ cwd })),
    )
    const run = (script: string) => step('command/exec', { command: sh(script) })
    await compare([run(push), diff, run(commit), diff])
  })
})

describe('files that are written', () => {
  it('are readable by the user alone', async () => {
    const steps = [
      write('model', 'x'),
      step('account/login/start', { type: 'apiKey', apiKey: 'k' }),
    ]
    const seen = steps.flatMap((each) => [
      each,
      step('command/exec', (s) => ({
        command: sh(`stat -c %a "${s.home}"/config.toml "${s.home}"/auth.json 2>/dev/null; true`),
      })),
    ])
    const open = CONFIG.replace(
      'model_provider',
      'sandbox_mode = "danger-full-access"\nmodel_provider',
    )
    await compare(seen, put({ 'home/config.toml': open }))
  })
})
