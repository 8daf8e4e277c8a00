/** The parent's side of `peer-worker.ts`. */
import assert from 'node:assert/strict'
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { ClientPort, Wire } from '../../src/app-server/index.ts'
import { KitClient } from './app-server-kit.ts'

const CHILD = join(import.meta.dirname, 'peer-worker.ts')

/** Another Bobbin of the home, and a way in for any number of clients. */
export class PeerProcess implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #wires: Wire[] = []
  readonly #ready = Promise.withResolvers<void>()
  #unread = ''

  private constructor(home: string, project: string, name: string) {
    const args = [CHILD, home, project, name]
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => this.#take(text))
    // It may be dead when a client still speaks.
    this.#child.stdin.on('error', () => undefined)
  }

  static async start(place: { home: string; project: string }, name: string) {
    const peer = new PeerProcess(place.home, place.project, name)
    await peer.#ready.promise
    return peer
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  connect(wire: Wire): ClientPort {
    const client = this.#wires.push(wire) - 1
    const send = (line: object) => this.#child.stdin.write(`${JSON.stringify(line)}\n`)
    return {
      receive: (text) => send({ client, message: JSON.parse(text) }),
      refuse: (reason) => assert.fail(reason),
      close: () => send({ client }),
    }
  }

  async client(): Promise<KitClient> {
    const client = new KitClient(this)
    await client.initialize()
    return client
  }

  /** Sends a signal that does not end it. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(name)
  }

  async kill(): Promise<void> {
    await this.#ended(() => this.#child.kill('SIGKILL'))
  }

  /** Asks it to end, and waits for that. */
  async end(): Promise<void> {
    await this.#ended(() => this.#child.stdin.end())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  async #ended(how: () => void): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const closed = once(this.#child, 'close')
    how()
    await closed
  }

  #take(text: string): void {
    const lines = (this.#unread + text).split('\n')
    this.#unread = lines.pop() ?? ''
    for (const line of lines) {
      const { client, message } = JSON.parse(line)
      if (client === undefined) this.#ready.resolve()
      else this.#wires[client]?.send(JSON.stringify(message))
    }
  }
}
