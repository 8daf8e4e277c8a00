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

export interface RunCommand extends Omit<StartRequest, 'env' | 'onExit' | 'onAbort'> {
  /** Keeps and tells the command's end; an answer that tells of the end waits for it. */
  readonly onEnd: (exit: ProcessExit) => Promise<void>
}

/** The commands of one session, in the user's shell and environment. */
export class CommandRunner implements AsyncDisposable {
  readonly shell: UserShell
  readonly #environment: { readonly [name: string]: string }
  readonly #processes: ProcessManager
  /** Ends being kept; a process that goes on in the background has none yet. */
  readonly #ends = new Set<Promise<void>>()
  readonly #failures: unknown[] = []

  constructor(environment: NodeJS.ProcessEnv, threadId: string, clock: Clock) {
    this.shell = userShell(environment)
    this.#environment = shellEnvironment(environment, threadId)
    this.#processes = new ProcessManager({ clock })
  }

  /** An abort kills the command with its children. Throws `ExecError`, or what `onEnd` throws. */
  async start({ onEnd, ...request }: RunCommand): Promise<ExecAnswer> {
    const onExit = (exit: ProcessExit) => this.#follow(onEnd(exit))
    try {
      const env = this.#environment
      return await this.#processes.start({ ...request, env, onAbort: 'kill', onExit })
    } finally {
      await this.#settle()
    }
  }

  /** Throws `ExecError`, or what the process's `onEnd` throws. */
  async write(request: WriteRequest): Promise<ExecAnswer> {
    try {
      return await this.#processes.write(request)
    } finally {
      await this.#settle()
    }
  }

  /** Kills what still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#processes[Symbol.asyncDispose]()
    await Promise.all(this.#ends)
  }

  #follow(end: Promise<void>): void {
    const followed = end
      .catch((error: unknown) => {
        this.#failures.push(error)
      })
      .finally(() => this.#ends.delete(followed))
    this.#ends.add(followed)
  }

  /** Waits for the ends that are being kept: none is told after the answer it belongs to. */
  async #settle(): Promise<void> {
    await Promise.all(this.#ends)
    if (this.#failures.length > 0) throw this.#failures.shift()
  }
}
