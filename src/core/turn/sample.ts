import { randomUUID } from 'node:crypto'
import { stringAt } from '../../base/index.ts'
import {
  messageText,
  type ResponseItem,
  type StoredEvent,
  type ToolOutput,
  type TurnItem,
} from '../../protocol/index.ts'
import { ModelError, type ModelEvent } from '../model/model-client.ts'
import { disconnected } from '../model/model-errors.ts'
import type { ToolCall } from '../tools/tool.ts'
import { buildRequest } from './request.ts'
import { infoOf, remember, type TurnRun, tokenCount } from './turn-run.ts'
import { outputItem, type PendingCall } from './turn-state.ts'

export interface SampleResult {
  /** A tool was called, or the model said that it is not done. */
  readonly needsFollowUp: boolean
  /** Last text of the response. */
  readonly lastMessage: string | null
}

/**
 * One request and its response: items are kept as they are done, tools start at once, and their
 * outputs follow in the order of the calls when the response is complete, or has failed.
 */
export async function sample(run: TurnRun): Promise<SampleResult> {
  let lastMessage: string | null = null
  let hasCalls = false
  let hasNewLimits = false
  let completed: Extract<ModelEvent, { type: 'completed' }> | undefined
  try {
    const { client } = run.services.model
    for await (const event of client.stream(buildRequest(run), run.signal)) {
      await run.opened
      run.signal.throwIfAborted()
      if (event.type === 'completed') completed = event
      else if (event.type === 'itemDone') {
        run.turn.noteFirstToken()
        const call = toolCall(event.item)
        lastMessage = (await keepDone(run, event, call)) ?? lastMessage
        if (call) startCall(run, call)
        hasCalls ||= call !== undefined
      } else if (event.type === 'started' || event.type === 'rateLimits') {
        hasNewLimits = noteAnswer(run, event) || hasNewLimits
      } else tellProgress(run, event)
    }
    if (!completed) throw disconnected('stream closed before response.completed')
  } catch (error) {
    if (error instanceof ModelError) await keepBroken(run, error, hasNewLimits)
    throw error
  }
  await keepOutputs(run, completed)
  run.signal.throwIfAborted()
  return { needsFollowUp: hasCalls || !completed.endTurn, lastMessage }
}

/** What comes with a response but is not of it; true when that holds a snapshot of rate limits. */
function noteAnswer(
  run: TurnRun,
  event: Extract<ModelEvent, { type: 'started' | 'rateLimits' }>,
): boolean {
  if (event.rateLimits) run.session.setRateLimits(event.rateLimits)
  if (event.type === 'started') {
    run.turn.serverState = event.turnState ?? run.turn.serverState
    if (event.model) noteModel(run, event.model)
  }
  return event.rateLimits !== null
}

/** Whoever asked for one model and is answered by another one is told, once a turn. */
function noteModel({ recorder, settings, turn, turnId }: TurnRun, model: string): void {
  const isAsked = model.toLowerCase() === settings.model.toLowerCase()
  if (isAsked || !turn.noteServedBy(model)) return
  const message = `model rerouted: ${settings.model} -> ${model}`
  recorder.tell({ type: 'warning', turnId, message })
}

type Progress = Extract<
  ModelEvent,
  { type: 'textDelta' | 'itemAdded' | 'reasoningDelta' | 'reasoningSectionBreak' }
>

function tellProgress({ recorder, turn, turnId }: TurnRun, event: Progress): void {
  if (event.type === 'itemAdded') {
    const item = shownItem(event.id, event.item)
    if (item) recorder.tell({ type: 'itemStarted', turnId, item })
  } else if (event.type === 'reasoningSectionBreak') recorder.tell({ ...event, turnId })
  else {
    turn.noteFirstToken()
    if (event.type === 'reasoningDelta') recorder.tell({ ...event, turnId })
    else {
      const { itemId, delta } = event
      recorder.tell({ type: 'agentMessageDelta', turnId, itemId, delta })
    }
  }
}

/**
 * What the model had asked for before the stream broke is finished and sent with the retry; what
 * the endpoint said of limits is kept although there is no count.
 */
async function keepBroken(run: TurnRun, error: ModelError, hasNewLimits: boolean): Promise<void> {
  await keepOutputs(run, undefined)
  if (error.rateLimits) run.session.setRateLimits(error.rateLimits)
  if (hasNewLimits || error.rateLimits) await keepTokenCount(run)
  if (error.codexErrorInfo !== 'contextWindowExceeded') return
  run.session.fillWindow(infoOf(run))
  await keepTokenCount(run)
}

async function keepTokenCount(run: TurnRun): Promise<void> {
  await run.opened
  await run.recorder.keep([tokenCount(run)])
  run.recorder.tell({ type: 'tokenCount', turnId: run.turnId, info: run.session.tokenInfo })
}

/** Undefined for kinds that are told by their tool, or not at all. */
function shownItem(id: string, item: ResponseItem): TurnItem | undefined {
  if (item.type === 'message' && item.role === 'assistant') {
    const phase = item.phase ?? null
    return { type: 'agentMessage', id, text: messageText(item), phase, memoryCitation: null }
  }
  if (item.type === 'reasoning') {
    const summary = item.summary.map((part) => part.text)
    return { type: 'reasoning', id, summary, content: item.content?.map(({ text }) => text) ?? [] }
  }
  if (item.type === 'web_search_call') {
    const action = item.action ?? { type: 'other' }
    const query = stringAt(action, 'query') ?? stringAt(action, 'url') ?? ''
    return { type: 'webSearch', id, query, action }
  }
  return undefined
}

