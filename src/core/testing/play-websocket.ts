import { WebSocket } from 'ws'
import { isObject, type JsonObject } from '../../base/index.ts'
import type { ModelFault } from '../model/script.ts'
import { isDelta, oversizedEvent, type Playing, stepEvents, stopAt } from './play.ts'
import { parseBody } from './recorded-request.ts'

/**
 * Answers with one step, a frame an event. The connection stays open behind it, unless the fault
 * says otherwise.
 */
export async function playWebSocket(socket: WebSocket, playing: Playing): Promise<void> {
  const { step, pause } = playing
  const { fault } = step
  await pause()
  if (fault?.kind === 'status') {
    await send(socket, JSON.stringify(errorFrame(fault)))
    return
  }
  if (fault?.kind === 'garbage') {
    await send(socket, fault.text)
    return
  }
  const events = stepEvents(playing)
  for (const [at, event] of events.slice(0, stopAt(step, events)).entries()) {
    if (isDelta(event) && isDelta(events[at - 1])) await pause()
    await send(socket, JSON.stringify(event))
  }
  if (fault?.kind === 'binary') await send(socket, Buffer.from(fault.bytes))
  if (fault?.kind === 'oversized') await send(socket, oversizedEvent(fault.sizeBytes))
  if (fault?.kind === 'cut') socket.terminate()
  if (fault?.kind === 'close') socket.close(1000)
}

/** What a response with that status would be, on a connection that is open already. */
function errorFrame(fault: Extract<ModelFault, { kind: 'status' }>): JsonObject {
  const body = parseBody(fault.body)
  const error = isObject(body) && isObject(body.error) ? body.error : { message: fault.body }
  const headers = fault.headers ? { headers: { ...fault.headers } } : {}
  return { type: 'error', status: fault.status, error, ...headers }
}

/** Resolves when the bytes are with the kernel, or the client is gone. */
function send(socket: WebSocket, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState !== WebSocket.OPEN) resolve()
    else socket.send(data, () => resolve())
  })
}
