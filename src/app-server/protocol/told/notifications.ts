import * as z from 'zod'
import {
  anything,
  commandAction,
  flag,
  goal,
  maybe,
  milliseconds,
  rateLimits,
  text,
  thread,
  threadItem,
  threadSettings,
  threadStatus,
  tokenUsage,
  told,
  turn,
  turnError,
  whole,
} from './objects.ts'

const ofThread = { threadId: text }
const ofTurn = { ...ofThread, turnId: text }
const ofItem = { ...ofTurn, itemId: text }
const delta = { ...ofItem, delta: text }
const place = told({ line: whole, column: whole })
const stream = z.enum(['stdout', 'stderr'])
const output = { stream, deltaBase64: text, capReached: flag }
export const found = told({
  root: text,
  path: text,
  match_type: z.enum(['file', 'directory']),
  file_name: text,
  score: z.number(),
  indices: maybe(z.array(whole)),
})

/**
 * Params of all that clients are told. Those of threads have an `eventCursor` too for
 * a client that has asked for it.
 */
export const NOTIFICATIONS = {
  'thread/started': told({ thread }),
  'thread/status/changed': told({ ...ofThread, status: threadStatus }),
  'thread/archived': told(ofThread),
  'thread/unarchived': told(ofThread),
  'thread/closed': told(ofThread),
  'thread/deleted': told(ofThread),
  'thread/reverted': told(ofThread),
  'thread/name/updated': told({ ...ofThread, threadName: text.optional() }),
  'thread/goal/updated': told({ ...ofThread, turnId: maybe(text), goal }),
  'thread/goal/cleared': told(ofThread),
  'thread/settings/updated': told({ ...ofThread, threadSettings }),
  'thread/tokenUsage/updated': told({ ...ofTurn, tokenUsage }),
  'turn/started': told({ ...ofThread, turn }),
  'turn/completed': told({ ...ofThread, turn }),
  'turn/diff/updated': told({ ...ofTurn, diff: text }),
  'turn/plan/updated': told({
    ...ofTurn,
    explanation: maybe(text),
    plan: z.array(told({ step: text, status: z.enum(['pending', 'inProgress', 'completed']) })),
  }),
  'item/started': told({ ...ofTurn, item: threadItem, startedAtMs: milliseconds }),
  'item/completed': told({ ...ofTurn, item: threadItem, completedAtMs: milliseconds }),
  'item/agentMessage/delta': told(delta),
  'item/commandExecution/outputDelta': told(delta),
  'item/reasoning/summaryTextDelta': told({ ...delta, summaryIndex: whole }),
  'item/reasoning/summaryPartAdded': told({ ...ofItem, summaryIndex: whole }),
  'item/reasoning/textDelta': told({ ...delta, contentIndex: whole }),
  'serverRequest/resolved': told({ ...ofThread, requestId: z.union([text, whole]) }),
  error: told({ error: turnError, willRetry: flag, ...ofTurn }),
  warning: told({ threadId: maybe(text), message: text }),
  configWarning: told({
    summary: text,
    details: maybe(text),
    path: text.optional(),
    range: told({ start: place, end: place }).optional(),
  }),
  'mcpServer/startupStatus/updated': told({
    name: text,
    status: z.enum(['starting', 'ready', 'failed', 'cancelled']),
    error: maybe(text),
  }),
  'account/updated': told({ authMode: maybe(text), planType: maybe(text) }),
  'account/login/completed': told({ loginId: maybe(text), success: flag, error: maybe(text) }),
  'account/rateLimits/updated': told({ rateLimits }),
  'remoteControl/status/changed': told({
    status: text,
    serverName: text,
    installationId: maybe(text),
    environmentId: maybe(text),
  }),
  'command/exec/outputDelta': told({ processId: text, ...output }),
  'process/outputDelta': told({ processHandle: text, ...output }),
  'process/exited': told({
    processHandle: text,
    exitCode: whole,
    stdout: text,
    stdoutCapReached: flag,
    stderr: text,
    stderrCapReached: flag,
  }),
  'fs/changed': told({ watchId: text, changedPaths: z.array(text) }),
  'fuzzyFileSearch/sessionUpdated': told({ sessionId: text, query: text, files: z.array(found) }),
  'fuzzyFileSearch/sessionCompleted': told({ sessionId: text }),
} as const

const decision = z.union([
  z.enum(['accept', 'acceptForSession', 'decline', 'cancel']),
  told({ acceptWithExecpolicyAmendment: told({ execpolicy_amendment: z.array(text) }) }),
])
const asked = { ...ofItem, startedAtMs: milliseconds, reason: maybe(text).optional() }
const ofServer = { threadId: text, turnId: maybe(text), serverName: text, message: text }

/** Params of what the server asks its clients. */
export const SERVER_REQUESTS = {
  'item/commandExecution/requestApproval': told({
    ...asked,
    approvalId: maybe(text).optional(),
    command: maybe(text).optional(),
    cwd: maybe(text).optional(),
    commandActions: maybe(z.array(commandAction)).optional(),
    proposedExecpolicyAmendment: maybe(z.array(text)).optional(),
    availableDecisions: maybe(z.array(decision)).optional(),
  }),
  'item/fileChange/requestApproval': told({ ...asked, grantRoot: maybe(text).optional() }),
  'item/tool/requestUserInput': told({
    ...ofItem,
    questions: z.array(
      told({
        id: text,
        header: text,
        question: text,
        isOther: flag,
        isSecret: flag,
        options: maybe(z.array(told({ label: text, description: text }))),
      }),
    ),
  }),
  'item/tool/call': told({
    ...ofTurn,
    callId: text,
    namespace: maybe(text),
    tool: text,
    arguments: anything,
  }),
  'mcpServer/elicitation/request': z.union([
    told({
      ...ofServer,
      mode: z.literal('form'),
      _meta: maybe(anything),
      requestedSchema: z.record(text, anything),
    }),
    told({ ...ofServer, mode: z.literal('url'), _meta: maybe(anything), url: text }),
  ]),
} as const
