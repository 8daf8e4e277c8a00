import type { Clock } from '../base/index.ts'
import { ExecError, type StreamedProcess, startStreamed, type TerminalSize } from '../core/index.ts'
import type { Connection } from './connection.ts'
import { invalid, RpcError } from './protocol/jsonrpc.ts'

const MOST_PROCESSES = 64
/** A name in use, and how 0.133.0 speaks of it. */
export interface ProcessWords {
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
  /** Bytes of each stream that are passed on or kept; undefined: all, up to what one answer holds. */
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
  readonly #running = new WeakMap<Connection, Map<string, Running | undefined>>()

  constructor(clock: Clock, words: ProcessWords) {
    this.#clock = clock
    this.#words = words
  }

  /** Throws when the name is taken or the command cannot be started. */
  async start(
    connection: Connection,
    id: string,
    request: ProcessRequest,
  ): Promise<{ readonly ended: Promise<ProcessEnd> }> {
    const own = this.#of(connection)
    if (own.has(id)) throw invalid(this.#words.duplicate(id))
    if (own.size >= MOST_PROCESSES) {
      throw invalid(`too many active processes: limit is ${MOST_PROCESSES}`)
    }
    // Taken before anything is waited for.
    own.set(id, undefined)
    const stdout = new OutputTap(request.outputBytesCap)
    const stderr = new OutputTap(request.outputBytesCap)
    const taps = { stdout, stderr }
    let process: StreamedProcess
    try {
      process = await startStreamed(
        {
          command: request.command,
          cwd: request.cwd,
          env: request.env,
          hasInput: request.hasInput,
          ...(request.terminal ? { terminal: request.terminal } : {}),
          onOutput: (stream, bytes) => {
            const tap = taps[stream]
            const passed = tap.pass(bytes)
            if (passed.length === 0) return
            if (request.onOutput) request.onOutput(stream, passed, tap.isFull)
            else tap.keep(passed)
          },
        },
        this.#clock,
      )
    } catch (error) {
      own.delete(id)
      if (!(error instanceof ExecError) || error.failure.code !== 'spawn_failed') throw error
      const { reason } = error.failure
      throw new RpcError('internal', `${this.#words.spawnFailed}: ${reason}`, undefined, error)
    }
    own.set(id, { process, hasInput: request.hasInput || request.terminal !== undefined })
    return { ended: this.#untilEnd(connection, id, process, request.timeoutMs, taps) }
  }

  /** Throws when there is none of that name, or its input is closed. */
  write(connection: Connection, id: string, bytes: Buffer, isLast: boolean): void {
    const { process, hasInput } = this.#find(connection, id)
    if (!hasInput) throw invalid(this.#words.noInput)
    if (bytes.length > 0 && !process.write(bytes)) {
      throw new RpcError('internal', 'the process does not read its input; retry later')
    }
    if (isLast) process.closeInput()
  }

  resize(connection: Connection, id: string, size: TerminalSize): void {
    if (!this.#find(connection, id).process.resize(size)) {
      throw invalid('failed to resize PTY: process is not attached to a PTY')
    }
  }

  kill(connection: Connection, id: string): void {
    this.#find(connection, id).process.kill()
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

  #find(connection: Connection, id: string): Running {
    const running = this.#of(connection).get(id)
    if (running) return running
    throw invalid(this.#words.unknown(id))
  }

  #of(connection: Connection): Map<string, Running | undefined> {
    const known = this.#running.get(connection)
    if (known) return known
    const made = new Map<string, Running | undefined>()
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
