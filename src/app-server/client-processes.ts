import type { Clock } from '../base/index.ts'
import { ExecError, type StreamedProcess, startStreamed, type TerminalSize } from '../core/index.ts'
import type { Connection } from './connection.ts'
import { invalid, RpcError } from './protocol/jsonrpc.ts'

const MOST_PROCESSES = 64

/** How 0.133.0 speaks of processes of a kind. */
export interface ProcessWords {
  /** A name in use. */
  readonly duplicate: (id: string) => string
  readonly unknown: (id: string) => string
  readonly noInput: string
  readonly spawnFailed: string
}

export interface ProcessRequest {
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: { readonly [name: string]: string }
  readonly terminal: TerminalSize | undefined
  readonly hasInput: boolean
  /** Undefined: it may run for ever. */
  readonly timeoutMs: number | undefined
  /** Bytes of each stream that are passed on or kept; undefined: what one answer holds. */
  readonly outputBytesCap: number | undefined
  /** Told of output as it comes; left out, it is kept for the end. */
  readonly onOutput:
    | ((stream: 'stdout' | 'stderr', bytes: Buffer, isCapReached: boolean) => void)
    | undefined
}

export interface ProcessEnd {
  /** 124 when its time was over. */
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  readonly isStdoutCapped: boolean
  readonly isStderrCapped: boolean
}

/** What one answer can hold, whatever the client asks for. */
const MOST_KEPT_BYTES = 32 * 1024 * 1024
const TIMED_OUT = 124

interface Running {
  readonly process: StreamedProcess
  readonly hasInput: boolean
}

/**
 * The processes of clients, by the names that their clients have given them. A process belongs to
 * its connection: others do not see it, and it dies when the connection closes.
 */
export class ClientProcesses {
  readonly #clock: Clock
  readonly #words: ProcessWords
  readonly #running = new WeakMap<Connection, Map<string, Promise<Running | undefined>>>()

  constructor(clock: Clock, words: ProcessWords) {
    this.#clock = clock
    this.#words = words
  }

