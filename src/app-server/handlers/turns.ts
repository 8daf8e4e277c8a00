import { resolve } from 'node:path'
import * as z from 'zod/mini'
import { describeJson, errorText, isObject, type Json, type JsonObject } from '../../base/index.ts'
import {
  SessionError,
  type SettingsPatch,
  type ThreadHandle,
  type TurnOptions,
} from '../../core/index.ts'
import {
  parseResponseItem,
  type ResponseItem,
  type TurnId,
  type UserInput,
} from '../../protocol/index.ts'
import { runningTurn } from '../projection/notifications.ts'
import { sandboxOf, threadSettings, userInputOf } from '../projection/settings.ts'
import { invalid, RpcError } from '../protocol/jsonrpc.ts'
import { method, whenGiven } from '../protocol/method.ts'
import { json, jsonObject, optional } from '../protocol/schema.ts'
import {
  approvalPolicy,
  collaborationMode,
  effort,
  reasoningSummary,
  reviewTarget,
  sandboxPolicy,
  userInput,
  type WireUserInput,
} from '../protocol/thread-params.ts'
import { type RequestContext, type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { byThread, loadedThread } from './thread-ids.ts'
import { policyOfProfile } from './thread-settings.ts'

const MOST_INPUT_CHARS = 1_048_576

/** What a turn, or the thread from now on, is to be done with. */
const turnSettings = {
  cwd: optional(z.string()),
  runtimeWorkspaceRoots: optional(z.array(z.string())),
  approvalPolicy: optional(approvalPolicy),
  approvalsReviewer: optional(z.enum(['user', 'auto_review', 'guardian_subagent'])),
  sandboxPolicy: optional(sandboxPolicy),
  permissions: optional(z.string()),
  model: optional(z.string()),
  serviceTier: optional(z.string()),
  effort: optional(effort),
  summary: optional(reasoningSummary),
  collaborationMode: optional(collaborationMode),
  personality: optional(z.enum(['none', 'friendly', 'pragmatic'])),
}

const metadata = optional(z.record(z.string(), z.string()))

const turnStart = method(
  'turn/start',
  () =>
    z.object({
      threadId: z.string(),
      input: z.array(userInput),
      ...turnSettings,
      responsesapiClientMetadata: metadata,
      /** An earlier name of the same, which 0.133.0 passes over. */
      clientMetadata: metadata,
      environments: optional(z.array(json)),
      outputSchema: optional(jsonObject),
    }),
  {
    queueKey: byThread,
    experimental: {
      responsesapiClientMetadata: whenGiven,
      environments: whenGiven,
      runtimeWorkspaceRoots: whenGiven,
      permissions: whenGiven,
      collaborationMode: whenGiven,
    },
  },
)

const turnSteer = method(
  'turn/steer',
  () =>
    z.object({
      threadId: z.string(),
      input: z.array(userInput),
      expectedTurnId: z.string(),
      responsesapiClientMetadata: metadata,
      clientMetadata: metadata,
    }),
  { queueKey: byThread, experimental: { responsesapiClientMetadata: whenGiven } },
)

const turnInterrupt = method(
  'turn/interrupt',
  () => z.object({ threadId: z.string(), turnId: z.string() }),
  { queueKey: byThread },
)

const compactStart = method('thread/compact/start', () => z.object({ threadId: z.string() }), {
  queueKey: byThread,
})

const shellCommand = method(
  'thread/shellCommand',
  () => z.object({ threadId: z.string(), command: z.string() }),
  { queueKey: byThread },
)

const injectItems = method(
  'thread/inject_items',
  () => z.object({ threadId: z.string(), items: z.array(json) }),
  { queueKey: byThread },
)

const settingsUpdate = method(
  'thread/settings/update',
  () => z.object({ threadId: z.string(), ...turnSettings }),
  { queueKey: byThread, experimental: true },
)

const cleanTerminals = method(
  'thread/backgroundTerminals/clean',
  () => z.object({ threadId: z.string() }),
  { queueKey: byThread, experimental: true },
)

const reviewStart = method(
  'review/start',
  () =>
    z.object({
      threadId: z.string(),
      target: reviewTarget,
      delivery: optional(z.enum(['inline', 'detached'])),
    }),
  { queueKey: byThread },
)

/** Source: `reference/app-server.md` 6.8, 6.9, 7. */
export function turnRoutes(context: ServerContext): Route[] {
  return [
    route(turnStart, (params, request) => startTurn(context, params, request)),
    route(turnSteer, async (params) => steerTurn(context, params)),
    route(turnInterrupt, (params, request) => interruptTurn(context, params, request)),
    route(compactStart, ({ threadId }, request) => {
      const handle = loadedThread(context, threadId)
      return begun(context, handle, request, () => handle.compact({ replacesRunning: true }))
    }),
    route(shellCommand, ({ threadId, command }, request) => {
      const handle = loadedThread(context, threadId)
      return begun(context, handle, request, () => handle.runShellCommand(command))
    }),
    route(injectItems, async ({ threadId, items }) => {
      const handle = loadedThread(context, threadId)
      if (items.length === 0) throw invalid('items must not be empty')
      await handle.injectItems(items.map(itemOf))
      return {}
    }),
    route(settingsUpdate, async (params, { after }) => {
      const handle = loadedThread(context, params.threadId)
      const changed = changeSettings(context, handle, params)
      if (changed) await handle.keepSettings()
      if (changed) after(() => tellSettings(context, handle))
      return {}
    }),
    route(cleanTerminals, async ({ threadId }) => {
      await loadedThread(context, threadId).endBackgroundCommands()
      return {}
    }),
    route(reviewStart, (params, request) => startReview(context, params, request)),
  ]
}

/**
 * In a thread where a turn runs, the input goes into that turn, and its id is answered; behind a
 * compaction or a review it waits for their end. No id that is answered vanishes.
 */
async function startTurn(
  context: ServerContext,
  params: z.output<typeof turnStart.params>,
  { after }: RequestContext,
): Promise<JsonObject> {
  const handle = loadedThread(context, params.threadId)
  checkSize(params.input)
  const input = userInputOf(params.input)
  const before = JSON.stringify(threadSettings(handle.settings))
  const patch = patchOf(context, handle, params)
  const options: TurnOptions = {
    settings: patch,
    ...(params.outputSchema ? { outputSchema: params.outputSchema } : {}),
    ...metadataOf(params),
  }
  const feed = context.feedOf(handle)
  using held = feed.hold()
  const active = handle.activeTurn
  const turnId = active
    ? await intoRunning(handle, active.kind === 'regular', input, options, held)
    : await handle.startTurn(input, { ...options, mayBeEmpty: true })
  const hasChanged = JSON.stringify(threadSettings(handle.settings)) !== before
  const release = feed.hold()
  after(() => {
    if (hasChanged) {
      const { threadId } = handle
      feed.tellNow('thread/settings/updated', {
        threadId,
        threadSettings: threadSettings(handle.settings),
      })
    }
    release[Symbol.dispose]()
  })
  return { turn: runningTurn(turnId) }
}

async function intoRunning(
  handle: ThreadHandle,
  isSteerable: boolean,
  input: ReturnType<typeof userInputOf>,
  options: TurnOptions,
  held: Disposable,
): Promise<TurnId> {
  // The turn that runs is not to be silent until this is answered.
  held[Symbol.dispose]()
  if (!isSteerable) return await handle.submitInput(input, options)
  try {
    const { turnId, kept } = handle.steerNow(input, undefined, options)
    carryOver(handle, input, kept)
    return turnId
  } catch (error) {
    if (error instanceof SessionError && error.code === 'no_turn') {
      return await handle.submitInput(input, options)
    }
    throw error
  }
}

/** Input that was taken is not lost when the turn ends before it is kept: the next one has it. */
function carryOver(handle: ThreadHandle, input: UserInput[], kept: Promise<void>): void {
  kept
    .catch(async (error: unknown) => {
      // Who stopped the turn took back what was still to be said in it.
      if (!(error instanceof SessionError) || error.code !== 'turn_over') return
      await handle.submitInput(input)
    })
    .catch((error: unknown) => process.emitWarning(`input was lost: ${errorText(error)}`))
}

function steerTurn(context: ServerContext, params: z.output<typeof turnSteer.params>): JsonObject {
  const handle = loadedThread(context, params.threadId)
  const { expectedTurnId } = params
  if (expectedTurnId === '') throw invalid('expectedTurnId must not be empty')
  checkSize(params.input)
  const input = userInputOf(params.input)
  const options = metadataOf(params)
  try {
    const { turnId, kept } = handle.steerNow(input, expectedTurnId as TurnId, options)
    carryOver(handle, input, kept)
    return { turnId }
  } catch (error) {
    if (!(error instanceof SessionError) || error.code !== 'not_steerable') throw error
    const turnKind = handle.activeTurn?.kind ?? 'review'
    const codexErrorInfo = { activeTurnNotSteerable: { turnKind } }
    throw invalid(error.message, {
      message: error.message,
      codexErrorInfo,
      additionalDetails: null,
    })
  }
}

/** An empty id means whatever runs. */
async function interruptTurn(
  context: ServerContext,
  { threadId, turnId }: z.output<typeof turnInterrupt.params>,
  request: RequestContext,
): Promise<JsonObject> {
  const handle = loadedThread(context, threadId)
  const active = handle.activeTurn
  if (turnId !== '') {
    const lastId = context.feedOf(handle).lastTurnId
    // It has just ended: an error would end the client.
    if (!active && turnId === lastId) return {}
    if (!active) throw invalid('no active turn to interrupt')
    if (active.turnId !== turnId) {
      throw invalid(`expected active turn id ${turnId} but found ${active.turnId}`)
    }
  }
  return await begun(context, handle, request, () => handle.interrupt())
}

/** What the work leads to is told behind the answer. */
async function begun(
  context: ServerContext,
  handle: ThreadHandle,
  { after }: RequestContext,
  work: () => Promise<unknown>,
): Promise<JsonObject> {
  const held = context.feedOf(handle).hold()
  try {
    await work()
  } catch (error) {
    held[Symbol.dispose]()
    throw error
  }
  after(() => held[Symbol.dispose]())
  return {}
}

async function startReview(
  context: ServerContext,
  { threadId, target, delivery }: z.output<typeof reviewStart.params>,
  { connection, after }: RequestContext,
): Promise<JsonObject> {
  const source = loadedThread(context, threadId)
  const wanted = target.type === 'commit' ? { ...target, title: target.title ?? null } : target
  if (delivery !== 'detached') {
    const held = context.feedOf(source).hold()
    try {
      const turnId = await source.startReview(wanted, { replacesRunning: true })
      after(() => held[Symbol.dispose]())
      return { turn: runningTurn(turnId), reviewThreadId: source.threadId }
    } catch (error) {
      held[Symbol.dispose]()
      throw error
    }
  }
  const { handle, turnId } = await context.manager.reviewDetached(source, wanted)
  context.feedOf(handle).subscribe(connection)
  return { turn: runningTurn(turnId), reviewThreadId: handle.threadId }
}

/** Whether something has changed. */
function changeSettings(
  context: ServerContext,
  handle: ThreadHandle,
  params: Parameters<typeof patchOf>[2],
): boolean {
  const before = JSON.stringify(threadSettings(handle.settings))
  handle.updateSettings(patchOf(context, handle, params))
  return JSON.stringify(threadSettings(handle.settings)) !== before
}

function tellSettings(context: ServerContext, handle: ThreadHandle): void {
  const { threadId, settings } = handle
  const params = { threadId, threadSettings: threadSettings(settings) }
  context.feedOf(handle).tell('thread/settings/updated', params)
}

const settings = z.object(turnSettings)

function patchOf(
  context: ServerContext,
  handle: ThreadHandle,
  params: z.output<typeof settings>,
): SettingsPatch {
  if (params.permissions !== undefined && params.sandboxPolicy !== undefined) {
    throw invalid('`permissions` cannot be combined with `sandboxPolicy`')
  }
  const mode = params.collaborationMode?.settings
  const model = mode?.model ?? params.model
  const chosen = mode ? (mode.reasoning_effort ?? params.effort) : params.effort
  const sandbox = params.sandboxPolicy
    ? sandboxOf(params.sandboxPolicy)
    : params.permissions === undefined
      ? undefined
      : policyOfProfile(params.permissions)
  return {
    ...(params.cwd === undefined ? {} : { cwd: resolve(context.cwd, params.cwd) }),
    ...(model === undefined ? {} : { model }),
    ...(params.approvalPolicy === undefined ? {} : { approvalPolicy: params.approvalPolicy }),
    ...(sandbox === undefined ? {} : { permissionProfile: params.permissions ?? null }),
    ...(sandbox === undefined || isSame(sandbox, handle) ? {} : { sandboxPolicy: sandbox }),
    ...(chosen === undefined ? {} : { effort: chosen }),
    ...(params.summary === undefined ? {} : { reasoningSummary: params.summary }),
  }
}

function isSame(policy: object, { settings: { sandboxPolicy: current } }: ThreadHandle): boolean {
  return JSON.stringify(policy) === JSON.stringify(current)
}

/** What the client wants to be told to the model's endpoint; the newer name wins. */
function metadataOf(params: {
  readonly responsesapiClientMetadata?: { [name: string]: string } | undefined
  readonly clientMetadata?: { [name: string]: string } | undefined
}): Pick<TurnOptions, 'clientMetadata'> {
  const { responsesapiClientMetadata: newer, clientMetadata: older } = params
  return newer || older ? { clientMetadata: { ...older, ...newer } } : {}
}

function checkSize(input: readonly WireUserInput[]): void {
  const texts = input.map((part) => (part.type === 'text' ? part.text : ''))
  const actual = texts.reduce((sum, text) => sum + [...text].length, 0)
  if (actual <= MOST_INPUT_CHARS) return
  const message = `Input exceeds the maximum length of ${MOST_INPUT_CHARS} characters.`
  throw new RpcError('invalidParams', message, {
    input_error_code: 'input_too_large',
    max_chars: MOST_INPUT_CHARS,
    actual_chars: actual,
  })
}

function itemOf(value: Json, index: number): ResponseItem {
  const item = isObject(value) ? parseResponseItem(value) : undefined
  if (item) return item
  const what = `items[${index}] is not a valid response item`
  if (!isObject(value)) {
    const found = describeJson(value)
    throw invalid(`${what}: invalid type: ${found}, expected internally tagged enum ResponseItem`)
  }
  throw invalid(value.type === undefined ? `${what}: missing field \`type\`` : what)
}
