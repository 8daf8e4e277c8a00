import * as z from 'zod/mini'
import type { ClientAnswer, ClientRequestKind } from '../../protocol/index.ts'
import { json, jsonObject, texts } from '../protocol/schema.ts'
import type { ClientReply } from '../server-requests.ts'

const patchDecision = z.enum(['accept', 'acceptForSession', 'decline', 'cancel'])
const commandDecision = z.union([
  patchDecision,
  z.object({ acceptWithExecpolicyAmendment: z.object({ execpolicy_amendment: texts }) }),
])
const content = z.discriminatedUnion('type', [
  z.object({ type: z.literal('inputText'), text: z.string() }),
  z.object({ type: z.literal('inputImage'), imageUrl: z.string() }),
])
const toolResult = z.object({ contentItems: z.array(content), success: z.boolean() })
const answers = z.object({ answers: z.record(z.string(), z.object({ answers: texts })) })
const elicitation = z.object({
  action: z.enum(['accept', 'decline', 'cancel']),
  content: z.nullish(jsonObject),
  _meta: z.nullish(jsonObject),
})

const UNREADABLE_TOOL_RESULT = 'dynamic tool response was invalid'

/**
 * What a client's answer means. One that cannot be read is a refusal, or says nothing; a client
 * that answers with an error has no answer to a tool call. Source: `reference/app-server.md` 8.
 */
export const readReply: {
  readonly [K in ClientRequestKind]: (reply: ClientReply) => ClientAnswer<K>
} = {
  commandApproval: (reply) =>
    parsed(z.object({ decision: commandDecision }), reply)?.decision ?? 'decline',
  patchApproval: (reply) =>
    parsed(z.object({ decision: patchDecision }), reply)?.decision ?? 'decline',
  userInput: (reply) => parsed(answers, reply) ?? { answers: {} },
  dynamicToolCall: (reply) => {
    if ('error' in reply) throw new Error('the client answered with an error')
    const text = UNREADABLE_TOOL_RESULT
    const unreadable = { contentItems: [{ type: 'inputText', text } as const], success: false }
    return parsed(toolResult, reply) ?? unreadable
  },
  elicitation: (reply) => {
    const answer = parsed(elicitation, reply)
    if (!answer) return { action: 'decline', content: null }
    return { action: answer.action, content: answer.content ?? null, meta: answer._meta ?? null }
  },
}

function parsed<T extends z.ZodMiniType>(schema: T, reply: ClientReply): z.output<T> | undefined {
  const result = json.safeParse('result' in reply ? reply.result : undefined)
  return result.success ? schema.safeParse(result.data).data : undefined
}
