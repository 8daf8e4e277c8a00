import { randomBytes, randomInt } from 'node:crypto'
import { assert, type Clock, systemClock } from '../../../base/index.ts'
import {
  type Child,
  type ChildSpec,
  loadNodePty,
  spawnPiped,
  spawnTerminal,
  type TerminalLoader,
} from './child-process.ts'
import { ExecError } from './exec-error.ts'
import { OutputBuffer } from './output-buffer.ts'
import { killTrees } from './process-tree.ts'
import { countTokens, truncateOutput } from './truncate-output.ts'

const MAX_PROCESSES = 64
const PROTECTED_PROCESSES = 8
const MAX_OUTPUT_TOKENS = 10_000
const SESSION_IDS = { least: 1000, most: 99_999 } as const

const YIELD_MS = {
  exec: { least: 250, most: 30_000, otherwise: 10_000 },
  write: { least: 250, most: 30_000, otherwise: 250 },
  poll: { least: 5000, most: 300_000, otherwise: 250 },
} as const

export interface ProcessExit {
  readonly sessionId: number
  /** -1 when a signal ended it (1 with a terminal). */
  readonly exitCode: number
  /** All it wrote, the middle left out beyond 1 MiB. */
  readonly aggregatedOutput: string
  readonly durationMs: number
}

export interface StartRequest {
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: { readonly [name: string]: string }
  readonly isTty: boolean
  /** Clamped to 250…30000; 10000 when left out. */
  readonly yieldMs?: number | undefined
  /** At most, and when left out, 10000. */
  readonly maxOutputTokens?: number | undefined
  /** Stops the waiting; `start` rejects with its reason. */
  readonly signal?: AbortSignal | undefined
  /** `keep`, the default and what Codex does: the process goes on in the background. */
  readonly onAbort?: 'keep' | 'kill' | undefined
  /** Called once the process runs, before any other callback. */
  readonly onSpawn?: ((sessionId: number) => void) | undefined
  readonly onOutput?: ((chunk: string) => void) | undefined
  /**
   * Called once, after the last `onOutput` and before an answer tells of the exit; also for
   * processes dropped for the limit, never for those that disposing ends.
   */
  readonly onExit?: ((exit: ProcessExit) => void) | undefined
}

export interface WriteRequest {
  readonly sessionId: number
  /** Empty to only look for output: waits 5000…300000 ms instead of 250…30000. */
  readonly chars: string
  readonly yieldMs?: number | undefined
  readonly maxOutputTokens?: number | undefined
  /** Stops the waiting only. */
  readonly signal?: AbortSignal | undefined
}

export interface ExecAnswer {
  readonly chunkId: string
  readonly wallTimeMs: number
  /** What was written since the last answer, truncated to the token limit. */
  readonly output: string
  readonly originalTokenCount: number
  /** Present once the process has ended; the session id is void then. */
  readonly exitCode?: number
  /** Present while it runs. */
  readonly sessionId?: number
}

export interface ProcessManagerOptions {
  readonly clock?: Clock
  readonly loadTerminal?: TerminalLoader
}

interface Running {
  readonly sessionId: number
  readonly child: Child
  readonly pending: OutputBuffer
  readonly ended: Promise<void>
  exitCode: number | undefined
}

/**
 * The long-lived commands of one session. At most 64 are kept: one more drops the least recently
 * used, those that have ended first, but none of the eight most recent. Disposing kills all of
 * them with their children and waits; `start` fails from then on.
 */
export class ProcessManager implements AsyncDisposable {
  readonly #clock: Clock
  readonly #loadTerminal: TerminalLoader
  /** Least recently used first. */
  readonly #processes = new Map<number, Running>()
  readonly #ending = new Set<Promise<void>>()
  readonly #starting = new Set<Promise<Child>>()
  #isDisposed = false

  constructor(options: ProcessManagerOptions = {}) {
    this.#clock = options.clock ?? systemClock
    this.#loadTerminal = options.loadTerminal ?? loadNodePty
  }

