import type { FetchLike, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { McpError } from './mcp-error.ts'
import { MOST_MESSAGE_BYTES } from './message-lines.ts'
import type { HttpEndpoint } from './server-config.ts'

const NEWLINE = 10

export interface OpenHttpTransport {
  readonly transport: StreamableHTTPClientTransport
  /** Why the server was given up; undefined while it was not. */
  failure(): McpError | undefined
}

/** Throws `McpError` for an address, a token or a header that cannot be used. */
export async function openHttpTransport(
  endpoint: HttpEndpoint,
  environment: NodeJS.ProcessEnv,
): Promise<OpenHttpTransport> {
  if (!URL.canParse(endpoint.url)) throw new McpError('unreachable', 'its url is no URL')
  const headers = requestHeaders(endpoint, environment)
  const { StreamableHTTPClientTransport: HttpTransport } = await import(
    '@modelcontextprotocol/client'
  )
  let failure: McpError | undefined
  const giveUp = () => {
    failure = new McpError('bad_answer', 'the server sent too large a message')
    void transport.close()
    return failure
  }
  const requestInit = { headers }
  const options = { requestInit, fetch: boundedFetch(giveUp) }
  const transport = new HttpTransport(new URL(endpoint.url), options)
  return { transport, failure: () => failure }
}

/** The headers of every request. Throws `McpError`, without the value, for one that is none. */
export function requestHeaders(
  endpoint: HttpEndpoint,
  environment: NodeJS.ProcessEnv,
): { [name: string]: string } {
  const headers: { [name: string]: string } = { ...endpoint.headers }
  for (const [header, variable] of Object.entries(endpoint.envHeaders)) {
    const value = environment[variable]
    if (value) headers[header] = value
  }
  const token = bearerToken(endpoint, environment)
  if (token !== undefined) headers.Authorization = `Bearer ${token}`
  for (const [name, value] of Object.entries(headers)) {
    if (!isHeader(name, value)) throw new McpError('unreachable', `header ${name} cannot be sent`)
  }
  return headers
}

function bearerToken(endpoint: HttpEndpoint, environment: NodeJS.ProcessEnv): string | undefined {
  const { bearerToken: token, bearerTokenEnvVar: variable } = endpoint
  if (token !== undefined || variable === undefined) return token
  const value = environment[variable]
  if (value) return value
  throw new McpError('unreachable', `environment variable ${variable} with its token is not set`)
}

function isHeader(name: string, value: string): boolean {
  try {
    new Headers([[name, value]])
    return true
  } catch {
    // The reason would repeat the value, which may be a secret.
    return false
  }
}

/**
 * `fetch`, whose answers fail when a single message in them is larger than is taken. `giveUp` is
 * called then: whoever reads a stream of events does not tell of its failure.
 */
function boundedFetch(giveUp: () => McpError): FetchLike {
  return async (url, init) => {
    const response = await fetch(url, init)
    if (!response.body) return response
    const isStream = response.headers.get('content-type')?.includes('text/event-stream') ?? false
    const body = response.body.pipeThrough(limitMessages(isStream, giveUp))
    const { status, statusText, headers } = response
    return new Response(body, { status, statusText, headers })
  }
}

/** Counts the bytes of a body, or of each event of a stream of events. */
function limitMessages(
  isStream: boolean,
  giveUp: () => McpError,
): TransformStream<Uint8Array, Uint8Array> {
  let sizeBytes = 0
  let endedInNewline = false
  return new TransformStream({
    transform(chunk, controller) {
      const end = isStream ? lastEventEnd(chunk, endedInNewline) : -1
      sizeBytes = end === -1 ? sizeBytes + chunk.length : chunk.length - end
      endedInNewline = chunk.at(-1) === NEWLINE
      if (sizeBytes <= MOST_MESSAGE_BYTES) controller.enqueue(chunk)
      else controller.error(giveUp())
    },
  })
}

/** Behind the last empty line of `chunk`; -1 when there is none. */
function lastEventEnd(chunk: Uint8Array, endedInNewline: boolean): number {
  for (let at = chunk.lastIndexOf(NEWLINE); at >= 0; at = chunk.lastIndexOf(NEWLINE, at - 1)) {
    const before = chunk[at - 1] === 13 ? at - 2 : at - 1
    if (before < 0 ? endedInNewline : chunk[before] === NEWLINE) return at + 1
    if (at === 0) break
  }
  return -1
}
