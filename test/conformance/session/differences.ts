/**
 * Where Bobbin differs from real Codex 0.133.0, and why it may. A difference is taken out of both
 * traces only for scripts that name it, and a named one that does not occur fails the test.
 */
import { isObject, type Json, type JsonObject, objectAt } from '../../../src/base/index.ts'
import {
  atTheEnd,
  type Change,
  mapEvents,
  mapItems,
  mapLines,
  replaced,
  without,
  withoutAnswers,
  withoutEvents,
  withoutLines,
  withoutRepeatedCounts,
  withoutShownItems,
  withoutWaitingSettings,
} from './facet-changes.ts'
import type { Facets } from './normalise.ts'
import { reviewEvents, reviewLines, reviewRequests } from './review-changes.ts'

/** How one side is brought into the form that both have. */
export type Changes = { readonly [F in keyof Facets]?: Change }

export interface Difference {
  /** What real Codex does, and what Bobbin does. */
  readonly what: string
  readonly reason: string
  /** Whether somebody gains by it. */
  readonly isBetter: boolean
  /** A race decides: it may not occur. */
  readonly isRacy?: boolean
  readonly codex?: Changes
  readonly bobbin?: Changes
}

function both(changes: Changes): Pick<Difference, 'codex' | 'bobbin'> {
  return { codex: changes, bobbin: changes }
}

const POLICIES = ['sandbox_policy', 'permission_profile', 'file_system_sandbox_policy']

const lateCommands = atTheEnd((params, method) => {
  const item = isObject(params.item) ? params.item : {}
  return method === 'item/completed' && item.type === 'commandExecution'
})

const wrongKind = replaced(/^(aborted|unsupported (custom tool )?call: \w+)$/g, '<not served>')

