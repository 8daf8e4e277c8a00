/**
 * From what a session tells to what a client of an app server reads: notifications and requests of
 * 0.133.0's protocol. Pure: a view of the thread and an event in, the next view and messages out.
 * Source: `reference/app-server.md` 5, 8–10.
 */
import type { Json, JsonObject } from '../../base/index.ts'
import type {
  ClientRequest,
  ClientRequestKind,
  SessionEvent,
  TokenInfo,
  TokenUsage,
  TurnError,
  TurnItem,
} from '../../protocol/index.ts'

/** A notification, or a request of the server to the client. */
export interface WireMessage {
  readonly method: string
  readonly params: JsonObject
}

/** What of a thread's past its next notification depends on. */
export interface ThreadView {
  readonly threadId: string
  readonly status: JsonObject
  readonly isRunning: boolean
  readonly hasFailed: boolean
  readonly open: ReadonlyMap<string, ClientRequest>
  readonly startedAtS: number | null
}

export function newView(threadId: string): ThreadView {
  const open = new Map<string, ClientRequest>()
  const status = { type: 'idle' }
  return { threadId, status, isRunning: false, hasFailed: false, open, startedAtS: null }
}

export interface Projected {
  readonly view: ThreadView
  readonly messages: readonly WireMessage[]
}

export function projectEvent(view: ThreadView, event: SessionEvent, nowMs: number): Projected {
  const next = nextView(view, event)
  const status = statusOf(next)
  const hasChanged = JSON.stringify(status) !== JSON.stringify(view.status)
  const told: WireMessage[] = hasChanged
    ? [{ method: 'thread/status/changed', params: { threadId: view.threadId, status } }]
    : []
  const messages = messagesOf(next, view, event, nowMs)
  const isBehind = event.type === 'requestResolved'
  const ordered = isBehind ? [...messages, ...told] : [...told, ...messages]
  return { view: { ...next, status }, messages: ordered }
}

function nextView(view: ThreadView, event: SessionEvent): ThreadView {
  switch (event.type) {
    case 'turnStarted':
      return { ...view, isRunning: true, hasFailed: false, startedAtS: event.startedAtS }
    case 'turnCompleted':
      return { ...view, isRunning: false }
    case 'error':
      return event.willRetry ? view : { ...view, isRunning: false, hasFailed: true }
    case 'requestOpened': {
      const open = new Map(view.open).set(event.request.id, event.request)
      return { ...view, open }
    }
    case 'requestResolved': {
      const open = new Map(view.open)
      open.delete(event.requestId)
      return { ...view, open }
    }
    default:
      return view
  }
}

function statusOf({ isRunning, hasFailed, open }: ThreadView): JsonObject {
  // What is open when a turn ends is withdrawn behind its end.
  const asked = [...open.values()].filter(({ turnId }) => isRunning || turnId === null)
  const kinds = new Set(asked.map(({ kind }) => kind))
  const isApproving = ['commandApproval', 'patchApproval', 'elicitation'].some((kind) =>
    kinds.has(kind as ClientRequestKind),
  )
  const activeFlags = [
    ...(isApproving ? ['waitingOnApproval'] : []),
    ...(kinds.has('userInput') ? ['waitingOnUserInput'] : []),
  ]
  if (isRunning || asked.length > 0) return { type: 'active', activeFlags }
  return { type: hasFailed ? 'systemError' : 'idle' }
}

function messagesOf(
  view: ThreadView,
  former: ThreadView,
  event: SessionEvent,
  nowMs: number,
): WireMessage[] {
  const { threadId } = view
  const { turnId } = event
  const about = { threadId, turnId }
  const tell = (method: string, params: JsonObject): WireMessage[] => [{ method, params }]
  switch (event.type) {
    case 'turnStarted':
      return tell('turn/started', { threadId, turn: runningTurn(event.turnId, view.startedAtS) })
    case 'itemStarted':
      return tell('item/started', { item: itemOf(event.item), ...about, startedAtMs: nowMs })
    case 'itemCompleted':
      return tell('item/completed', { item: itemOf(event.item), ...about, completedAtMs: nowMs })
    case 'agentMessageDelta':
      return tell('item/agentMessage/delta', deltaOf(about, event))
    case 'commandOutputDelta':
      return tell('item/commandExecution/outputDelta', deltaOf(about, event))
    case 'reasoningDelta':
      return [reasoningDelta(about, event)]
    case 'reasoningSectionBreak': {
      const { itemId, index: summaryIndex } = event
      return tell('item/reasoning/summaryPartAdded', { ...about, itemId, summaryIndex })
    }
    // The app server tells the settings to the client that has asked, and the size of the rest.
    case 'settingsChanged':
    case 'rolledBack':
      return []
    case 'planUpdated':
      return tell('turn/plan/updated', planOf(about, event))
    case 'tokenCount':
      return event.info
        ? tell('thread/tokenUsage/updated', { ...about, tokenUsage: tokenUsageOf(event.info) })
        : []
    case 'warning':
      return tell('warning', { threadId, message: event.message })
    case 'requestOpened':
      return tell(METHODS[event.request.kind], { ...about, ...requestOf(event.request) })
    case 'requestResolved':
      return former.open.get(event.requestId)?.kind === 'dynamicToolCall'
        ? []
        : tell('serverRequest/resolved', { threadId, requestId: event.requestId })
    case 'turnDiff':
      return tell('turn/diff/updated', { ...about, diff: event.diff })
    case 'mcpServerStatus': {
      const { server: name, status, error } = event
      return tell('mcpServer/startupStatus/updated', { name, status, error })
    }
    case 'error':
      return tell('error', { error: errorOf(event.error), willRetry: event.willRetry, ...about })
    case 'turnCompleted':
      return tell('turn/completed', { threadId, turn: endOf(view, event, nowMs) })
  }
}

