/**
 * Rule: over a WebSocket, the model is asked by Bobbin as it is by real Codex 0.133.0: the same
 * handshakes, the same frames on the same connections, the same falls back to HTTP.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'

import {
  isObject,
  type Json,
  type JsonObject,
  stringAt,
  systemClock,
} from '../../src/base/index.ts'
import { ResponsesClient } from '../../src/core/index.ts'
import {
  assistantMessage,
  type Handshake,
  type ModelFault,
  type RecordedConnection,
  type Script,
  ScriptedResponsesServer,
  type ScriptedStep,
  type ServerOptions,
} from '../../src/core/testing/index.ts'
import { runTurn, SessionKit } from '../support/session-kit.ts'
import { bobbinExec } from './bobbin-exec.ts'
import { CodexAppServer } from './codex-app-server.ts'
import type { ExecProgram, ExecRun } from './exec-run.ts'
import { isContext } from './model-input.ts'
import { Normaliser } from './normalise.ts'
import { codex133, codex133Exec } from './programs.ts'
import { PROVIDER, Scratch } from './scratch.ts'
import { concludes, runs, says } from './scripts.ts'

const RETRIES = 2

interface Session {
  /** Made anew for each side: some scripts remember what they have said. */
  readonly script: () => Script
  readonly options?: ServerOptions
  readonly prompts?: readonly string[]
  readonly config?: readonly string[]
}

interface Side {
  readonly runs: readonly ExecRun[]
  readonly connections: readonly RecordedConnection[]
  /** Of every model request, by whichever transport, in order. */
  readonly methods: readonly string[]
  readonly normalise: (value: Json) => Json
}

async function runSide(program: ExecProgram, session: Session): Promise<Side> {
  await using server = await ScriptedResponsesServer.start(session.script(), session.options)
  await using scratch = await Scratch.create()
  await scratch.useModelServer(server.baseUrl)
  const provider = `model_providers.${PROVIDER}`
  const config = [
    `${provider}.supports_websockets=true`,
    `${provider}.stream_max_retries=${RETRIES}`,
    `${provider}.request_max_retries=0`,
    ...(session.config ?? []).map((setting) => `${provider}.${setting}`),
  ]
  const done: ExecRun[] = []
  for (const prompt of session.prompts ?? ['hello']) {
    const resume = done[0] ? { resume: done[0].threadId } : {}
    done.push(await program(scratch, { prompt, config, ...resume }))
  }
  const normaliser = new Normaliser(scratch)
  return {
    runs: done,
    connections: server.connections,
    methods: server.modelRequests.map(({ method }) => method),
    normalise: (value) => normaliser.value(value),
  }
}

async function runBoth(session: Session): Promise<{ codex: Side; bobbin: Side }> {
  return {
    codex: await runSide(codex133Exec, session),
    bobbin: await runSide(bobbinExec, session),
  }
}

function framesOf(connection: RecordedConnection | undefined): JsonObject[] {
  return (connection?.frames ?? []).filter(isObject)
}

/**
 * The members in their order. Texts that are Bobbin's own are left out; of the context messages,
 * the roles stay.
 */
function frameForm(frame: JsonObject): Json {
  const own = new Set(['instructions', 'tools'])
  return Object.entries(frame).map(([name, value]): Json => {
    if (own.has(name)) return [name, typeof value]
    if (name === 'client_metadata' && isObject(value)) return [name, metadataForm(value)]
    if (name !== 'input' || !Array.isArray(value)) return [name, value ?? null]
    const items = value.filter(isObject)
    return [name, items.map((item) => (isContext(item) ? (item.role ?? null) : item))]
  })
}

/** Names, not times: the order is random in real Codex, whose map has none. */
function metadataForm(metadata: JsonObject): Json {
  const turn = stringAt(metadata, 'x-codex-turn-metadata') ?? '{}'
  return [Object.keys(metadata).sort(), turnForm(turn), metadata['x-codex-window-id'] ?? null]
}

