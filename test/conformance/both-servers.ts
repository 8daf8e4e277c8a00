/**
 * A scene played into the app servers of both programs, each a process over a home of its own. What
 * the scene shows has to be the same, and the answers to all its requests.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Json, JsonObject } from '../../src/base/index.ts'
import { type Script, ScriptedResponsesServer } from '../support/responses-server.ts'
import { answerOf } from './app-server-home.ts'
import { bobbin } from './bobbin-exec.ts'
import { CodexAppServer } from './codex-app-server.ts'
import type { Program } from './exec-run.ts'
import type { MethodDifferenceId } from './methods/differences.ts'
import { noteCompared } from './methods/record.ts'
import { Normaliser } from './normalise.ts'
import { codex133 } from './programs.ts'
import { Scratch } from './scratch.ts'
import { concludes } from './scripts.ts'

export interface Server {
  readonly client: CodexAppServer
  readonly scratch: Scratch
  readonly model: ScriptedResponsesServer
  /** The result, or the error; it is compared. */
  ask(method: string, params?: JsonObject): Promise<JsonObject>
}

export interface ServerScene {
  readonly play: (server: Server) => Promise<Json>
  /** Makes the home before the server starts. */
  readonly prepare?: (scratch: Scratch) => Promise<void>
  readonly model?: Script
  /** By method, what may differ in its answers, and how both are brought into one form. */
  readonly differences?: { readonly [method: string]: Allowed }
  /** Commands are confined: real Codex cannot do so with a home below the temporary folder. */
  readonly isConfined?: boolean
  /** Leaves the handshake to the scene. */
  readonly isBare?: boolean
  /** Real Codex 0.133.0 when left out. */
  readonly codex?: string
}

export interface Allowed {
  readonly id: MethodDifferenceId
  readonly change: (answer: Json) => Json
}

interface Asked {
  readonly method: string
  readonly answer: Json
}

interface Played {
  readonly shown: Json
  readonly asked: readonly Asked[]
}

export async function compareServers(scene: ServerScene): Promise<void> {
  const codex = await played({ command: scene.codex ?? codex133, args: [] }, scene)
  const ours = await played(bobbin, scene)
  const reduced = ({ shown, asked }: Played) => ({
    shown,
    asked: asked.map(({ method, answer }) => {
      const allowed = scene.differences?.[method]
      return { method, answer: allowed ? allowed.change(answer) : answer }
    }),
  })
  assert.deepEqual(reduced(ours), reduced(codex))
  noteCompared(
    codex.asked.map(({ method, answer }, at) => {
      const isSame = isDeepStrictEqual(answer, ours.asked[at]?.answer)
      const allowed = scene.differences?.[method]
      const isAnswered = 'result' in (answer as JsonObject)
      return { method, isAnswered, differences: isSame || !allowed ? [] : [allowed.id] }
    }),
  )
}

async function played(program: Program, scene: ServerScene): Promise<Played> {
  await using model = await ScriptedResponsesServer.start(scene.model ?? (() => concludes('Fine.')))
  await using scratch = await Scratch.create()
  await scratch.useModelServer(model.baseUrl)
  await scene.prepare?.(scratch)
  const open = scene.isBare ? CodexAppServer.open : CodexAppServer.start
  const { project, env } = scratch
  const temporary = scene.isConfined ? { TMPDIR: join(scratch.root, 'tmp') } : {}
  await using client = await open(program, { project, env: { ...env, ...temporary } })
  const normaliser = new Normaliser(scratch)
  const asked: Asked[] = []
  const ask: Server['ask'] = async (method, params = {}) => {
    const request = (...question: Parameters<CodexAppServer['request']>) =>
      client.request(...question)
    const answer = await answerOf(request, [method, params])
    asked.push({ method, answer: ofTheRun(normaliser.value(answer)) })
    return answer
  }
  const shown = await scene.play({ client, scratch, model, ask })
  return { shown: ofTheRun(normaliser.value(shown)), asked }
}

const TIMES = /^(created|updated|started|completed)At(Ms)?$|^durationMs$|^timestamp$/

/** Times, the path of a log, which tells the second of its start, and the program. */
function ofTheRun(value: Json, key = ''): Json {
  if (TIMES.test(key) && value !== null) return '<time>'
  if (key === 'cliVersion') return '<version>'
  if (typeof value === 'string') return value.replace(/\d{4}\/\d\d\/\d\d\/rollout-.*$/, '<log>')
  if (Array.isArray(value)) return value.map((each) => ofTheRun(each))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, each]) => [name, ofTheRun(each ?? null, name)])
  return Object.fromEntries(entries) as JsonObject
}
