/**
 * The power goes at every storage call of a script: what is left is what had been synced. At level
 * `turn` no message that was answered and no turn that was told as finished may be gone, at level
 * `power` no item that was told; at both, no change of a thread that was answered.
 */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { systemClock } from '../src/base/index.ts'
import { assistantMessage, functionCall } from '../src/core/index.ts'
import type { ThreadId, Turn, TurnItem } from '../src/protocol/index.ts'
import type { Durability } from '../src/rollout/index.ts'
import { LocalThreadStore, type StoredThread, ThreadStoreError } from '../src/thread-store/index.ts'
import { SessionKit, text, Watch } from '../test/support/session-kit.ts'
import { TempFolder } from '../test/support/temp-folder.ts'
import { threadIdOf } from '../test/support/thread-log.ts'
import { type Image, LEFTOVERS, RecordedDisk } from './recorded-disk.ts'
import type { Checks, FaultClass, Trial } from './suite.ts'

/** What had been told at some moment. */
interface Told {
  /** Words of the person by the turn's id. */
  readonly messages: Map<string, string>
  /** Turns that were told as completed. */
  readonly completed: Set<string>
  /** Texts of items that were told, by turn. */
  readonly items: [turnId: string, text: string][]
  name: string | null
  isArchived: boolean
  /** A thread that was forked from the first. */
  fork: ThreadId | undefined
}

interface Cut {
  readonly image: Image
  readonly told: Told
  readonly what: string
}

const TURNS = 3
const FORK = threadIdOf(77)
const ORIGIN = { originator: 'faults', cli_version: '0', source: 'exec' } as const

export function powerCut(level: Durability): FaultClass {
  return {
    name: `power: a cut at level ${level}`,
    goals: 'G3 G4',
    steps: { short: 1, long: 12 },
    run: (trial) => runCuts(trial, level),
  }
}

async function runCuts(trial: Trial, level: Durability): Promise<void> {
  const cuts: Cut[] = []
  const { threadId, home } = await playScript(trial, level, cuts)
  for (const { image, told, what } of cuts) {
    await trial.fault(`the power goes at ${what}`, async (checks) => {
      await using folder = await TempFolder.create()
      for (const [path, bytes] of image) {
        const at = folder.at('home', relative(home, path))
        await mkdir(dirname(at), { recursive: true })
        await writeFile(at, bytes)
      }
      const options = { home: folder.at('home'), files: trial.lab.disk(), clock: systemClock }
      await using store = new LocalThreadStore({ ...options, durability: level })
      await assertKept(store, threadId, told, level, checks)
    })
  }
}

/** Turns, a name, a fork and the archive, with a cut after each call that changes something. */
async function playScript(trial: Trial, level: Durability, cuts: Cut[]) {
  const disk = new RecordedDisk()
  await using kit = await SessionKit.open([], { disk: trial.lab.disk(disk), durability: level })
  disk.root = kit.home
  const told: Told = {
    messages: new Map(),
    completed: new Set(),
    items: [],
    name: null,
    isArchived: false,
    fork: undefined,
  }
  disk.onChange = () => {
    const leftover = LEFTOVERS[trial.random(LEFTOVERS.length)] ?? 'nothing'
    const image = disk.imageAfterCut(leftover, trial.random)
    cuts.push({ image, told: structuredClone(told), what: `call ${cuts.length}, ${leftover} left` })
  }
  const handle = await kit.start()
  const { threadId } = handle
  using watch = new Watch(handle)
  using _telling = handle.listen((event) => {
    if (event.type === 'turnCompleted') told.completed.add(event.turnId)
    if (event.type !== 'itemCompleted' || event.item.type !== 'agentMessage') return
    told.items.push([event.turnId, event.item.text])
  })
  for (let n = 0; n < TURNS; n += 1) {
    const plan = functionCall('update_plan', { plan: [] }, `call_${n}`)
    kit.model.replace(
      { items: [assistantMessage(`first words ${n}`), plan] },
      { items: [assistantMessage(`last words ${n}`)] },
    )
    const ended = watch.next(({ type }) => type === 'turnCompleted')
    const turnId = await handle.startTurn(text(`prompt ${n}`))
    told.messages.set(turnId, `prompt ${n}`)
    await ended
    await kit.store.updateThreadMetadata(threadId, { name: `name ${n}` })
    told.name = `name ${n}`
  }
  await handle.close()
  const fork = { sourceId: threadId, threadId: FORK, createdAtMs: systemClock.nowMs() }
  await kit.store.forkThread({ ...fork, origin: ORIGIN })
  told.fork = FORK
  await kit.store.archiveThread(threadId)
  told.isArchived = true
  disk.onChange()
  disk.onChange = () => undefined
  return { threadId, home: kit.home }
}

async function assertKept(
  store: LocalThreadStore,
  threadId: ThreadId,
  told: Told,
  level: Durability,
  checks: Checks,
): Promise<void> {
  checks.add()
  const thread = await found(store, threadId)
  if (!thread) {
    assert.equal(told.messages.size, 0, 'the thread is lost')
    return
  }
  if (told.name !== null) {
    checks.add()
    assert.ok(Number(thread.name?.slice(5)) >= Number(told.name.slice(5)), `${thread.name}`)
  }
  if (told.isArchived) assert.ok(thread.isArchived, 'the thread is not in the archive')
  const turns = await turnsOf(store, threadId)
  for (const [turnId, message] of told.messages) {
    checks.add()
    assert.ok(textsOf(turns, turnId).includes(message), `the message ${message} is lost`)
  }
  for (const turnId of told.completed) {
    checks.add()
    assert.equal(turns.find(({ id }) => id === turnId)?.status, 'completed', turnId)
  }
  for (const [turnId, words] of told.items) {
    if (level !== 'power' && !told.completed.has(turnId)) continue
    checks.add()
    assert.ok(textsOf(turns, turnId).includes(words), `the item ${words} is lost`)
  }
  if (told.fork === undefined) return
  checks.add()
  assert.deepEqual((await turnsOf(store, told.fork)).length, turns.length, 'the fork')
}

async function turnsOf(store: LocalThreadStore, threadId: ThreadId): Promise<readonly Turn[]> {
  return (await store.listTurns({ threadId, limit: 100, direction: 'asc' })).turns
}

async function found(
  store: LocalThreadStore,
  threadId: ThreadId,
): Promise<StoredThread | undefined> {
  try {
    return await store.readThread(threadId)
  } catch (error) {
    if (error instanceof ThreadStoreError && error.failure.code !== 'internal') return undefined
    throw error
  }
}

function textsOf(turns: readonly Turn[], turnId: string): string[] {
  const items = turns.find(({ id }) => id === turnId)?.items ?? []
  return items.flatMap((item: TurnItem) => {
    if (item.type === 'agentMessage') return [item.text]
    if (item.type !== 'userMessage') return []
    return item.content.flatMap((part) => (part.type === 'text' ? [part.text] : []))
  })
}