/** Whether git has answered in time for a request is chance, on both sides. */
function turnForm(text: string): Json {
  const { workspaces: _, ...metadata } = JSON.parse(text) as JsonObject
  return Object.entries(metadata).map(([name, value]): Json => {
    return [name, name === 'turn_started_at_unix_ms' ? typeof value : (value ?? null)]
  })
}

function conversation(side: Side): Json {
  const frames = side.connections.map((connection) => framesOf(connection).map(frameForm))
  return side.normalise([frames, [...side.methods]])
}

/** What a person saw of the troubles and of the answer. */
function shown({ runs: done, normalise }: Side): Json {
  return normalise(
    done.map(({ events }) =>
      events.flatMap((event): Json[] => {
        if (event.type === 'error') return [event.message ?? null]
        const item = isObject(event.item) ? event.item : {}
        // Bobbin also shows the warning of the fall back, which `codex exec` keeps to itself.
        const isShown = event.type === 'item.completed' && item.type === 'agent_message'
        return isShown ? [item.text ?? null] : []
      }),
    ),
  )
}

const cut: ModelFault = { kind: 'cut', afterEvents: 3 }
const part: ScriptedStep = { items: [assistantMessage('part', { id: 'msg_part' })], fault: cut }
const refuse = (status: number): Handshake => {
  return { kind: 'refuse', status, body: '{"error":{"message":"no"}}' }
}
const errorFrame = (frame: JsonObject): ScriptedStep => {
  return { items: [], fault: { kind: 'errorFrame', frame: { type: 'error', ...frame } } }
}

/** As `step` by WebSocket, for ever; a whole answer by HTTP. */
function onlyHttpAnswers(step: ScriptedStep): Script {
  return ({ method }) => (method === 'POST' ? concludes('By HTTP.') : step)
}

const sessions: { readonly [name: string]: Session } = {
  'a prewarm, a first request, a follow-up and a second turn': {
    script: () => [says(runs('cat a.txt', 'call_1')), concludes('Read.'), concludes('Again.')],
    prompts: ['read it', 'and again'],
  },
  'a prewarm that fails': {
    script: () => [concludes('Hi.')],
    options: { prewarm: errorFrame({ status: 500, error: { message: 'cold' } }) },
  },
  'a prewarm that nobody answers': {
    script: () => [concludes('Hi.')],
    options: { prewarm: { items: [], fault: { kind: 'stall', afterEvents: 1 } } },
    config: ['websocket_connect_timeout_ms=500'],
  },
  'a server that wants no upgrade (426)': {
    script: () => [concludes('Hi.'), concludes('Again.')],
    options: { handshake: () => refuse(426) },
    prompts: ['hello', 'again'],
  },
  'a server that cannot shake hands (500)': {
    script: () => [concludes('Hi.')],
    options: { handshake: () => refuse(500) },
  },
  'a server that wants another key (401)': {
    script: () => [concludes('Hi.')],
    options: { handshake: () => refuse(401) },
  },
  'a server that refuses for good (429)': {
    script: () => [concludes('Hi.')],
    options: { handshake: () => refuse(429) },
  },
  'a server that does not answer the handshake': {
    script: () => [concludes('Hi.')],
    options: { handshake: () => ({ kind: 'stall' }) },
    config: ['websocket_connect_timeout_ms=300'],
  },
  'a stream cut in its midst': { script: () => [part, concludes('Whole.')] },
  'a stream closed before its end': {
    script: () => [{ ...part, fault: { kind: 'close', afterEvents: 3 } }, concludes('Whole.')],
  },
  'a stream that is always cut': { script: () => onlyHttpAnswers(part) },
  'a stream that always stalls': {
    script: () => onlyHttpAnswers({ ...part, fault: { kind: 'stall', afterEvents: 1 } }),
    config: ['stream_idle_timeout_ms=400'],
  },
  'binary frames': {
    script: () =>
      onlyHttpAnswers({ items: [], fault: { kind: 'binary', afterEvents: 1, bytes: [1, 2, 3] } }),
  },
  'a connection that has reached its limit': {
    script: () => [
      errorFrame({
        status: 400,
        error: { code: 'websocket_connection_limit_reached', message: 'an hour' },
      }),
      concludes('Anew.'),
    ],
  },
  'an error frame of status 400': {
    script: () => [errorFrame({ status: 400, error: { message: 'bad', code: 'x' } })],
  },
  'an error frame of status 429': {
    script: () => [errorFrame({ status: 429, error: { type: 'rate', message: 'slow' } })],
  },
  'an error frame of status 500': {
    script: () => [errorFrame({ status: 500, error: { message: 'oops' } }), concludes('Anew.')],
  },
}

