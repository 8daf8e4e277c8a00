/**
 * Rule: what the patches of a turn have changed is told as real Codex 0.133.0 tells it: the same
 * texts, as often, and in the same places between the items and responses of the turn.
 */
import assert from 'node:assert/strict'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'

import { isObject, type JsonObject, objectAt, stringAt } from '../../src/base/index.ts'
import type { SessionEvent } from '../../src/protocol/index.ts'
import { ScriptedResponsesServer, type ScriptedStep } from '../support/responses-server.ts'
import { runTurn, SessionKit, Watch } from '../support/session-kit.ts'
import { CodexAppServer } from './codex-app-server.ts'
import { codex133 } from './programs.ts'
import { Scratch } from './scratch.ts'
import { concludes, patches, runs, says } from './scripts.ts'

const update = (path: string, from: string, to: string) => [
  `*** Update File: ${path}`,
  '@@',
  `-${from}`,
  `+${to}`,
]
const move = (path: string, target: string, from: string, to: string) => [
  `*** Update File: ${path}`,
  `*** Move to: ${target}`,
  ...update(path, from, to).slice(1),
]
const add = (path: string, ...lines: string[]) => [
  `*** Add File: ${path}`,
  ...lines.map((line) => `+${line}`),
]
const remove = (path: string) => [`*** Delete File: ${path}`]

/** Each entry is one patch, in a response of its own; a text is a command. */
const turns: { [name: string]: readonly (readonly string[] | string)[] } = {
  'an update and a new file, told again after a command': [
    [...update('f1', 'f1', 'F1'), ...add('new.txt', 'new')],
    'true',
  ],
  'a file that comes and goes': [add('n', 'q'), remove('n'), 'true', add('n', 'q')],
  'files that are deleted': [remove('f2'), remove('f3')],
  'moves, in the order of where files were': [
    [...move('z', 'aa', 'z', 'Z'), ...update('m', 'm', 'M'), ...move('ab', 'zz', 'ab', 'AB')],
  ],
  'a move that goes on': [move('c1', 'sub/c2', 'c1', 'C1'), move('sub/c2', 'c3', 'C1', 'CC')],
  'a move in a circle': [move('n1', 'n2', 'n1', 'N1'), move('n2', 'n1', 'N1', 'n1')],
  'a move whose old place is taken': [move('d1', 'd2', 'd1', 'D1'), add('d1', 'again')],
  'a move whose new place is given up': [
    move('e1', 'e2', 'e1', 'E1'),
    remove('e2'),
    add('e2', 'x'),
  ],
  'a move over a file': [move('g1', 'g2', 'g1', 'G1')],
  'a move onto a deleted file': [remove('h1'), move('h2', 'h1', 'h2', 'H2')],
  'a new file that moves': [add('i1', 'i'), move('i1', 'i2', 'i', 'I')],
  'a moved file that is written anew': [move('o1', 'o2', 'o1', 'O1'), add('o2', 'other')],
  'a move and a new file in one patch': [[...move('j1', 'j2', 'j1', 'J1'), ...add('j1', 'new')]],
  'one file changed twice in one patch': [
    [...update('k1', 'k1', 'K1'), ...update('k1', 'K1', 'k')],
  ],
  'an added file that was there': [add('f4', 'written over')],
  'files without an end of line': [update('noeol', 'x', 'y'), update('crlf', 'b', 'B')],
  'empty files': [add('empty'), remove('empty2')],
  'hunks apart and together': [
    [
      ...update('long', '11', 'eleven'),
      ...update('long', '19', 'nineteen').slice(1),
      ...update('long', '41', 'x').slice(1),
      ...update('long', '48', 'y').slice(1),
    ],
  ],
  'what a command has changed meanwhile': [
    update('long', '1', 'one'),
    'echo extra >> long',
    update('long', '2', 'two'),
  ],
  'names of all kinds': [
    [...add('dir/é sp.txt', 'ü'), ...add('"q', 'q'), ...add('Z', 'z'), ...add('a-b', 'q')],
    add('a/b', 'q'),
  ],
  'a file outside of the work tree': [
    [...update('../outer/o', 'o', 'O'), ...add('../outer/p', 'p')],
  ],
  'a link, behind which nothing is told': [
    update('f5', 'f5', 'F5'),
    update('link', 't', 'T'),
    update('f6', 'f6', 'F6'),
  ],
  'a patch that fails half-way, behind which nothing is told': [
    update('f7', 'f7', 'F7'),
    [...add('part', '1'), ...add('f8/bad', '2')],
    update('f9', 'f9', 'F9'),
  ],
  'a patch of which nothing could be written': [
    update('g3', 'g3', 'G3'),
    add('g4/bad', '2'),
    update('g5', 'g5', 'G5'),
  ],
  'a file over no text': [add('binary', 'text'), update('f10', 'f10', 'F10')],
  'a patch that does not fit': [update('nowhere', 'x', 'y')],
}

