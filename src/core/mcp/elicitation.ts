import { isObject, type JsonObject, stringAt } from '../../base/index.ts'
import type { Elicitation } from '../../protocol/index.ts'
import type { SessionSettings } from '../settings.ts'
import { NoAnswer } from '../tools/tool.ts'
import type { McpContext } from './mcp-context.ts'

const MOST_SCHEMA_CHARACTERS = 64 * 1024
const MOST_MESSAGE_CHARACTERS = 16 * 1024
const MOST_URL_CHARACTERS = 8 * 1024

const DECLINED: JsonObject = { action: 'decline' }

/**
 * The answer of a person to what a server asks during a call; a refusal where nobody may or can be
 * asked, and for what cannot be shown. Rejects with the turn's reason when the turn ends.
 */
export async function answerElicitation(
  serverName: string,
  params: JsonObject,
  { clients, settings, signal }: McpContext,
): Promise<JsonObject> {
  const asked = elicitation(serverName, params)
  if (!asked || !mayElicit(settings) || !clients.canAsk('elicitation')) return DECLINED
  try {
    const { action, content } = await clients.ask('elicitation', asked)
    return action === 'accept' ? { action, content: content ?? {} } : { action }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof NoAnswer) return DECLINED
    throw error
  }
}

/** Undefined for one that is malformed or larger than anybody would read. */
function elicitation(serverName: string, params: JsonObject): Elicitation | undefined {
  const message = stringAt(params, 'message') ?? ''
  if (message.length > MOST_MESSAGE_CHARACTERS) return undefined
  const meta = isObject(params._meta) ? params._meta : null
  if (params.mode === 'url') {
    const url = stringAt(params, 'url') ?? ''
    if (url.length > MOST_URL_CHARACTERS || !isWebAddress(url)) return undefined
    return { serverName, message, ask: { mode: 'url', url }, meta }
  }
  const { requestedSchema } = params
  if (!isObject(requestedSchema)) return undefined
  if (JSON.stringify([requestedSchema, meta]).length > MOST_SCHEMA_CHARACTERS) return undefined
  return { serverName, message, ask: { mode: 'form', requestedSchema }, meta }
}

/** A page that a person may be sent to; no file, no script. */
function isWebAddress(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
}

/** Observed: codex 0.133.0. */
function mayElicit({ approvalPolicy }: Pick<SessionSettings, 'approvalPolicy'>): boolean {
  if (!isObject(approvalPolicy)) return approvalPolicy !== 'never'
  const granular = isObject(approvalPolicy.granular) ? approvalPolicy.granular : {}
  return granular.mcp_elicitations !== false
}
