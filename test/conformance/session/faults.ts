/**
 * Where Bobbin differs from real Codex without a good reason: to be mended. A fault is passed over
 * wherever it occurs, but has a witness: a script in which it must occur, and which fails once the
 * fault is mended, until it is taken off this list.
 */
import { isObject, type Json, type JsonObject, objectAt } from '../../../src/base/index.ts'
import type { Changes } from './differences.ts'
import {
  type Change,
  mapEvents,
  mapItems,
  replaced,
  without,
  withoutEvents,
} from './facet-changes.ts'

export interface Fault {
  readonly what: string
  /** Name of a script. */
  readonly witness: string
  readonly codex?: Changes
  readonly bobbin?: Changes
}

const ANNOUNCED = ['agentMessage', 'reasoning', 'webSearch']

const announced = mapItems(ANNOUNCED, ({ type, id, ...rest }, method) =>
  method === 'item/started'
    ? { type: type ?? null, id: id ?? null }
    : { type: type ?? null, id: id ?? null, ...rest },
)

const commandProcess = mapItems(['commandExecution'], without(['processId', 'source']))
const actionsOfItems = mapItems(['commandExecution'], without(['commandActions']))
const actionsOfRequests = mapEvents(
  'item/commandExecution/requestApproval',
  without(['commandActions']),
)
const commandActions: Change = (values) => actionsOfRequests(actionsOfItems(values))
const declinedDuration = mapItems(['commandExecution'], (item) =>
  item.status === 'declined' ? { ...item, durationMs: null } : item,
)
const commandTwice = replaced(
  /^Wall time: <s> seconds\nOutput:\nExit code: 0\nWall time: <s> seconds\nOutput:\n/g,
  'Wall time: <s> seconds\nOutput:\n',
)

export const FAULTS = {
  'announced-item': {
    what: '`item/started` holds what the provider announced: phase, summary, query; ours is empty',
    witness: 'a plain turn',
    codex: { events: announced },
    bobbin: { events: announced },
  },
  'command-process': {
    what: 'a command item tells `processId` and `source`',
    witness: 'a command',
    codex: { events: commandProcess },
    bobbin: { events: commandProcess },
  },
  'command-actions': {
    what: '`commandActions` tells reading, listing and searching; ours knows `unknown` only',
    witness: 'a command',
    codex: { events: commandActions },
    bobbin: { events: commandActions },
  },
  'declined-duration': {
    what: 'a command that was declined has no `durationMs`; ours tells one',
    witness: 'a command declined',
    codex: { events: declinedDuration },
    bobbin: { events: declinedDuration },
  },
  'shell-patch-output': {
    what: "the output of a patch given to `exec_command` holds the patch tool's own header too",
    witness: 'a patch in the form of a shell command',
    codex: { requests: commandTwice, rollout: commandTwice },
  },
  'fork-warning': {
    what: 'a fork with another model is begun without a warning; ours warns as a resume does',
    witness: 'forked with another model, after tools',
    bobbin: { events: withoutEvents('warning', isAboutResuming) },
  },
  'window-after-resume': {
    what: '`x-codex-window-id` counts the compactions that the log holds; ours only its own',
    witness: 'condensed by hand, then a turn, then resumed',
    codex: { requests: withoutWindow },
    bobbin: { requests: withoutWindow },
  },
} as const satisfies { readonly [id: string]: Fault }

function isAboutResuming({ message, threadId }: JsonObject): boolean {
  return threadId === '<thread-2>' && String(message).includes('is resuming with')
}

function withoutWindow(values: readonly Json[]): Json[] {
  return values.map((value) => {
    const headers = isObject(value) ? objectAt(value, 'headers') : undefined
    if (!isObject(value) || !headers) return value
    return { ...value, headers: without(['x-codex-window-id'])(headers) }
  })
}

export const ALL_FAULTS: readonly (Fault & { readonly id: string })[] = Object.entries(FAULTS).map(
  ([id, fault]) => ({ id, ...fault }),
)
