import * as z from 'zod/mini'
import { describeJson, isObject, type Json } from '../../base/index.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { method } from '../protocol/method.ts'
import { count, json, optional, taggedUnion, texts } from '../protocol/schema.ts'
import { serdeText } from '../protocol/serde-text.ts'
import { type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { byThread, loadedThread } from './thread-ids.ts'

const approveDenied = method(
  'thread/approveGuardianDeniedAction',
  () => z.object({ threadId: z.string(), event: json }),
  { queueKey: byThread },
)

const text = z.string()
const action = taggedUnion([
  z.object({ type: z.literal('command'), source: text, command: text, cwd: text }),
  z.object({ type: z.literal('execve'), source: text, program: text, argv: texts, cwd: text }),
  z.object({ type: z.literal('apply_patch'), cwd: text, files: texts }),
  z.object({
    type: z.literal('network_access'),
    target: text,
    host: text,
    protocol: text,
    port: count,
  }),
  z.object({
    type: z.literal('mcp_tool_call'),
    server: text,
    tool_name: text,
    connector_id: optional(text),
    connector_name: optional(text),
    tool_title: optional(text),
  }),
  z.object({ type: z.literal('request_permissions'), reason: optional(text), permissions: json }),
])
/** As the rollout spells it; the members that count. */
const assessment = z.object({
  id: text,
  status: z.enum(['in_progress', 'approved', 'denied', 'timed_out', 'aborted']),
  action,
})

/**
 * A person lets something be done after all that a reviewer of Codex's has denied. Bobbin has no
 * such reviewer; a thread of Codex's may have had one. The model is told of the approval.
 * Source: observed, 0.133.0.
 */
export function guardianRoutes(context: ServerContext): Route[] {
  return [
    route(approveDenied, async ({ threadId, event }) => {
      const { status, action: approved } = assessmentOf(event)
      const handle = loadedThread(context, threadId)
      if (status !== 'denied') return {}
      const told = JSON.stringify({ action: approved, outcome: 'allowed' }, null, 2)
      await handle.injectItems([
        {
          type: 'message',
          role: 'developer',
          content: [{ type: 'input_text', text: `${APPROVED}${told}` }],
        },
      ])
      return {}
    }),
  ]
}

/** Throws in the words of 0.133.0. */
function assessmentOf(event: Json): z.output<typeof assessment> {
  const fail = (reason: string) => invalid(`invalid Guardian denial event: ${reason}`)
  if (!isObject(event)) {
    throw fail(`invalid type: ${describeJson(event)}, expected struct GuardianAssessmentEvent`)
  }
  const parsed = assessment.safeParse(event)
  if (!parsed.success) throw fail(serdeText(parsed.error.issues, event))
  return parsed.data
}

const APPROVED = `The user has looked at an action that a reviewer denied, and allows it.

This allows that very action, in the context in which it was asked for. Other actions, also similar
ones, are not allowed by it.

Approved action:
`
