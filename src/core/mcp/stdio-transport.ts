import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client'
import { type Clock, errorText } from '../../base/index.ts'
import { killGroup, killTrees } from '../tools/exec/index.ts'
import { McpError } from './mcp-error.ts'
import { MessageLines, MOST_MESSAGE_BYTES } from './message-lines.ts'
import type { StdioEndpoint } from './server-config.ts'

/** How long a server may take to end by itself; then it is killed. */
const TERMINATE_GRACE_MS = 1000
/** How long the last output of a process that has ended may take to arrive. */
const DRAIN_GRACE_MS = 50
/** A server that asks much and reads nothing is given up. */
const MOST_UNREAD_BYTES = 2 * MOST_MESSAGE_BYTES
/** Last words of a server that are kept for the report of its failure. */
const KEPT_STDERR_BYTES = 4096

/** Observed: codex 0.133.0. */
const INHERITED = [
  'HOME',
  'LOGNAME',
  'PATH',
  'SHELL',
  'USER',
  '__CF_USER_TEXT_ENCODING',
  'LANG',
  'LC_ALL',
  'TERM',
  'TMPDIR',
  'TZ',
]

/** A few harmless variables, those that the configuration hands on, and those that it sets. */
export function serverEnvironment(
  { env, envVars }: Pick<StdioEndpoint, 'env' | 'envVars'>,
  environment: NodeJS.ProcessEnv,
): { [name: string]: string } {
  const handedOn: { [name: string]: string } = {}
  for (const name of [...INHERITED, ...envVars]) {
    const value = environment[name]
    if (value !== undefined) handedOn[name] = value
  }
  return { ...handedOn, ...env }
}

export interface StdioTransportOptions {
  readonly endpoint: StdioEndpoint
  /** Where the server runs unless it is configured otherwise. */
  readonly cwd: string
  readonly environment: NodeJS.ProcessEnv
  readonly clock: Clock
}

/**
 * A server as a child process that leads its own session: closing ends it with all that it has
 * started, in bounded time. What it says beside the protocol is read and dropped.
 */
export class StdioTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: Transport['onmessage']
  readonly #options: StdioTransportOptions
  #child: ChildProcessWithoutNullStreams | undefined
  #exited: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #stderr = Buffer.alloc(0)
  #failure: McpError | undefined

  constructor(options: StdioTransportOptions) {
    this.#options = options
  }

  /** Why the server was given up, where it was not simply gone. */
  get failure(): McpError | undefined {
    return this.#failure
  }

  /** The last line that the server said about its trouble; empty when it said nothing. */
  get lastWords(): string {
    return this.#stderr.toString('utf8').trim().split('\n').at(-1)?.trim() ?? ''
  }

  async start(): Promise<void> {
    const { endpoint, environment } = this.#options
    const child = spawn(endpoint.command, [...endpoint.args], {
      cwd: endpoint.cwd ?? this.#options.cwd,
      env: serverEnvironment(endpoint, environment),
      detached: true,
      stdio: 'pipe',
    })
    // A broken pipe shows as the end of the process, or of its output.
    child.stdin.on('error', () => undefined)
    // What keeps it from starting is caught below; there is nothing to do about the rest.
    child.on('error', () => undefined)
    // Closing may come before the process has told that it runs.
    this.#child = child
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()))
    try {
      await once(child, 'spawn')
    } catch (error) {
      throw new McpError('unreachable', errorText(error), error)
    }
    this.#follow(child)
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const input = this.#child?.stdin
    if (!input?.writable) throw new McpError('disconnected', 'Transport closed')
    if (input.writableLength > MOST_UNREAD_BYTES) {
      this.#giveUp(new McpError('bad_answer', 'the server does not read what it is sent'))
      throw new McpError('disconnected', 'Transport closed')
    }
    if (input.write(`${JSON.stringify(message)}\n`)) return
    // A server that no longer reads: its process may end while we wait.
    await Promise.race([once(input, 'drain'), this.#exited])
  }

  /** Idempotent. Asks the server to end, and kills what is left of it. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  #follow(child: ChildProcessWithoutNullStreams): void {
    const lines = new MessageLines()
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        for (const message of lines.push(chunk)) this.onmessage?.(message as JSONRPCMessage)
      } catch (error) {
        child.stdout.destroy()
        const isOurs = error instanceof McpError
        this.#giveUp(isOurs ? error : new McpError('bad_answer', errorText(error), error))
      }
    })
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = Buffer.concat([this.#stderr, chunk]).subarray(-KEPT_STDERR_BYTES)
    })
    for (const stream of [child.stdout, child.stderr]) stream.on('error', () => undefined)
    child.stdout.once('end', () => this.#giveUp())
    child.once('exit', () => this.#giveUp())
  }

  #giveUp(failure?: McpError): void {
    this.#failure ??= failure
    this.close().catch((error: unknown) => this.onerror?.(new Error(errorText(error))))
  }

  async #end(): Promise<void> {
    const child = this.#child
    if (child?.pid !== undefined) {
      const drained = finished(child.stdout).catch(() => undefined)
      child.stdin.end()
      signalGroup(child.pid)
      await this.#within(TERMINATE_GRACE_MS, this.#exited)
      killTrees([child.pid])
      killGroup(child.pid)
      await this.#within(DRAIN_GRACE_MS, drained)
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
      // One that has changed its user cannot be killed.
      await this.#within(TERMINATE_GRACE_MS, this.#exited)
    }
    this.onclose?.()
  }

  async #within(ms: number, work: Promise<unknown> | undefined): Promise<void> {
    const grace = new AbortController()
    const waited = this.#options.clock.sleep(ms, grace.signal)
    // Aborting the wait, which nobody needs any more, rejects it.
    await Promise.race([work, waited.catch(() => undefined)])
    grace.abort()
  }
}

function signalGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGTERM')
  } catch {
    // It is gone already, or has changed its user: what is left is killed next.
  }
}
