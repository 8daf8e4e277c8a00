import type { Clock } from '../../base/index.ts'
import {
  type ExecAnswer,
  type ProcessExit,
  ProcessManager,
  type StartRequest,
  shellEnvironment,
  type UserShell,
  userShell,
  type WriteRequest,
} from './exec/index.ts'
import type { Confined, ConfineRequest, Sandbox } from './sandbox/index.ts'

/** How long a killed command may take to be gone. */
const KILL_GRACE_MS = 1000

/** What a command runs in. */
export type Box = Pick<ConfineRequest, 'policy' | 'cwd'> & { readonly sandbox: Sandbox }

export interface RunCommand extends Omit<StartRequest, 'env' | 'onExit' | 'onAbort'> {
  /** Left out: the command has the rights of this process. */
  readonly box?: Box
  readonly extraEnv?: { readonly [name: string]: string }
  /** Keeps and tells the command's end; an answer that tells of the end waits for it. */
  readonly onEnd: (exit: ProcessExit) => Promise<void>
}

export type RunToEnd = Pick<RunCommand, 'command' | 'cwd' | 'onSpawn' | 'onOutput' | 'onEnd'> & {
  readonly signal: AbortSignal
}

const UNCONFINED: Pick<Confined, 'env' | 'release'> = { env: {}, release: () => undefined }

/** The commands of one session, in the user's shell and environment. */
export class CommandRunner implements AsyncDisposable {
  readonly shell: UserShell
  readonly #environment: { readonly [name: string]: string }
  readonly #processes: ProcessManager
  readonly #clock: Clock
  /** By session id: settles when the end of that process has been kept and told. */
  readonly #ends = new Map<number, Promise<void>>()
  /** Those that have not ended. */
  readonly #confined = new Set<Pick<Confined, 'release'>>()
  /** Ends being kept. */
  readonly #keeping = new Set<Promise<void>>()

  constructor(environment: NodeJS.ProcessEnv, threadId: string, clock: Clock) {
    this.shell = userShell(environment)
    this.#environment = shellEnvironment(environment, threadId)
    this.#clock = clock
    this.#processes = new ProcessManager({ clock })
  }

  /**
   * An abort kills the command with its children, and its end is told before this rejects.
   * Throws `ExecError`, `SandboxError`, or what `onEnd` throws.
   */
  async start({ onEnd, box, extraEnv, ...request }: RunCommand): Promise<ExecAnswer> {
    const confined = await this.#confine(request, box)
    const end = Promise.withResolvers<void>()
    let sessionId: number | undefined
    const onSpawn = (id: number) => {
      sessionId = id
      this.#follow(id, end.promise)
      request.onSpawn?.(id)
    }
    const onExit = (exit: ProcessExit) => {
      this.#release(confined)
      end.resolve(this.#whileKeeping(onEnd(exit)))
    }
    const { command } = confined
    const env = { ...this.#environment, ...extraEnv, ...confined.env }
    try {
      const whole = { ...request, command, env, onAbort: 'kill', onSpawn, onExit } as const
      return await this.#told(await this.#processes.start(whole), sessionId)
    } catch (error) {
      if (sessionId === undefined) this.#release(confined)
      else if (request.signal?.aborted) await this.#killed(sessionId)
      throw error
    }
  }

  /**
   * Runs a command to its end, however long that takes; returns when the end has been kept. An
   * abort kills it with its children. Throws `ExecError`, what `onEnd` throws, and the signal's
   * reason when nothing was started.
   */
  async runToEnd({ signal, ...request }: RunToEnd): Promise<void> {
    const ended = Promise.withResolvers<void>()
    let sessionId: number | undefined
    const onSpawn = (id: number) => {
      sessionId = id
      request.onSpawn?.(id)
    }
    const onEnd = (exit: ProcessExit) => {
      const keeping = request.onEnd(exit)
      keeping.then(ended.resolve, ended.reject)
      return keeping
    }
    const kill = () => sessionId !== undefined && this.#processes.terminate(sessionId)
    signal.addEventListener('abort', kill, { once: true })
    try {
      await this.start({ ...request, isTty: false, signal, onSpawn, onEnd })
      if (signal.aborted) kill()
    } catch (error) {
      if (!signal.aborted || sessionId === undefined) throw error
    }
    await ended.promise.finally(() => signal.removeEventListener('abort', kill))
  }

  /** Throws `ExecError`, or what the process's `onEnd` throws. */
  async write(request: WriteRequest): Promise<ExecAnswer> {
    return this.#told(await this.#processes.write(request), request.sessionId)
  }

  /** Kills what runs, with its children; more can be started. */
  async endAll(): Promise<void> {
    await this.#processes.terminateAll()
  }

  /** Kills what still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#processes[Symbol.asyncDispose]()
    await Promise.allSettled(this.#keeping)
    for (const confined of [...this.#confined]) this.#release(confined)
  }

  async #confine(
    { command, isTty }: Pick<StartRequest, 'command' | 'isTty'>,
    box: Box | undefined,
  ): Promise<Confined> {
    if (!box) return { command, ...UNCONFINED }
    const { sandbox, ...walls } = box
    const confined = await sandbox.confine({ ...walls, command, isTty })
    this.#confined.add(confined)
    return confined
  }

  #release(confined: Pick<Confined, 'release'>): void {
    if (this.#confined.delete(confined)) confined.release()
  }

  #follow(sessionId: number, end: Promise<void>): void {
    this.#ends.set(sessionId, end)
    // A process in the background may have nobody who waits. An end that could not be kept stays
    // queued in the store, and whoever keeps something next hears of the failure.
    end.catch(() => undefined)
  }

  #whileKeeping(work: Promise<void>): Promise<void> {
    const keeping = work.finally(() => this.#keeping.delete(keeping))
    this.#keeping.add(keeping)
    return keeping
  }

  /** The answer, once the end that it tells of has been kept. */
  async #told(answer: ExecAnswer, sessionId: number | undefined): Promise<ExecAnswer> {
    if (answer.exitCode === undefined || sessionId === undefined) return answer
    const end = this.#ends.get(sessionId)
    this.#ends.delete(sessionId)
    await end
    return answer
  }

  async #killed(sessionId: number): Promise<void> {
    const grace = new AbortController()
    // A rejection of either is as good as its end here: the call's own error is thrown.
    const quietly = (work: Promise<void> | undefined) => work?.catch(() => undefined)
    const slept = quietly(this.#clock.sleep(KILL_GRACE_MS, grace.signal))
    await Promise.race([quietly(this.#ends.get(sessionId)), slept])
    this.#ends.delete(sessionId)
    grace.abort()
  }
}