  /**
   * The name is taken at once: what is asked of the process meanwhile waits until it runs. Throws
   * when the name is taken already, or the command cannot be started.
   */
  async start(
    connection: Connection,
    id: string,
    prepare: () => Promise<ProcessRequest>,
  ): Promise<{ readonly ended: Promise<ProcessEnd> }> {
    const own = this.#of(connection)
    if (own.has(id)) throw invalid(this.#words.duplicate(id))
    if (own.size >= MOST_PROCESSES) {
      throw invalid(`too many active processes: limit is ${MOST_PROCESSES}`)
    }
    const started = Promise.withResolvers<Running | undefined>()
    own.set(id, started.promise)
    try {
      const request = await prepare()
      const taps = {
        stdout: new OutputTap(request.outputBytesCap),
        stderr: new OutputTap(request.outputBytesCap),
      }
      const process = await this.#launch(request, taps)
      started.resolve({ process, hasInput: request.hasInput || request.terminal !== undefined })
      return { ended: this.#untilEnd(connection, id, process, request.timeoutMs, taps) }
    } catch (error) {
      own.delete(id)
      started.resolve(undefined)
      throw error
    }
  }

  /** Throws when there is none of that name, or its input is closed. */
  async write(connection: Connection, id: string, bytes: Buffer, isLast: boolean): Promise<void> {
    const { process, hasInput } = await this.#find(connection, id)
    if (!hasInput) throw invalid(this.#words.noInput)
    if (bytes.length > 0 && !process.write(bytes)) {
      throw new RpcError('internal', 'the process does not read its input; retry later')
    }
    if (isLast) process.closeInput()
  }

  async resize(connection: Connection, id: string, size: TerminalSize): Promise<void> {
    const { process } = await this.#find(connection, id)
    if (!process.resize(size)) {
      throw invalid('failed to resize PTY: process is not attached to a PTY')
    }
  }

  async kill(connection: Connection, id: string): Promise<void> {
    const { process } = await this.#find(connection, id)
    process.kill()
  }

  async #launch(
    request: ProcessRequest,
    taps: { readonly stdout: OutputTap; readonly stderr: OutputTap },
  ): Promise<StreamedProcess> {
    const { command, cwd, env, hasInput, terminal } = request
    const onOutput = (stream: 'stdout' | 'stderr', bytes: Buffer): void => {
      const tap = taps[stream]
      const passed = tap.pass(bytes)
      if (passed.length === 0) return
      if (request.onOutput) request.onOutput(stream, passed, tap.isFull)
      else tap.keep(passed)
    }
    const spec = { command, cwd, env, hasInput, onOutput, ...(terminal ? { terminal } : {}) }
    try {
      return await startStreamed(spec, this.#clock)
    } catch (error) {
      if (!(error instanceof ExecError) || error.failure.code !== 'spawn_failed') throw error
      const { reason } = error.failure
      throw new RpcError('internal', `${this.#words.spawnFailed}: ${reason}`, undefined, error)
    }
  }

  async #untilEnd(
    connection: Connection,
    id: string,
    process: StreamedProcess,
    timeoutMs: number | undefined,
    { stdout, stderr }: { readonly stdout: OutputTap; readonly stderr: OutputTap },
  ): Promise<ProcessEnd> {
    using _dies = connection.onClose(() => process.kill())
    const isOverdue = await this.#isOverdue(process, timeoutMs)
    if (isOverdue) process.kill()
    const exitCode = await process.exitCode
    this.#of(connection).delete(id)
    return {
      exitCode: isOverdue ? TIMED_OUT : exitCode,
      stdout: stdout.text(),
      stderr: stderr.text(),
      isStdoutCapped: stdout.isFull,
      isStderrCapped: stderr.isFull,
    }
  }

  async #isOverdue(process: StreamedProcess, timeoutMs: number | undefined): Promise<boolean> {
    if (timeoutMs === undefined) return false
    const timer = new AbortController()
    const ended = process.exitCode.then(() => false)
    const overdue = this.#clock.sleep(timeoutMs, timer.signal).then(
      () => true,
      // Called off: it has ended in time.
      () => false,
    )
    try {
      return await Promise.race([ended, overdue])
    } finally {
      timer.abort()
    }
  }

  async #find(connection: Connection, id: string): Promise<Running> {
    const running = await this.#of(connection).get(id)
    if (running) return running
    throw invalid(this.#words.unknown(id))
  }

  #of(connection: Connection): Map<string, Promise<Running | undefined>> {
    const known = this.#running.get(connection)
    if (known) return known
    const made = new Map<string, Promise<Running | undefined>>()
    this.#running.set(connection, made)
    return made
  }
}

/** One stream of a process, cut off at its cap. */
class OutputTap {
  readonly #cap: number | undefined
  readonly #kept: Buffer[] = []
  #keptBytes = 0
  #passedBytes = 0

  constructor(cap: number | undefined) {
    this.#cap = cap
  }

  /** As 0.133.0 counts: also when the very last byte has filled it. */
  get isFull(): boolean {
    return this.#cap !== undefined && this.#passedBytes >= this.#cap
  }

  /** The part of the bytes that is below the cap. */
  pass(bytes: Buffer): Buffer {
    const room = this.#cap === undefined ? bytes.length : this.#cap - this.#passedBytes
    const passed = bytes.subarray(0, Math.max(0, room))
    this.#passedBytes += passed.length
    return passed
  }

  keep(bytes: Buffer): void {
    const part = bytes.subarray(0, MOST_KEPT_BYTES - this.#keptBytes)
    this.#keptBytes += part.length
    if (part.length > 0) this.#kept.push(part)
  }

  text(): string {
    return Buffer.concat(this.#kept).toString('utf8')
  }
}
