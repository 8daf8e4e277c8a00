/**
 * What clients are told of threads, as schemas: for whoever writes a client, and for the tests,
 * which hold everything that is sent against them. The server itself does not load them.
 * Source: 0.133.0's own `generate-ts`; `reference/app-server.md` 5.
 */
import * as z from 'zod'
import { approvalPolicy, effort, reasoningSummary } from '../thread-params.ts'

/** Any JSON; what it may be, others decide. */
export const anything = z.unknown()
export const text = z.string()
export const seconds = z.int()
export const milliseconds = z.number()
export const whole = z.int()
export const flag = z.boolean()

export function maybe<T extends z.core.$ZodType>(schema: T) {
  return z.nullable(schema)
}

/** Exactly these members. */
export function told<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape)
}

const cursor = maybe(text)

export function page<T extends z.ZodType>(entry: T) {
  return told({ data: z.array(entry), nextCursor: cursor })
}

/** Of a list that can be read from either end. */
export function pageBothWays<T extends z.ZodType>(entry: T) {
  return told({ data: z.array(entry), nextCursor: cursor, backwardsCursor: cursor })
}

function variant<const T extends string, S extends z.ZodRawShape>(type: T, shape: S) {
  return told({ type: z.literal(type), ...shape })
}

const httpStatus = told({ httpStatusCode: maybe(whole) })
const errorInfo = z.union([
  z.enum([
    'contextWindowExceeded',
    'usageLimitExceeded',
    'serverOverloaded',
    'cyberPolicy',
    'internalServerError',
    'unauthorized',
    'badRequest',
    'threadRollbackFailed',
    'sandboxError',
    'other',
  ]),
  told({ httpConnectionFailed: httpStatus }),
  told({ responseStreamConnectionFailed: httpStatus }),
  told({ responseStreamDisconnected: httpStatus }),
  told({ responseTooManyFailedAttempts: httpStatus }),
  told({ activeTurnNotSteerable: told({ turnKind: text }) }),
])

export const turnError = told({
  message: text,
  codexErrorInfo: maybe(errorInfo),
  additionalDetails: maybe(text),
}).meta({ id: 'TurnError' })

const userContent = z.discriminatedUnion('type', [
  variant('text', { text, text_elements: z.array(anything) }),
  variant('image', { url: text, detail: text.optional() }),
  variant('localImage', { path: text, detail: text.optional() }),
  variant('skill', { name: text, path: text }),
  variant('mention', { name: text, path: text }),
])

export const commandAction = z.discriminatedUnion('type', [
  variant('read', { command: text, name: text, path: text }),
  variant('listFiles', { command: text, path: maybe(text) }),
  variant('search', { command: text, query: maybe(text), path: maybe(text) }),
  variant('unknown', { command: text }),
])

const fileChange = told({
  path: text,
  kind: z.discriminatedUnion('type', [
    variant('add', {}),
    variant('delete', {}),
    variant('update', { move_path: maybe(text) }),
  ]),
  diff: text,
})

const toolStatus = z.enum(['inProgress', 'completed', 'failed', 'declined'])

const toolContent = z.discriminatedUnion('type', [
  variant('inputText', { text }),
  variant('inputImage', { imageUrl: text }),
])

const searchAction = z.discriminatedUnion('type', [
  variant('search', { query: maybe(text), queries: maybe(z.array(text)) }),
  variant('openPage', { url: maybe(text) }),
  variant('findInPage', { url: maybe(text), pattern: maybe(text) }),
  variant('other', {}),
])

/** Without `hookPrompt` and `collabAgentToolCall`, which Bobbin never tells. */
export const threadItem = z
  .discriminatedUnion('type', [
    variant('userMessage', { id: text, content: z.array(userContent) }),
    variant('agentMessage', {
      id: text,
      text,
      phase: maybe(z.enum(['commentary', 'final_answer'])),
      memoryCitation: z.null(),
    }),
    variant('plan', { id: text, text }),
    variant('reasoning', { id: text, summary: z.array(text), content: z.array(text) }),
    variant('commandExecution', {
      id: text,
      command: text,
      cwd: text,
      processId: maybe(text),
      source: z.enum(['agent', 'userShell', 'unifiedExecStartup', 'unifiedExecInteraction']),
      status: toolStatus,
      commandActions: z.array(commandAction),
      aggregatedOutput: maybe(text),
      exitCode: maybe(whole),
      durationMs: maybe(milliseconds),
    }),
    variant('fileChange', { id: text, changes: z.array(fileChange), status: toolStatus }),
    variant('mcpToolCall', {
      id: text,
      server: text,
      tool: text,
      status: toolStatus,
      arguments: anything,
      mcpAppResourceUri: text.optional(),
      pluginId: maybe(text),
      result: maybe(anything),
      error: maybe(told({ message: text })),
      durationMs: maybe(milliseconds),
    }),
    variant('dynamicToolCall', {
      id: text,
      namespace: maybe(text),
      tool: text,
      arguments: anything,
      status: toolStatus,
      contentItems: maybe(z.array(toolContent)),
      success: maybe(flag),
      durationMs: maybe(milliseconds),
    }),
    variant('webSearch', { id: text, query: text, action: maybe(searchAction) }),
    variant('imageView', { id: text, path: text }),
    variant('imageGeneration', {
      id: text,
      status: text,
      revisedPrompt: maybe(text),
      result: text,
      savedPath: text.optional(),
    }),
    variant('enteredReviewMode', { id: text, review: text }),
    variant('exitedReviewMode', { id: text, review: text }),
    variant('contextCompaction', { id: text }),
  ])
  .meta({ id: 'ThreadItem' })

