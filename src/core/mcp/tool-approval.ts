import type { Json, JsonObject } from '../../base/index.ts'
import type { Elicitation } from '../../protocol/index.ts'
import type { SessionSettings } from '../settings.ts'
import { NoAnswer, type ToolContext } from '../tools/tool.ts'
import type { ServerTool } from './mcp-client.ts'
import type { ToolApprovalMode } from './server-config.ts'

const REJECTED = 'user rejected MCP tool call'
const CANCELLED = 'user cancelled MCP tool call'

export interface ApprovalCase {
  readonly server: string
  readonly tool: ServerTool
  readonly mode: ToolApprovalMode
  readonly arguments: JsonObject
}

/** Asks a person whether a tool may run, and remembers what they allow for the session. */
export class ToolApprovals {
  readonly #allowed = new Set<string>()

  /**
   * Why the tool may not run, in words for the model; undefined when it may. Where nobody can be
   * asked, that counts as cancelled. Rejects with the turn's reason when it ends. Observed: codex
   * 0.133.0.
   */
  async refusal(asked: ApprovalCase, context: ToolContext): Promise<string | undefined> {
    const { clients, settings, signal } = context
    const key = JSON.stringify([asked.server, asked.tool.name])
    if (!needsConsent(asked, settings) || this.#allowed.has(key)) return undefined
    if (!clients.canAsk('elicitation')) return CANCELLED
    try {
      const { action, meta } = await clients.ask('elicitation', question(asked))
      if (action !== 'accept') return action === 'decline' ? REJECTED : CANCELLED
      const isForSession = meta?.persist === 'session' || meta?.persist === 'always'
      if (isForSession && mayBeRemembered(asked)) this.#allowed.add(key)
      return undefined
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof NoAnswer) return REJECTED
      throw error
    }
  }
}

function needsConsent({ mode, tool }: ApprovalCase, settings: SessionSettings): boolean {
  const { approvalPolicy, sandboxPolicy } = settings
  if (mode === 'approve') return false
  const isUnconfined =
    sandboxPolicy.type === 'danger-full-access' || sandboxPolicy.type === 'external-sandbox'
  if (approvalPolicy === 'never' && isUnconfined) return false
  return mode === 'prompt' || mayDoHarm(tool.annotations)
}

/** What a server does not say of its tool is taken for the worse. */
export function mayDoHarm(annotations: JsonObject): boolean {
  const { destructiveHint, readOnlyHint, openWorldHint } = annotations
  if (destructiveHint === true) return true
  if (readOnlyHint === true) return false
  return destructiveHint !== false || openWorldHint !== false
}

/** A tool that is configured to ask is asked for every time. */
function mayBeRemembered({ mode }: ApprovalCase): boolean {
  return mode === 'auto'
}

function question(asked: ApprovalCase): Elicitation {
  const { server, tool } = asked
  return {
    serverName: server,
    message: `Allow the ${server} MCP server to run tool "${tool.name}"?`,
    ask: { mode: 'form', requestedSchema: { type: 'object', properties: {} } },
    meta: {
      codex_approval_kind: 'mcp_tool_call',
      ...(mayBeRemembered(asked) ? { persist: ['session', 'always'] } : {}),
      ...(tool.title === undefined ? {} : { tool_title: tool.title }),
      ...(tool.description === '' ? {} : { tool_description: tool.description }),
      tool_params: asked.arguments,
      tool_params_display: shownArguments(asked.arguments),
    },
  }
}

function shownArguments(values: JsonObject): JsonObject[] {
  const names = Object.keys(values).sort()
  return names.map((name): { [key: string]: Json } => {
    return { name, value: values[name] ?? null, display_name: name }
  })
}
