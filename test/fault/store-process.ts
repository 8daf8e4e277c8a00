/** The parent's side of `store-worker.ts`. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

const CHILD = join(import.meta.dirname, 'store-worker.ts')

export type Op =
  | 'resume'
  | 'append'
  | 'append three'
  | 'flush'
  | 'close'
  | 'discard'
  | 'create'
  | 'name'
  | 'git'
  | 'archive'
  | 'unarchive'
  | 'fork'
  | 'roll back'
  | 'delete'
  | 'list'
  | 'turns'
  | 'search'
  | 'history'
  | 'end'

export interface Order {
  readonly op: Op
  readonly id: string
  /** Written into what the call appends; one word. */
  readonly tag: string
  /** The id of a fork. */
  readonly to: string
}

export interface Answer {
  /** Of a refusal. */
  readonly code?: string
  readonly message?: string
  readonly holder?: { readonly pid: number | null }
  readonly ids?: readonly string[]
  readonly unreadable?: readonly object[]
  readonly damage?: readonly object[]
  /** When the call that begins or ends a session returned or began; one clock for all. */
  readonly atMs?: number
}

/** A process with a store, which does one order at a time. */
export class StoreProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #waiting: ((answer: Answer | undefined) => void)[] = []
  #unread = ''

  constructor(home: string, client: string) {
    const args = [CHILD, home, client]
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#unread + text).split('\n')
      this.#unread = lines.pop() ?? ''
      for (const line of lines) this.#waiting.shift()?.(JSON.parse(line))
    })
    this.#child.stdin.on('error', () => undefined)
    this.#child.once('close', () => {
      for (const resolve of this.#waiting.splice(0)) resolve(undefined)
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Undefined when the process died before it answered. */
  ask(order: Order): Promise<Answer | undefined> {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const closed = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await closed
  }
}
