import {
  aCount,
  aFlag,
  aFunction,
  anAbortSignal,
  anAbsolutePath,
  anAmount,
  anObject,
  aText,
  listOf,
  maybe,
  members,
  mustBe,
  nullOr,
  oneOf,
  onlyMembers,
  type Shape,
  someWords,
} from '../base/index.ts'
import { APPROVAL_POLICIES, SANDBOX_MODES } from '../protocol/index.ts'
import { SessionError, type SessionFailure } from './errors.ts'

function eitherTextOr(text: Shape): Shape {
  return (value, name) => (typeof value === 'string' ? text : anObject)(value, name)
}

/** The members that an object needs beside its `type`, by that. */
function byType(kinds: { readonly [type: string]: { readonly [member: string]: Shape } }): Shape {
  const type = members({ type: oneOf(Object.keys(kinds)) })
  return (value, name) => {
    const fault = type(value, name)
    if (fault !== undefined) return fault
    return members(kinds[(value as { type: string }).type] ?? {})(value, name)
  }
}

const anApprovalPolicy = eitherTextOr(oneOf(APPROVAL_POLICIES))
const aSandboxPolicy = members({
  type: oneOf([...SANDBOX_MODES, 'external-sandbox']),
  writable_roots: maybe(listOf(anAbsolutePath)),
})

const settings = members({
  cwd: anAbsolutePath,
  model: someWords,
  modelProvider: maybe(someWords),
  approvalPolicy: maybe(anApprovalPolicy),
  sandboxPolicy: maybe(aSandboxPolicy),
  permissionProfile: maybe(aText),
  effort: maybe(aText),
  reasoningSummary: maybe(aText),
  verbosity: maybe(aText),
  contextWindow: maybe(anAmount),
  autoCompactTokens: maybe(anAmount),
  developerInstructions: maybe(aText),
  webSearch: maybe(oneOf(['disabled', 'cached', 'live'])),
})

const settingsPatch = onlyMembers({
  cwd: maybe(aText),
  model: maybe(aText),
  approvalPolicy: maybe(anApprovalPolicy),
  sandboxPolicy: maybe(aSandboxPolicy),
  permissionProfile: maybe(nullOr(aText)),
  effort: maybe(nullOr(aText)),
  reasoningSummary: maybe(nullOr(aText)),
  verbosity: maybe(nullOr(aText)),
})

const mcpServers = listOf(
  members({
    name: someWords,
    endpoint: members({ kind: oneOf(['stdio', 'http']) }),
    isEnabled: aFlag,
    isRequired: aFlag,
    startupTimeoutMs: anAmount,
    toolTimeoutMs: anAmount,
    disabledTools: listOf(aText),
    toolApprovalModes: anObject,
  }),
)
const isEphemeral = maybe(aFlag)

const aModelClient = members({ stream: aFunction })
const MODEL_ACCESS = { client: aModelClient, streamMaxRetries: maybe(aCount) }

const input = listOf(
  byType({ text: { text: aText }, image: { url: someWords }, localImage: { path: someWords } }),
)
const options = maybe(
  members({
    outputSchema: maybe(anObject),
    settings: maybe(anObject),
    clientMetadata: maybe(anObject),
    mayBeEmpty: maybe(aFlag),
    signal: maybe(anAbortSignal),
    replacesRunning: maybe(aFlag),
  }),
)

const target = byType({
  uncommittedChanges: {},
  baseBranch: { branch: aText },
  commit: { sha: aText, title: maybe(nullOr(aText)) },
  custom: { instructions: aText },
})

const anHttpUrl = mustBe('an http or https URL', (value) => {
  return typeof value === 'string' && /^https?:$/.test(URL.parse(value)?.protocol ?? '')
})

const script = listOf(members({ items: listOf(anObject) }))

const THREAD_ID = { threadId: aText }