for (const [name, session] of Object.entries(sessions)) {
  describe(`over a WebSocket, ${name}`, () => {
    let codex: Side
    let bobbin: Side
    before(async () => {
      const both = await runBoth(session)
      codex = both.codex
      bobbin = both.bobbin
    })

    it('makes the same connections, with the same frames', () => {
      assert.deepEqual(conversation(bobbin), conversation(codex))
    })

    it('shows the same', () => {
      assert.deepEqual(shown(bobbin), shown(codex))
    })
  })
}

describe('the handshake', () => {
  it('has the headers of 0.133.0, but for the list of its beta features', async () => {
    const { codex, bobbin } = await runBoth({ script: () => [concludes('Hi.')] })
    // Bobbin has none of the features that the list would name.
    const left = new Set(['x-codex-beta-features'])
    const own = new Set(['sec-websocket-key', 'user-agent', 'originator'])
    const headers = (side: Side): Json => {
      const all = Object.entries(side.connections[0]?.headers ?? {}).sort()
      const form = all.map(([name, value]): Json => {
        if (name === 'x-codex-turn-metadata') return [name, turnForm(value)]
        return [name, own.has(name) ? 'own' : value]
      })
      return side.normalise(
        form.filter((entry) => Array.isArray(entry) && !left.has(`${entry[0]}`)),
      )
    }
    assert.deepEqual(headers(bobbin), headers(codex))
  })
})

describe('two turns of one session', () => {
  const script = () => [says(runs('true', 'call_1')), concludes('One.'), concludes('Two.')]

  it('go over one connection, and the second sends what is new', async () => {
    const codex = await codexSession(script())
    assert.deepEqual(await bobbinSession(script()), codex)
    assert.match(JSON.stringify(codex), /"resp_2",\["user"\].*"a":"bé ✓"/)
  })
})

/** Of which one turn has metadata of the client's own, and tries to replace what is not its own. */
const TURNS = [
  { prompt: 'first', metadata: undefined },
  {
    prompt: 'second',
    metadata: {
      a: 'bé ✓',
      session_id: 'x',
      thread_id: 'x',
      turn_id: 'x',
      sandbox: 'x',
      turn_started_at_unix_ms: 'x',
      thread_source: 'mine',
    },
  },
]

async function codexSession(script: Script): Promise<Json> {
  await using server = await ScriptedResponsesServer.start(script)
  await using scratch = await Scratch.create()
  await scratch.useModelServer(server.baseUrl)
  const path = join(scratch.home, 'config.toml')
  const config = await readFile(path, 'utf8')
  await writeFile(path, config.replace('wire_api', 'supports_websockets = true\nwire_api'))
  await using codex = await CodexAppServer.start(codex133, scratch)
  const { thread } = await codex.request('thread/start', { cwd: scratch.project })
  const threadId = (isObject(thread) && stringAt(thread, 'id')) || ''
  for (const { prompt, metadata } of TURNS) {
    await codex.runTurn(threadId, prompt, { responsesapiClientMetadata: metadata ?? null })
  }
  return whatWasAdded(server)
}

