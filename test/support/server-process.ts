import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { WebSocket } from 'ws'
import { isObject, type Json, type JsonObject, objectAt, stringAt } from '../../src/base/index.ts'
import type { Workplace } from './bobbin.ts'

const LIMIT_MS = 30_000

export interface ProcessEnd {
  readonly code: number | null
  readonly signal: string | null
}

/** Texts as they come, and promises of those to come. */
class Heard<T> {
  readonly all: T[] = []
  #waiting: { readonly is: (each: T) => boolean; readonly told: (each: T) => void }[] = []

  push(each: T): void {
    this.all.push(each)
    for (const { is, told } of this.#waiting) if (is(each)) told(each)
    this.#waiting = this.#waiting.filter(({ is }) => !is(each))
  }

  /** The first, past or to come. */
  find(is: (each: T) => boolean): Promise<T> {
    const known = this.all.find(is)
    if (known !== undefined) return Promise.resolve(known)
    return new Promise((told) => this.#waiting.push({ is, told }))
  }
}

/** The client's side of a connection, whatever carries the texts. */
export class RpcPeer {
  readonly #heard = new Heard<JsonObject>()
  readonly #write: (text: string) => void
  #nextId = 1

  constructor(write: (text: string) => void) {
    this.#write = write
  }

  /** Everything that came, in order. */
  get messages(): readonly JsonObject[] {
    return this.#heard.all
  }

  get methods(): (string | undefined)[] {
    return this.messages.map((message) => stringAt(message, 'method'))
  }

  accept(text: string): void {
    const message: unknown = JSON.parse(text)
    assert.ok(isObject(message), 'a message is an object')
    this.#heard.push(message)
  }

  find(is: (message: JsonObject) => boolean): Promise<JsonObject> {
    return this.#heard.find(is)
  }

  /** The answer to the request of this id, as it came. */
  answer(id: Json): Promise<JsonObject> {
    return this.find((message) => message.id === id && message.method === undefined)
  }

  notification(method: string): Promise<JsonObject> {
    return this.find((message) => message.method === method)
  }

  async request(method: string, params: JsonObject = {}): Promise<JsonObject> {
    const id = this.#nextId
    this.#nextId += 1
    this.#write(JSON.stringify({ id, method, params }))
    const answer = await this.answer(id)
    return objectAt(answer, 'result') ?? assert.fail(`${method}: ${JSON.stringify(answer)}`)
  }

  initialize(name = 'lab'): Promise<JsonObject> {
    return this.request('initialize', { clientInfo: { name, version: '0' } })
  }

  /** A new thread with a turn under way. */
  async startTurn(text = 'hello'): Promise<{ readonly threadId: string; readonly turnId: string }> {
    const { thread } = await this.request('thread/start')
    const threadId = isObject(thread) ? (stringAt(thread, 'id') ?? '') : ''
    const input: JsonObject[] = [{ type: 'text', text }]
    const { turn } = await this.request('turn/start', { threadId, input })
    return { threadId, turnId: isObject(turn) ? (stringAt(turn, 'id') ?? '') : '' }
  }
}

/** A `bobbin app-server` of its own; killed when it is disposed. */
export class ServerProcess implements AsyncDisposable {
  /** Speaks over standard input and output. */
  readonly stdio: RpcPeer
  readonly child: ChildProcess
  readonly exited: Promise<ProcessEnd>
  readonly #log = new Heard<string>()
  #stderr = ''
  #unread = ''

  /** After `limitMs` it is killed, so that nothing waits for it for ever. */
  constructor(place: Workplace, args: readonly string[] = [], limitMs = LIMIT_MS) {
    this.child = place.start(['app-server', ...args])
    this.stdio = new RpcPeer((text) => this.write(`${text}\n`))
    this.child.stdin?.on('error', () => undefined)
    this.child.stderr?.on('data', (chunk) => {
      this.#stderr += chunk
      this.#log.push(this.#stderr)
    })
    this.child.stdout?.setEncoding('utf8')
    this.child.stdout?.on('data', (chunk: string) => {
      const lines = (this.#unread + chunk).split('\n')
      this.#unread = lines.pop() ?? ''
      for (const line of lines) this.stdio.accept(line)
    })
    const timer = setTimeout(() => this.child.kill('SIGKILL'), limitMs)
    this.exited = once(this.child, 'close').then(([code, signal]) => {
      clearTimeout(timer)
      return { code, signal }
    })
  }

  /** A server of WebSockets that listens. */
  static async listen(
    place: Workplace,
    args: readonly string[] = [],
    limitMs = LIMIT_MS,
  ): Promise<ServerProcess> {
    const server = new ServerProcess(place, ['--listen', 'ws://127.0.0.1:0', ...args], limitMs)
    await server.logged(/note: .*\n/)
    return server
  }

  get stderr(): string {
    return this.#stderr
  }

  /** `ws://127.0.0.1:PORT`, as the banner says. */
  get url(): string {
    return /listening on: (\S+)/.exec(this.#stderr)?.[1] ?? assert.fail(this.#stderr)
  }

  /** Waits until standard error has it, or the process is gone. */
  async logged(pattern: RegExp): Promise<void> {
    const gone = this.exited.then(() => assert.fail(`no ${pattern} in: ${this.#stderr}`))
    await Promise.race([this.#log.find((text) => pattern.test(text)), gone])
  }

  write(bytes: string | Uint8Array): void {
    this.child.stdin?.write(bytes)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exited
  }
}

/** How an attempt to open a WebSocket ended: the refusal's status and text, or neither. */
export type Opened =
  | { readonly status: number; readonly body: string }
  | { readonly peer: SocketPeer }

export class SocketPeer extends RpcPeer implements AsyncDisposable {
  readonly socket: WebSocket
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>

  private constructor(socket: WebSocket) {
    super((text) => socket.send(text))
    this.socket = socket
    this.closed = new Promise((done) => {
      socket.once('close', (code, reason) => done({ code, reason: `${reason}` }))
    })
    socket.on('message', (data) => this.accept(String(data)))
    // The end of the socket is what tests look at.
    socket.on('error', () => undefined)
  }

  static async open(url: string, headers: { [name: string]: string } = {}): Promise<Opened> {
    const socket = new WebSocket(url, { headers })
    const peer = new SocketPeer(socket)
    const refused = once(socket, 'unexpected-response').then(async ([, response]) => {
      let body = ''
      for await (const chunk of response) body += chunk
      return { status: response.statusCode, body }
    })
    return await Promise.race([once(socket, 'open').then(() => ({ peer })), refused])
  }

  /** Throws when the socket is refused. */
  static async connect(url: string, headers: { [name: string]: string } = {}): Promise<SocketPeer> {
    const opened = await SocketPeer.open(url, headers)
    return 'peer' in opened ? opened.peer : assert.fail(JSON.stringify(opened))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate()
    await this.closed
  }
}

/** What a client has to show to a server with default flags. */
export async function bearerOf(place: Workplace): Promise<{ authorization: string }> {
  const token = await readFile(`${place.home}/app-server-control/ws-token`, 'utf8')
  return { authorization: `Bearer ${token.trim()}` }
}