/** What the calls of the library take, in order, by the names that their types give. */
const ARGUMENTS = {
  ThreadManager: {
    options: members({
      store: members({ createThread: aFunction, resumeThread: aFunction }),
      clock: maybe(members({ nowMs: aFunction })),
      modelAccess: aFunction,
      origin: maybe(members({ originator: aText, source: eitherTextOr(aText) })),
      version: maybe(aText),
      environment: maybe(anObject),
      docsHome: maybe(anAbsolutePath),
      reviewModel: maybe(someWords),
      execPolicy: maybe(members({ load: aFunction, append: aFunction })),
      mcpServers: maybe(mcpServers),
      findSandbox: maybe(aFunction),
    }),
  },
  modelAccess: { 'its answer': members(MODEL_ACCESS) },
  start: {
    params: members({
      settings,
      isEphemeral,
      mcpServers: maybe(mcpServers),
      dynamicTools: maybe(listOf(anObject)),
      instructions: maybe(aText),
      threadSource: maybe(aText),
    }),
  },
  resume: {
    params: members({
      threadId: (value, name) => {
        const isPath = typeof value === 'object' && value !== null
        return (isPath ? members({ rolloutPath: someWords }) : aText)(value, name)
      },
      defaults: settings,
      overrides: anObject,
      mcpServers: maybe(mcpServers),
    }),
  },
  fork: {
    params: members({
      sourceId: aText,
      throughTurnId: maybe(aText),
      settings,
      isEphemeral,
      mcpServers: maybe(mcpServers),
    }),
  },
  reviewDetached: { source: members({ threadId: aText }), target },
  'ThreadManager.listen': {
    listener: members({ onLoaded: maybe(aFunction), onClosed: maybe(aFunction) }),
  },
  'ThreadManager.updateMetadata': THREAD_ID,
  remove: THREAD_ID,
  shutDown: { deadlineMs: anAmount },
  startTurn: { input, options },
  run: {
    input: (value, name) => (typeof value === 'string' ? undefined : input(value, name)),
    options,
  },
  submitInput: { input, options },
  steerTurn: { input, turnId: maybe(aText), options },
  settings: { patch: settingsPatch },
  // The store says what is wrong with a number, also with one that is none.
  rollBack: { turnCount: mustBe('a number', (value) => typeof value === 'number') },
  injectItems: { items: listOf(members({ type: aText })) },
  callMcpTool: { call: members({ server: aText, tool: aText }) },
  readMcpResource: { server: aText, uri: aText },
  compact: { options },
  startReview: { target, options },
  runShellCommand: { command: aText },
  interrupt: { turnId: maybe(aText) },
  answerRequests: {
    handlers: onlyMembers({
      commandApproval: maybe(aFunction),
      patchApproval: maybe(aFunction),
      userInput: maybe(aFunction),
      dynamicToolCall: maybe(aFunction),
      elicitation: maybe(aFunction),
    }),
  },
  listen: { listener: aFunction },
  ResponsesClient: {
    options: members({
      provider: members({
        id: maybe(aText),
        name: maybe(aText),
        baseUrl: anHttpUrl,
        bearerToken: maybe(aText),
        headers: maybe(anObject),
        queryParams: maybe(anObject),
        requestMaxRetries: maybe(aCount),
        streamMaxRetries: maybe(aCount),
        streamIdleTimeoutMs: maybe(anAmount),
        supportsWebsockets: maybe(aFlag),
        websocketConnectTimeoutMs: maybe(anAmount),
      }),
      clock: maybe(members({ nowMs: aFunction })),
      originator: maybe(aText),
      version: maybe(aText),
      installationId: maybe(aFunction),
    }),
  },
  ScriptedModel: { script },
  'ScriptedResponsesServer.start': {
    script: (value, name) => (typeof value === 'function' ? undefined : script(value, name)),
    options: maybe(
      members({
        otherwise: maybe(anObject),
        handshake: maybe(aFunction),
        prewarm: maybe(anObject),
      }),
    ),
  },
} as const satisfies { readonly [call: string]: { readonly [name: string]: Shape } }

/**
 * For callers whose compiler has not looked: throws a `SessionError` that names the argument and
 * what it has to be, before anything is done.
 */
export function checkArguments(call: keyof typeof ARGUMENTS, ...values: readonly unknown[]): void {
  for (const [index, [name, shape]] of Object.entries<Shape>(ARGUMENTS[call]).entries()) {
    const fault = shape(values[index], name)
    if (fault === undefined) continue
    const code: SessionFailure = call === 'settings' ? 'invalid_settings' : 'invalid_argument'
    throw new SessionError(code, `${call.split('.').at(-1)}: ${fault}`)
  }
}
