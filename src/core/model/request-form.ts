import type { JsonObject } from '../../base/index.ts'
import type { ModelRequest } from './model-client.ts'
import type { ModelProvider } from './provider.ts'

/** Who asks, as the headers of every transport tell it. */
export interface Caller {
  readonly provider: ModelProvider
  /** Name of the client program, for `originator` and `user-agent`. */
  readonly originator: string
  readonly version: string
}

/** Where responses are asked for, with the provider's query. */
export function responsesUrl({ baseUrl, queryParams }: ModelProvider): URL {
  const url = new URL(`${baseUrl}/responses`)
  for (const [name, value] of Object.entries(queryParams)) url.searchParams.set(name, value)
  return url
}

/**
 * What is asked, apart from the input and from what differs between two requests of one kind. The
 * order of the keys, with the input in its place, is that of real Codex.
 */
export function requestBody(
  request: ModelRequest,
  input: Pick<ModelRequest, 'input'> & { readonly previousResponseId?: string },
): JsonObject {
  const text = textControls(request)
  const { previousResponseId } = input
  return {
    model: request.model,
    instructions: request.instructions,
    ...(previousResponseId === undefined ? {} : { previous_response_id: previousResponseId }),
    input: input.input as unknown as JsonObject[],
    tools: [...request.tools],
    tool_choice: 'auto',
    parallel_tool_calls: request.parallelToolCalls,
    reasoning: request.reasoning && { ...request.reasoning },
    store: false,
    stream: true,
    include: request.reasoning ? ['reasoning.encrypted_content'] : [],
    ...(request.serviceTier ? { service_tier: request.serviceTier } : {}),
    prompt_cache_key: request.threadId,
    ...(text ? { text } : {}),
  }
}

function textControls(request: ModelRequest): JsonObject | undefined {
  if (!request.verbosity && !request.outputSchema) return undefined
  return {
    ...(request.verbosity ? { verbosity: request.verbosity } : {}),
    ...(request.outputSchema
      ? {
          format: {
            type: 'json_schema',
            strict: true,
            schema: request.outputSchema,
            name: 'codex_output_schema',
          },
        }
      : {}),
  }
}

/** Headers that name thread, turn and caller; the provider's own win. */
export function callerHeaders(
  request: ModelRequest,
  { provider, originator, version }: Caller,
  more: { readonly [name: string]: string },
): { [name: string]: string } {
  const headers: { [name: string]: string } = {
    'x-codex-turn-metadata': asciiJson(request.turnMetadata),
    'x-codex-window-id': windowId(request),
    'x-client-request-id': request.threadId,
    'session-id': request.sessionId,
    'thread-id': request.threadId,
    ...lineage(request),
    ...more,
    originator: asciiText(originator),
    'user-agent': `${asciiText(originator)}/${version} (${process.platform}; ${process.arch})`,
  }
  if (request.turnState) headers['x-codex-turn-state'] = request.turnState
  if (provider.bearerToken) headers.authorization = `Bearer ${provider.bearerToken.trim()}`
  for (const [name, value] of Object.entries(provider.headers)) headers[name.toLowerCase()] = value
  return headers
}

/** Who asks within a tree of agents; nothing for its root. */
export function lineage({ subagent, parentThreadId }: ModelRequest): { [name: string]: string } {
  return {
    ...(subagent ? { 'x-openai-subagent': asciiText(subagent) } : {}),
    ...(parentThreadId ? { 'x-codex-parent-thread-id': parentThreadId } : {}),
  }
}

export function windowId({ threadId, windowNumber }: ModelRequest): string {
  return `${threadId}:${windowNumber}`
}

/** A client's name may hold anything; a header must not. */
function asciiText(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '_')
}

/** Headers are ASCII: every other character becomes a JSON escape. */
export function asciiJson(value: JsonObject): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
