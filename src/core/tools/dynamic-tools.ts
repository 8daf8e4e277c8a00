import { type Clock, isDeeperThan, isObject, type Json, type JsonObject } from '../../base/index.ts'
import { dynamicItem } from '../../history/index.ts'
import {
  type DynamicToolContent,
  type DynamicToolDefinition,
  type DynamicToolResult,
  durationOf,
  type StoredEvent,
  type ToolOutput,
} from '../../protocol/index.ts'
import { requestSchema } from './dynamic-tool-schema.ts'
import { ArgumentsError, JsonReader } from './exec/json-reader.ts'
import { NoAnswer, type Tool, type ToolCall, type ToolContext } from './tool.ts'

/** An answer stays in the conversation, and goes out again with every request. */
const MOST_CONTENT_ITEMS = 1000
const MOST_CONTENT_CHARACTERS = 16 * 1024 * 1024

/** A log line that is nested deeper than 128 levels cannot be read again. */
const MOST_ARGUMENT_LEVELS = 100

type CallEnd = Extract<StoredEvent, { type: 'dynamic_tool_call_response' }>
type Answer = Pick<CallEnd, 'content_items' | 'success' | 'error'>

/**
 * Tools that a client brought along: a call is a question to the clients of the thread. In the
 * order of the definitions, but those of one namespace by name. The definitions have been checked.
 */
export function dynamicTools(definitions: readonly DynamicToolDefinition[], clock: Clock): Tool[] {
  const groups = Map.groupBy(definitions, ({ namespace }) => namespace)
  return [...groups].flatMap(([namespace, group]) => {
    const sorted = namespace === undefined ? group : group.toSorted(byName)
    return sorted.map((definition) => dynamicTool(definition, clock))
  })
}

function byName(a: DynamicToolDefinition, b: DynamicToolDefinition): number {
  return a.name < b.name ? -1 : 1
}

function dynamicTool(definition: DynamicToolDefinition, clock: Clock): Tool {
  const { namespace: group, name, description, inputSchema, deferLoading } = definition
  const parameters = requestSchema(inputSchema)
  const namespace = group && { name: group, description: `Tools in the ${group} namespace.` }
  return {
    ...(namespace ? { namespace } : {}),
    name,
    kind: 'function',
    spec: { type: 'function', name, description, strict: false, parameters },
    isDeferred: deferLoading,
    isParallel: () => false,
    run: (call, context) => runCall({ call, namespace: group ?? null, name, clock }, context),
  }
}

interface DynamicCall {
  readonly call: ToolCall
  readonly namespace: string | null
  readonly name: string
  readonly clock: Clock
}

async function runCall(
  { call, namespace, name, clock }: DynamicCall,
  context: ToolContext,
): Promise<ToolOutput> {
  const { recorder, signal, turnId } = context
  const args = parseArguments(call.input)
  const asked = { callId: call.callId, namespace, tool: name, arguments: args }
  const item = { type: 'dynamicToolCall', id: call.callId, namespace, tool: name } as const
  const open = {
    status: 'inProgress',
    contentItems: null,
    success: null,
    durationMs: null,
  } as const
  recorder.tell({ type: 'itemStarted', turnId, item: { ...item, arguments: args, ...open } })
  const startedAtMs = clock.monotonicMs()
  const end = async (answer: Answer): Promise<void> => {
    const payload: CallEnd = {
      type: 'dynamic_tool_call_response',
      call_id: call.callId,
      turn_id: turnId,
      namespace,
      tool: name,
      arguments: args,
      ...answer,
      duration: durationOf(clock.monotonicMs() - startedAtMs),
    }
    await recorder.complete(turnId, dynamicItem(payload), [{ type: 'event_msg', payload }])
  }
  let answer: Answer
  try {
    answer = checkedAnswer(await context.clients.ask('dynamicToolCall', asked))
  } catch (error) {
    if (signal.aborted) {
      await end({ content_items: [], success: false, error: 'the turn ended before the answer' })
      throw error
    }
    if (!(error instanceof NoAnswer)) throw error
    answer = failure('dynamic tool request failed')
  }
  await end(answer)
  return modelOutput(answer)
}

/** Throws `ArgumentsError`. */
function parseArguments(text: string): Json {
  const reader = new JsonReader(text)
  reader.skipValue()
  reader.expectEnd()
  const value = JSON.parse(text) as Json
  if (isDeeperThan(MOST_ARGUMENT_LEVELS, value))
    throw new ArgumentsError('recursion limit exceeded')
  return value
}

/** What clients answer comes from other programs. */
function checkedAnswer(value: unknown): Answer {
  if (!isResult(value)) return failure('dynamic tool response was invalid')
  const { contentItems, success } = value
  const characters = contentItems.reduce((sum, part) => sum + contentText(part).length, 0)
  if (contentItems.length > MOST_CONTENT_ITEMS || characters > MOST_CONTENT_CHARACTERS) {
    return failure('dynamic tool response was too large')
  }
  return { content_items: contentItems.map(plainContent), success, error: null }
}

function isResult(value: unknown): value is DynamicToolResult {
  return (
    isObject(value) &&
    typeof value.success === 'boolean' &&
    Array.isArray(value.contentItems) &&
    value.contentItems.every(isContent)
  )
}

function isContent(part: Json): boolean {
  if (!isObject(part)) return false
  if (part.type === 'inputText') return typeof part.text === 'string'
  return part.type === 'inputImage' && typeof part.imageUrl === 'string'
}

function contentText(part: DynamicToolContent): string {
  return part.type === 'inputText' ? part.text : part.imageUrl
}

function plainContent(part: DynamicToolContent): DynamicToolContent {
  return part.type === 'inputText'
    ? { type: part.type, text: part.text }
    : { type: part.type, imageUrl: part.imageUrl }
}

function failure(text: string): Answer {
  return { content_items: [{ type: 'inputText', text }], success: false, error: text }
}

/** A text alone is plain text; anything else is a list of parts. */
function modelOutput({ content_items: parts }: Answer): ToolOutput {
  const [first, ...others] = parts
  if (first?.type === 'inputText' && others.length === 0) return first.text
  return parts.map((part): JsonObject => {
    if (part.type === 'inputText') return { type: 'input_text', text: part.text }
    return { type: 'input_image', image_url: part.imageUrl, detail: 'high' }
  })
}
