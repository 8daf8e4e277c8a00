import type { HttpHeaders } from './http-post.ts'

/** What an answer's headers say beside the rate limits: those of a response, or of a handshake. */
export function toldBy(headers: HttpHeaders): { turnState?: string; model?: string } {
  const turnState = headers['x-codex-turn-state']
  const model = headers['openai-model']
  return { ...(turnState ? { turnState } : {}), ...(model ? { model } : {}) }
}