const FILES = [
  'z',
  'm',
  'ab',
  'c1',
  'n1',
  'd1',
  'e1',
  'g1',
  'g2',
  'g3',
  'g4',
  'g5',
  'h1',
  'h2',
  'o1',
  'p1',
  'q1',
  'j1',
]
const NUMBERED = Array.from({ length: 10 }, (_, index) => `f${index + 1}`)

async function fill(project: string): Promise<void> {
  const at = (name: string) => join(project, name)
  for (const name of [...FILES, ...NUMBERED, 'k1']) await writeFile(at(name), `${name}\n`)
  const lines = Array.from({ length: 60 }, (_, index) => `${index + 1}\n`)
  await writeFile(at('long'), lines.join(''))
  await writeFile(at('noeol'), 'x')
  await writeFile(at('crlf'), 'a\r\nb\r\nc\r\n')
  await writeFile(at('empty2'), '')
  await writeFile(at('binary'), Buffer.from([0xff, 0xfe, 0]))
  await writeFile(at('target'), 't\n')
  await symlink('target', at('link'))
  await mkdir(at('../outer'))
  await writeFile(at('../outer/o'), 'o\n')
}

/** In both programs: a diff that was told, an item that ended, a response that was complete. */
type Told = readonly ['diff' | 'item' | 'response' | 'end', string]

function stepsOf(name: string): ScriptedStep[] {
  const parts = turns[name] ?? []
  const steps = parts.map((part, index) => {
    const callId = `call_${index}`
    return says(typeof part === 'string' ? runs(part, callId) : patches(part, callId))
  })
  return [...steps, concludes(name)]
}

const script = Object.keys(turns).flatMap(stepsOf)

async function toldByCodex(): Promise<Map<string, Told[]>> {
  await using server = await ScriptedResponsesServer.start(script)
  await using scratch = await Scratch.create()
  await scratch.useModelServer(server.baseUrl)
  await fill(scratch.project)
  await using codex = await CodexAppServer.start(codex133, scratch)
  const { thread } = await codex.request('thread/start', { cwd: scratch.project })
  const threadId = isObject(thread) ? (stringAt(thread, 'id') ?? '') : ''
  const told = new Map<string, Told[]>()
  for (const name of Object.keys(turns)) {
    const from = codex.notifications.length
    await codex.runTurn(threadId, name)
    const events = codex.notifications.slice(from).flatMap(({ method, params }): Told[] => {
      if (method === 'turn/diff/updated') return [['diff', stringAt(params, 'diff') ?? '']]
      if (method === 'item/completed') return itemEnd(objectAt(params, 'item') ?? {})
      if (method === 'thread/tokenUsage/updated') return [['response', '']]
      return method === 'turn/completed' ? [['end', '']] : []
    })
    told.set(name, events.map(withoutRoot(scratch.root)))
  }
  return told
}

async function toldByBobbin(): Promise<Map<string, Told[]>> {
  await using kit = await SessionKit.open(script)
  await mkdir(join(kit.project, '.git'))
  await fill(kit.project)
  const handle = await kit.start()
  const told = new Map<string, Told[]>()
  for (const name of Object.keys(turns)) {
    using watch = new Watch(handle)
    await runTurn(handle, name)
    const events = watch.events.flatMap((event: SessionEvent): Told[] => {
      if (event.type === 'turnDiff') return [['diff', event.diff]]
      if (event.type === 'itemCompleted') return itemEnd(event.item)
      if (event.type === 'tokenCount') return [['response', '']]
      return event.type === 'turnCompleted' ? [['end', '']] : []
    })
    told.set(name, events.map(withoutRoot(join(kit.project, '..'))))
  }
  return told
}

function itemEnd(item: { readonly type?: unknown; readonly id?: unknown }): Told[] {
  const { type, id, status } = item as JsonObject
  const isTool = type === 'fileChange' || type === 'commandExecution'
  return isTool ? [['item', `${id} ${status}`]] : []
}

function withoutRoot(root: string): (told: Told) => Told {
  return ([kind, text]) => [kind, text.replaceAll(root, '<root>')]
}

describe("a turn's diff", { timeout: 120_000 }, async () => {
  const [codex, bobbin] = await Promise.all([toldByCodex(), toldByBobbin()])
  for (const name of Object.keys(turns)) {
    it(`is told of ${name}`, () => {
      assert.ok(codex.get(name)?.some(([kind]) => kind === 'end'))
      assert.deepEqual(bobbin.get(name), codex.get(name))
    })
  }
})
