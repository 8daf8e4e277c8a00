/**
 * Where Bobbin differs from real Codex without a good reason: to be mended. A fault is passed over
 * wherever it occurs, but has a witness: a script in which it must occur, and which fails once the
 * fault is mended, until it is taken off this list.
 */
import { isObject, type Json, type JsonObject, objectAt } from '../../../src/base/index.ts'
import type { Changes } from './differences.ts'
import { mapItems, replaced, without, withoutEvents } from './facet-changes.ts'

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
const commandActions = mapItems(['commandExecution'], without(['commandActions']))
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
  'turn-diff': {
    what: 'Codex tells `turn/diff/updated` after each patch, and after each response from then on',
    witness: 'a patch',
    codex: { events: withoutEvents('turn/diff/updated') },
    bobbin: { events: withoutEvents('turn/diff/updated') },
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
  'shell-patch-output': {
    what: "the output of a patch given to `exec_command` holds the patch tool's own header too",
    witness: 'a patch in the form of a shell command',
    codex: { requests: commandTwice, rollout: commandTwice },
  },
  'model-change-warning': {
    what: 'a thread resumed with another model than it was recorded with: Codex warns',
    witness: 'another model on resume',
    codex: { events: withoutEvents('warning', isAboutRecording) },
    bobbin: { events: withoutEvents('warning', isAboutRecording) },
  },
  'window-after-resume': {
    what: '`x-codex-window-id` counts the compactions that the log holds; ours only its own',
    witness: 'condensed by hand, then a turn, then resumed',
    codex: { requests: withoutWindow },
    bobbin: { requests: withoutWindow },
  },
  'sandbox-name': {
    what: 'the turn metadata names what confines commands (`seccomp`), where something does',
    witness: 'other permissions on resume',
    codex: { requests: withoutSandbox },
    bobbin: { requests: withoutSandbox },
  },
} as const satisfies { readonly [id: string]: Fault }

function isAboutRecording({ message }: JsonObject): boolean {
  return String(message).startsWith('This session was recorded with model')
}

function withoutWindow(values: readonly Json[]): Json[] {
  return values.map((value) => {
    const headers = isObject(value) ? objectAt(value, 'headers') : undefined
    if (!isObject(value) || !headers) return value
    return { ...value, headers: without(['x-codex-window-id'])(headers) }
  })
}

function withoutSandbox(values: readonly Json[]): Json[] {
  return values.map((value) => {
    const turn = isObject(value) ? objectAt(value, 'turn') : undefined
    return isObject(value) && turn ? { ...value, turn: without(['sandbox'])(turn) } : value
  })
}

export const ALL_FAULTS: readonly (Fault & { readonly id: string })[] = Object.entries(FAULTS).map(
  ([id, fault]) => ({ id, ...fault }),
)