/** Keeps a finished item, tells it, and answers its text when it is an assistant's message. */
async function keepItem(run: TurnRun, givenId: string, item: ResponseItem): Promise<string | null> {
  const { recorder, turnId } = run
  const id = givenId || (item.type === 'web_search_call' ? '' : randomUUID())
  const shown = shownItem(id, item)
  if (shown) {
    const events = storedEvents(shown).map((payload) => ({ type: 'event_msg', payload }) as const)
    await recorder.complete(turnId, shown, [...events, ...remember(run, [item])])
    return shown.type === 'agentMessage' ? shown.text : null
  }
  if (item.type !== 'other') await recorder.keep(remember(run, [item]))
  return null
}

/** What the log keeps for readers of events. */
function storedEvents(item: TurnItem): StoredEvent[] {
  if (item.type === 'agentMessage') {
    const { text: message, phase } = item
    return [{ type: 'agent_message', message, phase, memory_citation: null }]
  }
  if (item.type === 'reasoning') {
    return item.summary.map((text) => ({ type: 'agent_reasoning', text }))
  }
  if (item.type !== 'webSearch') return []
  const { id: call_id, query, action } = item
  return [{ type: 'web_search_end', call_id, query, action: action ?? { type: 'other' } }]
}

/** A call is in the log before its tool does anything; one that could not be kept is not run. */
async function keepDone(
  run: TurnRun,
  { id, item }: Extract<ModelEvent, { type: 'itemDone' }>,
  call: ToolCall | undefined,
): Promise<string | null> {
  try {
    return await keepItem(run, id, item)
  } catch (error) {
    if (call) run.turn.addCall(pendingCall(run, call, Promise.resolve(undefined)))
    throw error
  }
}

function startCall(run: TurnRun, call: ToolCall): void {
  const { services, settings, recorder, signal, turn, turnId } = run
  const { clients, interruptTurn, turnDiff } = run
  const keep = (items: readonly ResponseItem[]) => recorder.keep(remember(run, items))
  const told = { turnId, settings, recorder, clients, turnDiff, interruptTurn }
  const context = { ...told, remember: keep, signal }
  turn.addCall(pendingCall(run, call, services.tools.run(call, context)))
}

function pendingCall(
  { signal, turn }: TurnRun,
  call: ToolCall,
  running: Promise<ToolOutput | undefined>,
): PendingCall {
  const pending: PendingCall = {
    callId: call.callId,
    kind: call.kind,
    startedAtMs: turn.monotonicMs,
    settled: undefined,
    output: running.then(
      (output) => {
        pending.settled = output
        return output
      },
      (error: unknown) => {
        if (!signal.aborted) pending.failure = error
        return undefined
      },
    ),
  }
  return pending
}

function toolCall(item: ResponseItem): ToolCall | undefined {
  if (item.type === 'function_call') {
    const { call_id: callId, name, namespace, arguments: input } = item
    return { callId, name, kind: 'function', input, ...(namespace ? { namespace } : {}) }
  }
  if (item.type === 'custom_tool_call') {
    return { callId: item.call_id, name: item.name, kind: 'custom', input: item.input }
  }
  return undefined
}

async function keepOutputs(
  run: TurnRun,
  completed: Extract<ModelEvent, { type: 'completed' }> | undefined,
): Promise<void> {
  const outputs: ResponseItem[] = []
  let isCutOff = false
  const calls = run.turn.takeCalls()
  for (const [index, call] of calls.entries()) {
    const output = await untilAborted(call.output, run.signal)
    if (call.failure !== undefined) {
      // What came in is not lost: the turn's end settles all of them.
      for (const each of calls) run.turn.addCall(each)
      throw call.failure
    }
    if (output === undefined) {
      // Interrupted meanwhile: what is left is for the turn's end to settle.
      for (const left of calls.slice(index)) run.turn.addCall(left)
      isCutOff = true
      break
    }
    outputs.push(outputItem(call, output))
  }
  const lines = remember(run, outputs)
  if (completed) {
    const { contextWindow } = infoOf(run)
    run.session.countTokens(completed.usage, contextWindow)
    if (isCutOff) run.turn.owesCount = true
    else lines.push(tokenCount(run))
  }
  if (lines.length > 0) await run.recorder.keep(lines)
  if (completed) {
    run.recorder.tell({ type: 'tokenCount', turnId: run.turnId, info: run.session.tokenInfo })
    tellDiff(run)
  }
}

/** Told again after each response: whoever has joined meanwhile sees it too. */
function tellDiff({ recorder, turnDiff, turnId }: TurnRun): void {
  const diff = turnDiff.takeUpdate()
  if (diff !== undefined) recorder.tell({ type: 'turnDiff', turnId, diff })
}

/** Undefined once the signal aborts: a tool that does not listen holds nobody up. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const aborted = Promise.withResolvers<undefined>()
  const stop = () => aborted.resolve(undefined)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