const METHODS: { readonly [K in ClientRequestKind]: string } = {
  commandApproval: 'item/commandExecution/requestApproval',
  patchApproval: 'item/fileChange/requestApproval',
  userInput: 'item/tool/requestUserInput',
  dynamicToolCall: 'item/tool/call',
  elicitation: 'mcpServer/elicitation/request',
}

function requestOf(request: ClientRequest): JsonObject {
  if (request.kind === 'patchApproval') return { reason: null, grantRoot: null, ...request.params }
  if (request.kind === 'commandApproval') {
    const { proposedExecpolicyAmendment: words } = request.params
    const forGood = words
      ? [{ acceptWithExecpolicyAmendment: { execpolicy_amendment: words } }]
      : []
    const availableDecisions = ['accept', ...forGood, 'cancel']
    return { ...request.params, availableDecisions } as unknown as JsonObject
  }
  if (request.kind === 'elicitation') {
    const { ask, meta, ...rest } = request.params
    return { ...rest, ...ask, _meta: meta } as unknown as JsonObject
  }
  return { ...request.params } as unknown as JsonObject
}

/** A turn that runs, with no item of it; when it has started is not known when it is asked for. */
export function runningTurn(id: string, startedAtS: number | null = null): JsonObject {
  return {
    id,
    items: [],
    itemsView: 'notLoaded',
    status: 'inProgress',
    error: null,
    startedAt: startedAtS,
    completedAt: null,
    durationMs: null,
  }
}

function endOf(
  { startedAtS }: ThreadView,
  event: Extract<SessionEvent, { type: 'turnCompleted' }>,
  nowMs: number,
): JsonObject {
  return {
    ...runningTurn(event.turnId, startedAtS),
    status: event.status,
    error: event.error && errorOf(event.error),
    completedAt: Math.floor(nowMs / 1000),
    durationMs: event.durationMs,
  }
}

/** As Codex tells it, so without the cause: clients get what they know. */
function errorOf({ message, codexErrorInfo, additionalDetails }: TurnError): JsonObject {
  return { message, codexErrorInfo, additionalDetails }
}

function deltaOf(about: JsonObject, event: { readonly itemId: string; readonly delta: string }) {
  return { ...about, itemId: event.itemId, delta: event.delta }
}

function reasoningDelta(
  about: JsonObject,
  { itemId, kind, index, delta }: Extract<SessionEvent, { type: 'reasoningDelta' }>,
): WireMessage {
  return kind === 'summary'
    ? {
        method: 'item/reasoning/summaryTextDelta',
        params: { ...about, itemId, delta, summaryIndex: index },
      }
    : {
        method: 'item/reasoning/textDelta',
        params: { ...about, itemId, delta, contentIndex: index },
      }
}

function planOf(about: JsonObject, event: Extract<SessionEvent, { type: 'planUpdated' }>) {
  const plan = event.plan.map(({ step, status }) => ({
    step,
    status: status === 'in_progress' ? 'inProgress' : status,
  }))
  return { ...about, explanation: event.explanation, plan }
}

export function tokenUsageOf(info: TokenInfo): Json {
  return {
    total: usageOf(info.total_token_usage),
    last: usageOf(info.last_token_usage),
    modelContextWindow: info.model_context_window,
  }
}

function usageOf(usage: TokenUsage): Json {
  return {
    totalTokens: usage.total_tokens,
    inputTokens: usage.input_tokens,
    cachedInputTokens: usage.cached_input_tokens,
    outputTokens: usage.output_tokens,
    reasoningOutputTokens: usage.reasoning_output_tokens,
  }
}

/** Members that an item has on the wire even where a session does not tell them. */
const ABSENT: { readonly [type: string]: JsonObject } = {
  mcpToolCall: { pluginId: null },
}

/** An item as clients read it, live and read back. */
export function itemOf(item: TurnItem): Json {
  if (item.type === 'webSearch' && item.action?.type === 'search') {
    const action = { query: null, queries: null, ...item.action }
    return { ...item, action } as unknown as Json
  }
  return { ...ABSENT[item.type], ...item } as unknown as Json
}
