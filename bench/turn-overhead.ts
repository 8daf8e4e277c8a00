/**
 * What a turn costs beside the model: time from the arrival of its request at the model to its
 * last event at the client, and CPU of the whole process. Bobbin and real Codex 0.133.0 take turns,
 * each with one thread, so that the machine's moods meet both.
 */
import { join } from 'node:path'
import { numberAt, stringAt } from '../src/base/index.ts'
import { startChild } from '../test/conformance/child.ts'
import { CodexAppServer } from '../test/conformance/codex-app-server.ts'
import { installPrograms } from '../test/conformance/install.ts'
import { Scratch } from '../test/conformance/scratch.ts'
import { readLinesOf, unixMs } from './line-pipe.ts'
import { cpuMs } from './process-costs.ts'
import { WorkerProcess } from './worker-process.ts'

export interface TurnCosts {
  readonly wallMs: readonly number[]
  /** From the call that starts the turn. */
  readonly callMs: readonly number[]
  readonly cpuMsPerTurn: number
}

interface Driver extends AsyncDisposable {
  readonly pid: number
  /** Runs a turn through the program's own surface: a call here, a JSON-RPC request there. */
  turn(text: string): Promise<{ readonly calledMs: number; readonly endedMs: number }>
}

/** A helper process of the bench: a line in, a line out. */
class LineChild implements AsyncDisposable {
  readonly #child: ReturnType<typeof startChild>
  readonly #lines: AsyncGenerator<string>

  constructor(file: string, args: readonly string[], env: { readonly [name: string]: string }) {
    const path = join(import.meta.dirname, file)
    const options = { cwd: import.meta.dirname, env: { ...env, PATH: process.env.PATH ?? '' } }
    this.#child = startChild(process.execPath, [path, ...args], options)
    this.#child.stderr.on('data', (text: string) => process.stderr.write(text))
    this.#lines = readLinesOf(this.#child.stdout)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  async read(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error('a process of the bench has ended early')
    return value
  }

  ask(line: string): Promise<string> {
    this.#child.stdin.write(`${line}\n`)
    return this.read()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end()
    if (this.#child.exitCode === null) await new Promise((done) => this.#child.once('close', done))
  }
}

async function bobbinDriver(scratch: Scratch, baseUrl: string): Promise<Driver> {
  const child = new LineChild('bobbin-turns.ts', [scratch.home, scratch.project, baseUrl], {
    ...scratch.env,
  })
  await child.read()
  return {
    pid: child.pid,
    turn: async (text) => JSON.parse(await child.ask(text)),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}

async function codexDriver(scratch: Scratch, binary: string): Promise<Driver> {
  const server = await CodexAppServer.start(binary, scratch)
  const { thread } = await server.request('thread/start', { cwd: scratch.project })
  const threadId = (thread as { id: string }).id
  return {
    pid: server.pid,
    turn: async (text) => {
      const calledMs = unixMs()
      await server.runTurn(threadId, text)
      return { calledMs, endedMs: unixMs() }
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Warm-up turns are not counted. */
export async function measureTurns(turns: number, warmUp: number) {
  const programs = await installPrograms()
  await using model = new WorkerProcess('model-server.ts', [])
  const baseUrl = stringAt(await model.ask({ call: 'address' }), 'baseUrl') ?? ''
  await using bobbinHome = await Scratch.create()
  await using codexHome = await Scratch.create()
  await codexHome.useModelServer(baseUrl)
  await using bobbin = await bobbinDriver(bobbinHome, baseUrl)
  await using codex = await codexDriver(codexHome, programs.codex133)
  const sides = { bobbin, codex }
  const costs = { bobbin: emptyCosts(), codex: emptyCosts() }
  const cpuBefore = { bobbin: 0, codex: 0 }
  for (let count = -warmUp; count < turns; count += 1) {
    for (const side of ['bobbin', 'codex'] as const) {
      if (count === 0) cpuBefore[side] = cpuMs(sides[side].pid)
      const { calledMs, endedMs } = await sides[side].turn(`turn ${count}`)
      const requestMs = numberAt(await model.ask({ call: 'requestMs' }), 'requestMs') ?? 0
      if (count < 0) continue
      costs[side].wallMs.push(endedMs - requestMs)
      costs[side].callMs.push(endedMs - calledMs)
    }
  }
  const cpu = (side: 'bobbin' | 'codex') => (cpuMs(sides[side].pid) - cpuBefore[side]) / turns
  return {
    bobbin: { ...costs.bobbin, cpuMsPerTurn: cpu('bobbin') },
    codex: { ...costs.codex, cpuMsPerTurn: cpu('codex') },
  }
}

function emptyCosts(): { wallMs: number[]; callMs: number[] } {
  return { wallMs: [], callMs: [] }
}
