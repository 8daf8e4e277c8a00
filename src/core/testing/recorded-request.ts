import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import { isObject, type Json, type JsonObject } from '../../base/index.ts'

/** What a scripted server was asked, whole. */
export interface RecordedRequest {
  /** Of a frame on a WebSocket: `WEBSOCKET`. */
  readonly method: string
  readonly url: string
  /** Of a frame on a WebSocket: those of its handshake. Names are in lower case. */
  readonly headers: { readonly [name: string]: string }
  /** Parsed JSON; the plain text when it is none; undefined when there was no body. */
  readonly body: Json | undefined
  readonly time: Date
}

/** A `POST …/responses`, or a `response.create` frame: the kinds that take a step of the script. */
export interface RecordedModelRequest extends RecordedRequest {
  readonly body: JsonObject
}

const decompressZstd = promisify(zstdDecompress)

/** Reads the request to its end. */
export async function recordRequest(request: IncomingMessage): Promise<RecordedRequest> {
  const time = new Date()
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const raw = Buffer.concat(chunks)
  const headers = headersOf(request)
  const isZstd = headers['content-encoding'] === 'zstd'
  const text = (isZstd ? await decompressZstd(raw) : raw).toString('utf8')
  const { method = '', url = '' } = request
  return { method, url, headers, body: parseBody(text), time }
}

export function headersOf(request: IncomingMessage): { [name: string]: string } {
  const headers: { [name: string]: string } = {}
  for (const [name, value] of Object.entries(request.headers)) headers[name] = String(value)
  return headers
}

export function parseBody(text: string): Json | undefined {
  if (text === '') return undefined
  try {
    return JSON.parse(text) as Json
  } catch {
    return text // Not JSON: the test sees what was sent.
  }
}

export function isModelRequest(request: RecordedRequest): request is RecordedModelRequest {
  const path = request.url.split('?', 1)[0] ?? ''
  if (!path.endsWith('/responses') || !isObject(request.body)) return false
  return request.method === 'POST' || request.body.type === 'response.create'
}