  /**
   * Runs `command`, leader of its own process group, and answers when it has ended or the yield
   * time is over. Throws `ExecError` when it cannot be started.
   */
  async start(request: StartRequest): Promise<ExecAnswer> {
    assert(!this.#isDisposed, 'the process manager is open')
    request.signal?.throwIfAborted()
    const running = await this.#launch(request)
    const startedAtMs = this.#clock.monotonicMs()
    try {
      await this.#wait(running, clampYield('exec', request.yieldMs), request.signal)
    } catch (error) {
      if (request.onAbort === 'kill') this.#drop([running])
      throw error
    }
    return this.#answer(running, startedAtMs, request.maxOutputTokens)
  }

  /**
   * Writes to a running process and answers when it has ended or the yield time is over. Throws
   * `ExecError` when there is no such process, or when it has no terminal and `chars` is not empty.
   */
  async write(request: WriteRequest): Promise<ExecAnswer> {
    const { sessionId, chars, signal } = request
    const running = this.#processes.get(sessionId)
    if (!running) throw new ExecError({ code: 'unknown_process', sessionId })
    signal?.throwIfAborted()
    this.#processes.delete(sessionId)
    this.#processes.set(sessionId, running)
    if (chars !== '') {
      if (!running.child.write) throw new ExecError({ code: 'stdin_closed' })
      if (running.exitCode === undefined) running.child.write(chars)
    }
    const startedAtMs = this.#clock.monotonicMs()
    const yieldMs = clampYield(chars === '' ? 'poll' : 'write', request.yieldMs)
    await this.#wait(running, yieldMs, signal)
    return this.#answer(running, startedAtMs, request.maxOutputTokens)
  }

  /** Kills a process with its children; nothing happens when there is none of that id. */
  terminate(sessionId: number): void {
    const running = this.#processes.get(sessionId)
    if (running) this.#drop([running])
  }

  /** Kills every process with its children and waits for them. */
  async terminateAll(): Promise<void> {
    this.#drop([...this.#processes.values()])
    await Promise.all(this.#ending)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    await Promise.allSettled(this.#starting)
    await this.terminateAll()
  }

  async #launch(request: StartRequest): Promise<Running> {
    const pending = new OutputBuffer()
    const transcript = new OutputBuffer()
    const onOutput = (text: string): void => {
      pending.push(text)
      transcript.push(text)
      request.onOutput?.(text)
    }
    const child = await this.#spawn({ ...request, onOutput }, request.isTty)
    const startedAtMs = this.#clock.monotonicMs()
    const sessionId = this.#mintSessionId()
    const ended = child.exitCode.then((exitCode) => {
      running.exitCode = exitCode
      if (this.#isDisposed) return
      const durationMs = this.#clock.monotonicMs() - startedAtMs
      request.onExit?.({ sessionId, exitCode, aggregatedOutput: transcript.text(), durationMs })
    })
    const running: Running = { sessionId, child, pending, ended, exitCode: undefined }
    this.#keep(running)
    request.onSpawn?.(sessionId)
    return running
  }

  async #spawn(spec: ChildSpec, isTty: boolean): Promise<Child> {
    const starting = isTty ? spawnTerminal(spec, this.#loadTerminal) : spawnPiped(spec, this.#clock)
    this.#starting.add(starting)
    try {
      return await starting
    } finally {
      this.#starting.delete(starting)
    }
  }

  #keep(running: Running): void {
    if (this.#processes.size >= MAX_PROCESSES) {
      const dropped = chooseDropped([...this.#processes.values()])
      if (dropped) this.#drop([dropped])
    }
    this.#processes.set(running.sessionId, running)
  }

  #drop(dropped: readonly Running[]): void {
    for (const { sessionId } of dropped) this.#processes.delete(sessionId)
    const living = dropped.filter((running) => running.exitCode === undefined)
    for (const running of living) {
      const ending = running.ended.finally(() => this.#ending.delete(ending))
      this.#ending.add(ending)
    }
    killTrees(living.map((running) => running.child.pid))
  }

  async #wait(running: Running, yieldMs: number, signal: AbortSignal | undefined): Promise<void> {
    const timer = new AbortController()
    const stop = signal ? AbortSignal.any([signal, timer.signal]) : timer.signal
    try {
      await Promise.race([running.ended, this.#clock.sleep(yieldMs, stop)])
    } finally {
      timer.abort()
    }
  }

  #answer(running: Running, startedAtMs: number, maxOutputTokens = MAX_OUTPUT_TOKENS): ExecAnswer {
    const { sessionId, exitCode } = running
    if (exitCode !== undefined) this.#processes.delete(sessionId)
    const text = running.pending.take()
    return {
      chunkId: randomBytes(3).toString('hex'),
      wallTimeMs: this.#clock.monotonicMs() - startedAtMs,
      output: truncateOutput(text, Math.min(maxOutputTokens, MAX_OUTPUT_TOKENS)),
      originalTokenCount: countTokens(text),
      ...(exitCode === undefined ? { sessionId } : { exitCode }),
    }
  }

  #mintSessionId(): number {
    for (;;) {
      const sessionId = randomInt(SESSION_IDS.least, SESSION_IDS.most + 1)
      if (!this.#processes.has(sessionId)) return sessionId
    }
  }
}

/** How long an answer waits for a process that goes on. */
export function clampYield(kind: keyof typeof YIELD_MS, yieldMs: number | undefined): number {
  const { least, most, otherwise } = YIELD_MS[kind]
  return Math.min(Math.max(yieldMs ?? otherwise, least), most)
}

/** Which process makes room, out of those kept, least recently used first. */
export function chooseDropped<T extends { readonly exitCode: number | undefined }>(
  processes: readonly T[],
): T | undefined {
  const candidates = processes.slice(0, -PROTECTED_PROCESSES)
  return candidates.find((process) => process.exitCode !== undefined) ?? candidates[0]
}
