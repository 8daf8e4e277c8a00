import type { HttpHeaders } from './http-post.ts'

/** The server answered a handshake with something else than a WebSocket. */
export class HandshakeRefused extends Error {
  override readonly name = 'HandshakeRefused'
  readonly status: number
  readonly headers: HttpHeaders
  readonly body: string

  constructor(status: number, headers: HttpHeaders, body: string) {
    super(`the server refused the WebSocket (${status})`)
    this.status = status
    this.headers = headers
    this.body = body
  }
}
