import { errorText, isObject, type Json, type JsonObject } from '../../base/index.ts'
import type { ToolOutput } from '../../protocol/index.ts'
import { SessionError } from '../errors.ts'
import type { Tool, ToolCall, ToolContext, ToolNamespace } from '../tools/tool.ts'
import { type Outcome, recorded } from './call-record.ts'
import type { ServerTool } from './mcp-client.ts'
import type { McpServer } from './mcp-server.ts'
import { approvalModeOf } from './server-config.ts'
import type { ToolApprovals } from './tool-approval.ts'
import { callResult, failureOutput, resultOutput } from './tool-output.ts'
import { modelSchema } from './tool-schema.ts'

export interface ServerToolParts {
  readonly server: McpServer
  readonly tool: ServerTool
  readonly name: string
  readonly namespace: ToolNamespace
  readonly approvals: ToolApprovals
  /** Goes along with every call. */
  readonly meta: JsonObject
  readonly monotonicMs: () => number
}

/** A tool of an MCP server, as one of the session's. */
export function serverTool(parts: ServerToolParts): Tool {
  const { tool, name, namespace } = parts
  return {
    namespace,
    name,
    kind: 'function',
    spec: {
      type: 'function',
      name,
      description: tool.description,
      strict: false,
      parameters: modelSchema(tool.inputSchema),
    },
    isParallel: () => tool.annotations.readOnlyHint === true,
    run: (call, context) => run(parts, call, context),
  }
}

async function run(
  parts: ServerToolParts,
  call: ToolCall,
  context: ToolContext,
): Promise<ToolOutput> {
  const startedMs = parts.monotonicMs()
  const wallMs = () => parts.monotonicMs() - startedMs
  const read = readArguments(call.input)
  if ('failure' in read) return failureOutput(read.failure, wallMs())
  const { callId } = call
  const { config } = parts.server
  const args = read.value ?? null
  const invocation = { callId, server: config.name, tool: parts.tool.name, arguments: args }
  const outcome = await recorded(invocation, context, () => work(parts, read.value, context))
  return 'failure' in outcome
    ? failureOutput(outcome.failure, wallMs())
    : resultOutput(outcome.result, wallMs())
}

async function work(
  { server, tool, approvals, meta, monotonicMs }: ServerToolParts,
  args: Json | undefined,
  context: ToolContext,
): Promise<Outcome> {
  const mode = approvalModeOf(server.config, tool.name)
  const asked = {
    server: server.config.name,
    tool,
    mode,
    arguments: isObject(args) ? args : {},
  }
  const refusal = await approvals.refusal(asked, context)
  if (refusal !== undefined) return { failure: refusal, durationMs: 0 }
  const startedMs = monotonicMs()
  const durationMs = () => Math.round(monotonicMs() - startedMs)
  try {
    const params = { _meta: meta, name: tool.name, ...argumentsOf(args) }
    const answer = await server.request('tools/call', params, context)
    const result = callResult(answer)
    if (!result) throw new Error('Unexpected response type')
    return { result, durationMs: durationMs() }
  } catch (error) {
    context.signal.throwIfAborted()
    if (error instanceof SessionError) throw error
    const place = `${server.config.name}/${tool.name}`
    const what = `tool call error: tool call failed for \`${place}\``
    const failure = `${what}\n\nCaused by:\n    ${errorText(error)}`
    return { failure, durationMs: durationMs() }
  }
}

/** Undefined for a call without arguments. */
function readArguments(
  input: string,
): { readonly value: Json | undefined } | { readonly failure: string } {
  if (input.trim() === '') return { value: undefined }
  try {
    const value = JSON.parse(input) as Json
    // What is nested deeper than can be written could not be kept either.
    JSON.stringify(value)
    return { value }
  } catch (error) {
    return { failure: `err: ${errorText(error)}` }
  }
}

function argumentsOf(args: Json | undefined): JsonObject {
  if (args === undefined) return {}
  if (isObject(args)) return { arguments: args }
  throw new Error(`MCP tool arguments must be a JSON object, got ${JSON.stringify(args)}`)
}
