import type { ServerResponse } from 'node:http'
import { isDelta, oversizedEvent, type Playing, stepEvents, stopAt } from './play.ts'

/** Answers with one step, as server-sent events. */
export async function playHttp(response: ServerResponse, playing: Playing): Promise<void> {
  const { step, pause } = playing
  const { fault } = step
  if (fault?.kind === 'status') {
    await pause()
    const headers = { 'content-type': 'application/json', ...step.headers, ...fault.headers }
    response.writeHead(fault.status, headers).end(fault.body)
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', ...step.headers })
  response.flushHeaders()
  await pause()
  if (fault?.kind === 'garbage') {
    response.end(fault.text)
    return
  }
  const events = stepEvents(playing)
  for (const [at, event] of events.slice(0, stopAt(step, events)).entries()) {
    if (isDelta(event) && isDelta(events[at - 1])) await pause()
    await write(response, `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  }
  if (fault?.kind === 'binary') await write(response, Buffer.from(fault.bytes))
  if (fault?.kind === 'oversized') {
    await write(response, `data: ${oversizedEvent(fault.sizeBytes)}\n\n`)
  }
  if (fault?.kind === 'stall') return
  if (fault?.kind === 'cut') response.destroy()
  else response.end()
}

/** Resolves when the bytes are with the kernel, or the client is gone. */
function write(response: ServerResponse, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) resolve()
    else response.write(text, () => resolve())
  })
}