async function bobbinSession(script: Script): Promise<Json> {
  await using server = await ScriptedResponsesServer.start(script)
  const provider = {
    id: PROVIDER,
    name: PROVIDER,
    baseUrl: server.baseUrl,
    bearerToken: undefined,
    headers: {},
    queryParams: {},
    requestMaxRetries: 0,
    streamMaxRetries: RETRIES,
    streamIdleTimeoutMs: 10_000,
    supportsWebsockets: true,
  }
  const installationId = async () => 'home'
  const caller = { originator: 'bobbin', version: '0', installationId }
  const client = new ResponsesClient({ provider, clock: systemClock, ...caller })
  const modelAccess = () => ({ client, streamMaxRetries: RETRIES })
  await using kit = await SessionKit.open([], { manager: { modelAccess } })
  const handle = await kit.start()
  for (const { prompt, metadata } of TURNS) {
    await runTurn(handle, prompt, metadata ? { clientMetadata: metadata } : {})
  }
  return whatWasAdded(server)
}

/** For each connection, what each frame goes on from and adds, and says of its turn. */
function whatWasAdded({ connections }: ScriptedResponsesServer): Json {
  const added = (frame: JsonObject): Json => {
    const { previous_response_id: previous, input, client_metadata: metadata } = frame
    const items = (Array.isArray(input) ? input : []).filter(isObject)
    const turn = (isObject(metadata) && stringAt(metadata, 'x-codex-turn-metadata')) || '{}'
    const isAscii = /^[\x20-\x7e]*$/.test(turn)
    return [
      previous ?? null,
      items.map(({ type, role }) => role ?? type ?? null),
      told(turn),
      isAscii,
    ]
  }
  return connections.map((connection) => framesOf(connection).map(added))
}

/** Only Codex works in a git checkout here, and ids are those of each. */
function told(turn: string): Json {
  const { workspaces: _, ...metadata } = JSON.parse(turn) as JsonObject
  const entries = Object.entries(metadata).map(([name, value]): [string, Json] => {
    const isOwn = /_id$|_unix_ms$/.test(name) && value !== 'x' && value !== ''
    return [name, isOwn ? typeof value : (value ?? null)]
  })
  return Object.fromEntries(entries)
}

describe('where Bobbin goes on and 0.133.0 does not', () => {
  it('asks again in full, when the server has forgotten the previous response', async () => {
    const error = { code: 'previous_response_not_found', message: 'gone' }
    const script = () => [errorFrame({ status: 400, error }), concludes('Whole.')]
    const { codex, bobbin } = await runBoth({ script })
    const text = JSON.stringify({ type: 'error', status: 400, error })
    assert.deepEqual(shown(codex), [[text]])
    assert.deepEqual(shown(bobbin), [['Whole.']])
    assert.equal(bobbin.connections.length, 1)
  })

  it('sees a full window in an error frame, as in a failed response', async () => {
    const error = { code: 'context_length_exceeded', message: 'long' }
    const { codex, bobbin } = await runBoth({ script: () => [errorFrame({ status: 400, error })] })
    assert.deepEqual(shown(codex), [[JSON.stringify({ type: 'error', status: 400, error })]])
    assert.match(JSON.stringify(shown(bobbin)), /ran out of room/)
  })

  it('takes an error frame without a status for what it is, and does not wait', async () => {
    const script = () => [errorFrame({ error: { message: 'oops' } }), concludes('Anew.')]
    const config = ['stream_idle_timeout_ms=1000']
    const { codex, bobbin } = await runBoth({ script, config })
    assert.deepEqual([shown(codex), shown(bobbin)], [[['Anew.']], [['Anew.']]])
  })

  it('says in its own words that a handshake was cut, after as many tries', async () => {
    const options: ServerOptions = { handshake: () => ({ kind: 'cut' }) }
    const { codex, bobbin } = await runBoth({ script: () => [concludes('Hi.')], options })
    assert.equal(bobbin.connections.length, codex.connections.length)
    const told = (text: string) =>
      `Reconnecting... 2/${RETRIES} (stream disconnected before completion: ${text})`
    const url = 'ws://<server>/v1/responses'
    assert.deepEqual(shown(codex), [
      [told('WebSocket protocol error: Handshake not finished'), 'Hi.'],
    ])
    assert.deepEqual(shown(bobbin), [[told(`error sending request for url (${url})`), 'Hi.']])
  })
})