export const turn = told({
  id: text,
  items: z.array(threadItem),
  itemsView: z.enum(['notLoaded', 'summary', 'full']),
  status: z.enum(['inProgress', 'completed', 'interrupted', 'failed']),
  error: maybe(turnError),
  startedAt: maybe(seconds),
  completedAt: maybe(seconds),
  durationMs: maybe(milliseconds),
}).meta({ id: 'Turn' })

export const threadStatus = z
  .discriminatedUnion('type', [
    variant('notLoaded', {}),
    variant('idle', {}),
    variant('systemError', {}),
    variant('active', {
      activeFlags: z.array(z.enum(['waitingOnApproval', 'waitingOnUserInput'])),
    }),
  ])
  .meta({ id: 'ThreadStatus' })

export const thread = told({
  id: text,
  sessionId: text,
  forkedFromId: maybe(text),
  preview: text,
  ephemeral: flag,
  modelProvider: text,
  createdAt: seconds,
  updatedAt: seconds,
  status: threadStatus,
  path: maybe(text),
  cwd: text,
  cliVersion: text,
  source: z.union([text, z.record(text, anything)]),
  threadSource: maybe(text),
  agentNickname: maybe(text),
  agentRole: maybe(text),
  gitInfo: maybe(told({ sha: maybe(text), branch: maybe(text), originUrl: maybe(text) })),
  name: maybe(text),
  turns: z.array(turn),
}).meta({ id: 'Thread' })

export const goal = told({
  threadId: text,
  objective: text,
  status: text,
  tokenBudget: maybe(whole),
  tokensUsed: whole,
  timeUsedSeconds: whole,
  createdAt: seconds,
  updatedAt: seconds,
}).meta({ id: 'ThreadGoal' })

export const sandbox = z
  .discriminatedUnion('type', [
    variant('dangerFullAccess', {}),
    variant('readOnly', { networkAccess: flag }),
    variant('externalSandbox', { networkAccess: z.enum(['restricted', 'enabled']) }),
    variant('workspaceWrite', {
      writableRoots: z.array(text),
      networkAccess: flag,
      excludeTmpdirEnvVar: flag,
      excludeSlashTmp: flag,
    }),
  ])
  .meta({ id: 'SandboxPolicy' })

const profile = maybe(told({ id: text, extends: maybe(text) }))

/** What start, resume and fork answer. */
export const loadedThread = told({
  thread,
  model: text,
  modelProvider: text,
  serviceTier: maybe(text),
  cwd: text,
  runtimeWorkspaceRoots: z.array(text),
  instructionSources: z.array(text),
  approvalPolicy,
  approvalsReviewer: text,
  sandbox,
  activePermissionProfile: profile,
  reasoningEffort: maybe(effort),
}).meta({ id: 'LoadedThread' })

export const threadSettings = told({
  cwd: text,
  approvalPolicy,
  approvalsReviewer: text,
  sandboxPolicy: sandbox,
  activePermissionProfile: profile,
  model: text,
  modelProvider: text,
  serviceTier: maybe(text),
  effort: maybe(effort),
  summary: maybe(reasoningSummary),
  collaborationMode: told({
    mode: z.enum(['plan', 'default']),
    settings: told({
      model: text,
      reasoning_effort: maybe(effort),
      developer_instructions: maybe(text),
    }),
  }),
  personality: maybe(text),
}).meta({ id: 'ThreadSettings' })

const tokens = told({
  totalTokens: whole,
  inputTokens: whole,
  cachedInputTokens: whole,
  outputTokens: whole,
  reasoningOutputTokens: whole,
})
export const tokenUsage = told({
  total: tokens,
  last: tokens,
  modelContextWindow: maybe(whole),
}).meta({ id: 'ThreadTokenUsage' })

const limitWindow = told({
  usedPercent: z.number(),
  windowDurationMins: maybe(z.number()),
  resetsAt: maybe(seconds),
})
export const rateLimits = told({
  limitId: maybe(text),
  limitName: maybe(text),
  primary: maybe(limitWindow),
  secondary: maybe(limitWindow),
  credits: maybe(told({ hasCredits: flag, unlimited: flag, balance: maybe(text) })),
  planType: maybe(text),
  rateLimitReachedType: maybe(anything),
}).meta({ id: 'RateLimitSnapshot' })
