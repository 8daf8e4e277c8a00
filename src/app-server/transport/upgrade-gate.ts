import type { IncomingMessage } from 'node:http'
import { isLoopback } from './listen-url.ts'
import { refuseHeader, type WebSocketAuth } from './websocket-auth.ts'

/** An answer instead of a WebSocket. */
export interface HttpAnswer {
  readonly status: 200 | 400 | 401 | 403 | 405
  readonly body?: string
  readonly headers?: { readonly [name: string]: string }
}

export interface GateRules {
  readonly auth: WebSocketAuth
  /** Address that is listened at: one of loopback is called by names of loopback only. */
  readonly host: string
  /** Web pages that may connect, as `https://host:port`. */
  readonly allowedOrigins: readonly string[]
  readonly nowMs: () => number
}

const HEALTH_PATHS: readonly string[] = ['/readyz', '/healthz']
const HEALTH_VERBS: readonly (string | undefined)[] = ['GET', 'HEAD']

/** Decides over a request; undefined lets it become a WebSocket. */
export type Gate = (request: IncomingMessage) => HttpAnswer | undefined

/**
 * For listeners that other programs and web pages can reach. Pages are told by `Origin`; a page
 * that had its own name point here (DNS rebinding), by `Host`.
 */
export function networkGate({ auth, host, allowedOrigins, nowMs }: GateRules): Gate {
  return (request) => {
    const { origin, authorization } = request.headers
    if (origin !== undefined && !allowedOrigins.includes(origin)) return { status: 403 }
    if (isLoopback(host) && !isLoopbackName(request.headers.host)) return { status: 403 }
    if (HEALTH_PATHS.includes(request.url?.split('?')[0] ?? '')) {
      if (HEALTH_VERBS.includes(request.method)) return { status: 200 }
      return { status: 405, headers: { allow: 'GET,HEAD' } }
    }
    const notUpgraded = refuseHandshake(request)
    if (notUpgraded) return notUpgraded
    const reason = refuseHeader(auth, authorization, nowMs())
    return reason === undefined ? undefined : { status: 401, body: reason }
  }
}

/** What is no handshake of the one version there is. */
export function refuseHandshake({ headers }: IncomingMessage): HttpAnswer | undefined {
  const refuse = (name: string, value: string): HttpAnswer => {
    return { status: 400, body: `${name} header did not include '${value}'` }
  }
  if (!includes(headers.connection, 'upgrade')) return refuse('Connection', 'upgrade')
  if (!includes(headers.upgrade, 'websocket')) return refuse('`Upgrade`', 'websocket')
  const version = headers['sec-websocket-version']
  return version === '13' ? undefined : refuse('`Sec-WebSocket-Version`', '13')
}

function includes(header: string | undefined, word: string): boolean {
  const words = header?.toLowerCase().split(',') ?? []
  return words.some((each) => each.trim() === word)
}

/** The port may be another one: that of a tunnel. */
const HOST = /^(?:\[([^\]]*)\]|([^:]*))(?::\d+)?$/

function isLoopbackName(header: string | undefined): boolean {
  const [, six, name] = HOST.exec(header ?? '') ?? []
  if (six !== undefined) return isLoopback(six)
  return name?.toLowerCase() === 'localhost' || isLoopback(name ?? '')
}