export const DIFFERENCES = {
  'command-kept': {
    what: 'Bobbin keeps an `exec_command_end` of each command; Codex keeps none',
    reason: 'a thread read back shows its commands; Codex passes over the line',
    isBetter: true,
    bobbin: {
      rollout: withoutLines('exec_command_end'),
      answers: withoutShownItems('commandExecution'),
    },
  },
  'command-completed': {
    what: "Codex tells a command's end some time after its process has ended; Bobbin at once",
    reason: 'a client need not guess; the order of the rest is the same',
    isBetter: true,
    isRacy: true,
    ...both({ events: lateCommands }),
  },
  'command-output-whole': {
    what:
      "Codex's item of a command that ran for a while may lack what it said first; in Bobbin's " +
      'all of it is there',
    reason: 'what the model reads is the same, and whole in both',
    isBetter: true,
    ...both({ events: mapItems(['commandExecution'], without(['aggregatedOutput'])) }),
  },
  'unstarted-command-ends': {
    what: 'Codex leaves the item of a command open that could not be started; Bobbin ends it',
    reason: 'every item that a client was told of ends',
    isBetter: true,
    bobbin: { events: withoutEvents('item/completed', hasNoExitCode) },
  },
  'error-kept': {
    what: 'Bobbin keeps an `error` line of a failed turn; Codex keeps none',
    reason: 'a failed turn reads back as failed; Codex passes over the line',
    isBetter: true,
    bobbin: { rollout: withoutLines('error') },
  },
  'settings-kept': {
    what:
      'Bobbin keeps a `turn_context` without a turn when settings are changed between turns; ' +
      'Codex keeps none',
    reason: 'what a client was answered outlives the process; Codex takes the settings from it',
    isBetter: true,
    bobbin: { rollout: withoutWaitingSettings },
  },
  'wrong-kind-answered': {
    what:
      'a function called as a custom tool, or the other way: Codex keeps no output and fills in ' +
      '`aborted`; Bobbin says that the tool is not supported',
    reason: 'the model learns what it did wrong, and the log is complete',
    isBetter: true,
    codex: { requests: wrongKind },
    bobbin: { requests: wrongKind, rollout: withoutUnsupported },
  },
  'count-of-a-broken-answer': {
    what: 'Codex keeps and tells a count of tokens, unchanged, of an answer that was broken off',
    reason: 'it repeats the last one, or says nothing at all',
    isBetter: true,
    ...both({ rollout: withoutRepeatedCounts, events: withoutRepeatedCounts }),
  },
  'words-before-summary': {
    what:
      'a turn whose history has to be condensed first: Codex has the summary written before it ' +
      "keeps the person's words, Bobbin after (nothing else of these scripts is compared)",
    reason: 'what a person has said is kept; Codex loses it when the summary fails',
    isBetter: true,
    ...both({ requests: nothing, rollout: nothing, events: nothing }),
  },
  'empty-summary-refused': {
    what:
      'a summary without words: Codex takes the last answer for it, Bobbin leaves the history as ' +
      'it was and fails (nothing else of this script is compared)',
    reason: 'nothing that was said is lost',
    isBetter: true,
    ...both({ requests: nothing, rollout: nothing, events: nothing }),
  },
  'parallel-order': {
    what: 'when commands of one answer are asked about, told as started and as completed',
    reason: 'they run beside each other, in both programs',
    isBetter: false,
    isRacy: true,
    ...both({ events: atTheEnd(isAboutCommand) }),
  },
  'interrupted-command-ends': {
    what:
      'Codex leaves a command running that a turn was interrupted in, and its item open; Bobbin ' +
      'ends both',
    reason: 'whoever interrupts wants it to stop; background commands go on in both',
    isBetter: true,
    bobbin: {
      rollout: withoutLines('exec_command_end'),
      events: withoutEvents('item/completed', hasNoExitCode),
    },
  },
  'interrupt-of-none': {
    what: 'Codex refuses to interrupt a turn that does not run; in Bobbin nothing happens',
    reason: 'the library has no client to answer; an interrupt that comes late is no mistake',
    isBetter: false,
    ...both({ refusals: nothing, answers: withoutAnswers('turn/interrupt') }),
  },
  'end-told-on-close': {
    what: 'a program that ends interrupts its turns: Bobbin tells it, Codex has nobody to tell',
    reason: 'the client of a library is still there',
    isBetter: true,
    bobbin: { events: withoutInterruptedEnd },
  },
  'estimated-size': {
    what: 'the size of the history after a compaction or a rollback, which both estimate',
    reason: "Codex counts its instructions too; the next answer's usage takes its place in both",
    isBetter: false,
    ...both({
      rollout: mapLines('token_count', withoutEstimate),
      events: mapEvents('thread/tokenUsage/updated', withoutEstimate),
    }),
  },
  'context-length-of-400': {
    what:
      'HTTP 400 with code `context_length_exceeded`: Codex shows the body; Bobbin says what it ' +
      'means, and condenses before the next turn (of this script the request is compared)',
    reason: 'the thread can go on',
    isBetter: true,
    ...both({ rollout: nothing, events: nothing }),
  },
  'approval-flag': {
    what: 'when the status tells that a thread waits for approval, relative to the items around it',
    reason: 'the flag goes on and off with the request; Codex has other places for each kind',
    isBetter: false,
    isRacy: true,
    ...both({ events: withoutFlagChanges }),
  },
  'unanswered-item-ends': {
    what:
      'an item whose approval nobody gave before the turn ended: Codex leaves it open and keeps ' +
      'nothing, Bobbin ends it as declined and keeps that',
    reason: 'every item that a client was told of ends',
    isBetter: true,
    bobbin: {
      rollout: withoutDeclined,
      events: withoutEvents('item/completed', isDeclined),
    },
  },
  'client-tool-kept': {
    what: "Bobbin keeps a `dynamic_tool_call_response` of each call of a client's tool",
    reason: 'a thread read back shows them; Codex passes over the line',
    isBetter: true,
    bobbin: { rollout: withoutLines('dynamic_tool_call_response') },
  },
  'interrupted-tool-ends': {
    what:
      'a tool of a client or of an MCP server that a turn was interrupted in: Codex leaves its ' +
      'item open and keeps nothing of it, Bobbin ends it',
    reason: 'every item that a client was told of ends',
    isBetter: true,
    bobbin: {
      rollout: (lines) => withoutLines('mcp_tool_call_end')(withoutToolResponses(lines)),
      events: withoutEvents('item/completed', isToolCall),
    },
  },
  'rollback-before-its-count': {
    what: 'a rollback and the count of what it leaves: Codex keeps the count first',
    reason: 'readers take the last count either way',
    isBetter: false,
    codex: { rollout: rollbackFirst },
  },
  'rollback-too-far-refused': {
    what:
      'a rollback by more turns than there are: Codex takes all of them and repeats the context, ' +
      'Bobbin refuses (nothing else of this script is compared)',
    reason: 'a mistake is told, and nothing is lost by it',
    isBetter: true,
    ...both({ requests: nothing, rollout: nothing, events: nothing, refusals: nothing }),
  },
  'rollback-of-whole-turns': {
    what:
      'a rollback over a turn with steered words: Codex shows the turn as gone, but takes only ' +
      'the last words from the model; Bobbin takes the turn (nothing else of this script is ' +
      'compared)',
    reason: 'what a person sees taken back is what the model forgets',
    isBetter: true,
    ...both({ requests: nothing, rollout: nothing, events: nothing }),
  },
  'rollback-refusals': {
    what: 'the words with which a rollback is refused; Codex also tells the thread as failed',
    reason: 'the library names thread and turn; nothing has failed',
    isBetter: true,
    ...both({ refusals: nothing, events: withoutRestingStatus }),
  },
  'review-is-one-turn': {
    what:
      'Codex has two turn ids in a review, enters it before its turn begins, keeps its prompt ' +
      'twice, and starts a message that never ends; in Bobbin it is a turn like all others',
    reason: 'clients can follow it like every other turn; the stored lines are the same otherwise',
    isBetter: true,
    ...both({
      requests: reviewRequests,
      rollout: reviewLines,
      events: reviewEvents,
      answers: withoutAnswers('review/start'),
    }),
  },
  'turn-beside-turn': {
    what:
      'a turn begun while another runs: Codex answers an id that never appears again, Bobbin ' +
      'that of the running turn, which takes the words',
    reason: 'the client can follow what became of its words',
    isBetter: true,
    ...both({ answers: withoutTurnIds }),
  },
  'mcp-start-words': {
    what: 'why an MCP server could not be started, in the words of the system',
    reason: 'each program says what its own library tells it',
    isBetter: false,
    ...both({ events: replaced(/(MCP startup failed: ).*$/g, '$1<why>') }),
  },
  'mcp-start': {
    what: 'when the start of an MCP server is told',
    reason: 'it starts beside the loading of the thread, in both programs',
    isBetter: false,
    isRacy: true,
    ...both({ events: atTheEnd((_, method) => method.startsWith('mcpServer/startupStatus')) }),
  },
  'memories-root': {
    what:
      'in a writable sandbox Codex adds the folder of its memories to the policy, and keeps the ' +
      'policy of files once more as `file_system_sandbox_policy`',
    reason: 'Bobbin has no memories; readers need `sandbox_policy` only',
    isBetter: false,
    ...both({
      rollout: mapLines('turn_context', without(POLICIES)),
      answers: withoutMemoriesRoot,
    }),
  },
  'plan-texts': {
    what: "texts about the person's plan lead to the vendor's pages in Codex",
    reason: 'Bobbin does not know whose endpoint it is',
    isBetter: false,
    ...both({
      events: replaced(
        /^(You've hit your usage|To use Codex with your|Your plan does not).*$/g,
        '<plan>',
      ),
    }),
  },
  'status-of-500': {
    what: '`Reconnecting…` after a 500: Codex leaves the status out, Bobbin tells it',
    reason: 'as for every other status',
    isBetter: true,
    ...both({ events: mapEvents('error', withoutInfo) }),
  },
  'unknown-model-silent': {
    what: 'Codex warns in every turn of a model that its catalogue lacks; Bobbin says nothing',
    reason: 'Bobbin has no catalogue, and takes one model for as good as another',
    isBetter: true,
    codex: { events: withoutEvents('warning', isAboutModel) },
  },
} as const satisfies { readonly [id: string]: Difference }

/** Behind the first of a turn that was begun. */
function withoutTurnIds(values: readonly Json[]): Json[] {
  const first = values.findIndex((value) => isObject(value) && value.method === 'turn/start')
  return values.map((value, at) => {
    const isLater = isObject(value) && value.method === 'turn/start' && at > first
    return isLater ? { method: 'turn/start' } : value
  })
}

function withoutMemoriesRoot(values: readonly Json[]): Json[] {
  return JSON.parse(JSON.stringify(values).replaceAll('"<root>/home/memories"', '')) as Json[]
}

function withoutUnsupported(values: readonly Json[]): Json[] {
  return values.filter((value) => !JSON.stringify(value).includes('"unsupported c'))
}

function nothing(): Json[] {
  return []
}

/** A flag that comes or goes while the turn runs on. */
function withoutFlagChanges(values: readonly Json[]): Json[] {
  let isActive = false
  return values.filter((value) => {
    const isStatus = isObject(value) && value.method === 'thread/status/changed'
    if (!isStatus) return true
    const wasActive = isActive
    isActive = JSON.stringify(value).includes('"active"')
    return !(isActive && wasActive)
  })
}

function rollbackFirst(values: readonly Json[]): Json[] {
  const at = values.findIndex((value) => JSON.stringify(value).includes('"thread_rolled_back"'))
  const line = values[at]
  return line === undefined ? [...values] : values.toSpliced(at, 1).toSpliced(at - 1, 0, line)
}

function withoutDeclined(values: readonly Json[]): Json[] {
  return values.filter((value) => !/_end",.*"status":"declined"/.test(JSON.stringify(value)))
}

function isDeclined({ item }: JsonObject): boolean {
  return isObject(item) && item.status === 'declined'
}

const withoutToolResponses = withoutLines('dynamic_tool_call_response')

function isToolCall({ item }: JsonObject): boolean {
  return isObject(item) && ['dynamicToolCall', 'mcpToolCall'].includes(String(item.type))
}

function withoutRestingStatus(values: readonly Json[]): Json[] {
  return values.filter((value) => !/"type":"(idle|systemError)"/.test(JSON.stringify(value)))
}

function isAboutCommand({ item }: JsonObject, method: string): boolean {
  const isItem = isObject(item) && item.type === 'commandExecution'
  return isItem || method === 'item/commandExecution/requestApproval'
}

function withoutInterruptedEnd(values: readonly Json[]): Json[] {
  const at = values.findIndex((value) => JSON.stringify(value).includes('"status":"interrupted"'))
  return values.filter((_, index) => index !== at && index !== at - 1)
}

/** A last usage of which only the sum is known is an estimate. */
function withoutEstimate(counts: JsonObject): JsonObject {
  const live = objectAt(objectAt(counts, 'tokenUsage') ?? {}, 'last')
  const kept = objectAt(objectAt(counts, 'info') ?? {}, 'last_token_usage')
  if (live?.inputTokens === 0) {
    const tokenUsage = { ...objectAt(counts, 'tokenUsage'), last: '<estimate>' }
    return { ...counts, tokenUsage }
  }
  if (kept?.input_tokens !== 0) return counts
  return { ...counts, info: { ...objectAt(counts, 'info'), last_token_usage: '<estimate>' } }
}

function withoutInfo({ error, ...rest }: JsonObject): JsonObject {
  return isObject(error) ? { ...rest, error: without(['codexErrorInfo'])(error) } : rest
}

function hasNoExitCode({ item }: JsonObject): boolean {
  return isObject(item) && item.type === 'commandExecution' && item.exitCode === -1
}

function isAboutModel({ message }: JsonObject): boolean {
  return String(message).startsWith('Model metadata for')
}

export type DifferenceId = keyof typeof DIFFERENCES

export function differenceOf(id: DifferenceId): Difference {
  return DIFFERENCES[id]
}
