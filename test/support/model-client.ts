/** A real client of a model that a server of the test plays, and what it tells of a request. */
import {
  type ModelConnection,
  type ModelEvent,
  type ModelRequest,
  ResponsesClient,
  type ResponsesClientOptions,
} from '../../src/core/index.ts'
import type { ModelFault, ScriptedStep } from '../../src/core/testing/index.ts'
import { TestClock } from './test-clock.ts'

export const THREAD = '01a10000-0000-7000-8000-000000000001'

export const REQUEST: ModelRequest = {
  model: 'gpt-5.4',
  instructions: 'Be brief.',
  input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hi' }] }],
  tools: [{ type: 'function', name: 'look' }],
  parallelToolCalls: true,
  reasoning: { effort: 'medium' },
  threadId: THREAD,
  sessionId: THREAD,
  windowNumber: 2,
  turnMetadata: { turn_id: 't' },
}

/** Tries once, and does not wait long, unless told. */
export function clientOf(
  baseUrl: string,
  provider: Partial<ResponsesClientOptions['provider']> = {},
  options: Omit<ResponsesClientOptions, 'provider'> = {},
): ResponsesClient {
  return new ResponsesClient({
    provider: {
      id: 'mock',
      name: 'mock',
      baseUrl,
      requestMaxRetries: 0,
      streamMaxRetries: 0,
      streamIdleTimeoutMs: 10_000,
      ...provider,
    },
    clock: new TestClock(() => true),
    originator: 'lab',
    version: '1.2.3',
    installationId: async () => 'home-1',
    ...options,
  })
}

export interface Tried {
  readonly events: readonly ModelEvent[]
  readonly error: unknown
}

export async function attempt(
  model: Pick<ModelConnection, 'stream'>,
  { request = REQUEST, signal = new AbortController().signal }: AttemptOptions = {},
): Promise<Tried> {
  const events: ModelEvent[] = []
  try {
    for await (const event of model.stream(request, signal)) events.push(event)
    return { events, error: undefined }
  } catch (error) {
    return { events, error }
  }
}

interface AttemptOptions {
  readonly request?: ModelRequest
  readonly signal?: AbortSignal
}

/** A step of a script that goes wrong. */
export function fault(fault: ModelFault, items: ScriptedStep['items'] = []): ScriptedStep {
  return { items, fault }
}
