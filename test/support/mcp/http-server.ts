/** The tool server over streamable HTTP on loopback. Disposing it destroys all sockets. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server'
import { toolServer } from './tool-server.ts'

export class HttpToolServer implements AsyncDisposable {
  /** Headers of all requests, in their order. */
  readonly headers: { readonly [name: string]: string | undefined }[] = []
  readonly methods: string[] = []
  readonly #sessions = new Map<string, WebStandardStreamableHTTPServerTransport>()
  readonly #server: Server
  /** Answers every further request with this status instead. */
  refuseWith: number | undefined
  /** Sends such an answer to every call of a tool. */
  floodWith: 'json' | 'events' | undefined

  readonly #pageSize: number | undefined

  private constructor(pageSize: number | undefined) {
    this.#pageSize = pageSize
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy())
    })
  }

  /** `pageSize`: tools of one page of the list. */
  static async start(pageSize?: number): Promise<HttpToolServer> {
    const server = new HttpToolServer(pageSize)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get url(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('not listening')
    return `http://127.0.0.1:${address.port}/mcp`
  }

  /** As after a restart: nobody knows the sessions any more. */
  forgetSessions(): void {
    this.#sessions.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.headers.push(request.headers as HttpToolServer['headers'][number])
    this.methods.push(request.method ?? '')
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString('utf8')
    if (this.refuseWith !== undefined) {
      response.writeHead(this.refuseWith).end('no')
      return
    }
    if (this.floodWith && body.includes('"tools/call"')) return flood(response, this.floodWith)
    const answer = await this.#handle(request, body)
    response.writeHead(answer.status, Object.fromEntries(answer.headers))
    response.flushHeaders()
    for await (const chunk of answer.body ?? []) response.write(chunk)
    response.end()
  }

  async #handle(request: IncomingMessage, body: string): Promise<Response> {
    const { method = 'GET', headers, url } = request
    const id = String(headers['mcp-session-id'] ?? '')
    const transport = id === '' ? await this.#open() : this.#sessions.get(id)
    if (!transport) return new Response('no such session', { status: 404 })
    const known = Object.entries(headers).filter((each) => typeof each[1] === 'string')
    const init = { method, headers: known as [string, string][] }
    const hasBody = method === 'POST'
    const asked = new Request(`http://127.0.0.1${url}`, hasBody ? { ...init, body } : init)
    return await transport.handleRequest(asked)
  }

  async #open(): Promise<WebStandardStreamableHTTPServerTransport> {
    const transport: WebStandardStreamableHTTPServerTransport =
      new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(),
        onsessioninitialized: (id) => void this.#sessions.set(id, transport),
      })
    await toolServer(this.#pageSize).connect(transport)
    return transport
  }
}

function flood(response: ServerResponse, form: 'json' | 'events'): void {
  const type = form === 'json' ? 'application/json' : 'text/event-stream'
  response.writeHead(200, { 'content-type': type })
  const piece = form === 'json' ? ' '.repeat(1024 * 1024) : `data: ${'x'.repeat(1024 * 1024)}\n`
  const more = (): void => {
    while (!response.destroyed && response.write(piece));
    response.once('drain', more)
  }
  more()
}
