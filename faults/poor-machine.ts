/**
 * A server on a machine that gives it little: a disk that is full, a home that is read-only or
 * goes away, few descriptors. It starts, lists and reads; a turn that cannot be kept says so.
 */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText, objectAt, stringAt } from '../src/base/index.ts'
import type { Workplace } from '../test/support/bobbin.ts'
import { MountedDisk } from '../test/support/small-disk.ts'
import { Incarnations } from './incarnations.ts'
import { shortTurns } from './model.ts'
import { assertServed, placeThreads } from './placed-home.ts'
import type { FaultClass, Trial } from './suite.ts'
import { Told } from './told.ts'

/** How a turn ended, or the error with which it was refused; in a new thread unless told. */
async function tryTurn(servers: Incarnations, text: string, threadId?: string): Promise<string> {
  try {
    const turn = await servers.runTurn(threadId ?? (await servers.startThread()), text)
    const message = stringAt(objectAt(turn, 'error') ?? {}, 'message') ?? ''
    return `${turn.status} ${message}`
  } catch (error) {
    return `refused ${errorText(error)}`
  }
}

function assertNotSaved(outcome: string): void {
  assert.match(outcome, /^(failed|refused)/)
  assert.match(outcome, /could not be saved|read-only|ENOSPC|EROFS|EMFILE|no space/i)
}

/**
 * In a place whose home is a file system of its own, of two megabytes, and with a model. Where
 * nothing can be mounted the trial is told so.
 */
async function onSmallDisk(
  trial: Trial,
  run: (place: Workplace, disk: MountedDisk) => Promise<void>,
): Promise<void> {
  await using model = await shortTurns()
  await using place = await trial.lab.place()
  mkdirSync(place.home)
  using disk = MountedDisk.mount(place.home, 2048)
  if (!disk) {
    trial.skip('no file system can be mounted here')
    return
  }
  await place.useModel(model.baseUrl)
  await run(place, disk)
}

export const fullHome: FaultClass = {
  name: 'machine: a full disk below a server',
  goals: 'G11 G12',
  steps: { short: 1, long: 6 },
  run: (trial) => onSmallDisk(trial, (place, disk) => fillHome(trial, place, disk)),
}

async function fillHome(trial: Trial, place: Workplace, disk: MountedDisk): Promise<void> {
  await using servers = await Incarnations.on(trial.lab, place)
  const threads = await placeThreads(place, 3)
  await trial.fault('full, then with room, then killed', async (checks) => {
    await assertServed(servers.peer, threads, checks)
    const threadId = await servers.startThread()
    assert.match(await tryTurn(servers, 'with room', threadId), /^completed/)
    disk.fillUp()
    for (const n of [1, 2, 3]) {
      assertNotSaved(await tryTurn(servers, `${'long '.repeat(3000)} ${n}`, threadId))
    }
    await assertServed(servers.peer, threads, checks)
    disk.free()
    assert.match(await tryTurn(servers, 'room again', threadId), /^completed/)
    const told = new Told()
    told.hear(servers.peer.messages)
    disk.fillUp()
    await servers.restart()
    await told.assertKept(servers.peer, checks)
    await assertServed(servers.peer, threads, checks)
    disk.free()
  })
}

export const readOnlyHome: FaultClass = {
  name: 'machine: a read-only home',
  goals: 'G8 G12',
  steps: { short: 1, long: 4 },
  run: (trial) =>
    onSmallDisk(trial, async (place, disk) => {
      const threads = await placeThreads(place, 6)
      disk.makeReadOnly()
      await trial.fault('read-only from the start', async (checks) => {
        await using servers = await Incarnations.on(trial.lab, place)
        await assertServed(servers.peer, threads, checks)
        assertNotSaved(await tryTurn(servers, 'hello'))
        await assertServed(servers.peer, threads, checks)
      })
    }),
}

/** Node itself needs some twenty of them. */
const DESCRIPTORS = [32, 40, 64]

export const fewDescriptors: FaultClass = {
  name: 'machine: few descriptors',
  goals: 'G12',
  steps: { short: 1, long: 4 },
  async run(trial) {
    await using model = await shortTurns()
    for (const limit of DESCRIPTORS) {
      await trial.fault(`${limit} descriptors`, async (checks) => {
        await using place = await trial.lab.place()
        await place.useModel(model.baseUrl)
        place.launcher = ['sh', '-c', `ulimit -n ${limit}; exec "$@"`, 'sh']
        const threads = await placeThreads(place, 30)
        await using servers = await Incarnations.on(trial.lab, place)
        await assertServed(servers.peer, threads, checks)
        for (let n = 0; n < 12; n += 1) {
          const outcome = await tryTurn(servers, 'hello')
          assert.match(outcome, /^(completed|failed|refused)/)
        }
        // With every descriptor in use it may refuse, but not pass a part for the whole.
        await assertServed(servers.peer, threads, checks).catch((error: Error) => {
          if (!/too many open files/.test(error.message)) throw error
        })
        const told = new Told()
        told.hear(servers.peer.messages)
        delete place.launcher
        await servers.restart()
        await told.assertKept(servers.peer, checks)
      })
    }
  },
}

/** What becomes of the folder of a thread that is loaded. */
const LOSSES: { readonly [what: string]: (home: string) => void } = {
  'sessions/ is removed': (home) => rmSync(join(home, 'sessions'), { recursive: true }),
  'the home is removed': (home) => rmSync(home, { recursive: true }),
  'sessions/ becomes a file': (home) => {
    rmSync(join(home, 'sessions'), { recursive: true })
    writeFileSync(join(home, 'sessions'), 'x')
  },
}

export const homeGone: FaultClass = {
  name: 'machine: the home goes away',
  goals: 'G12',
  steps: { short: 1, long: 4 },
  run: (trial) => loseHomes(trial),
}

/** A turn is told as completed only if it is in a file that can be found. */
async function loseHomes(trial: Trial): Promise<void> {
  await using model = await shortTurns()
  for (const [what, lose] of Object.entries(LOSSES)) {
    await trial.fault(what, async (checks) => {
      await using servers = await Incarnations.start(trial.lab, model.baseUrl)
      const { place } = servers
      const threadId = await servers.startThread()
      assert.match(await tryTurn(servers, 'one', threadId), /^completed/)
      lose(place.home)
      const outcome = await tryTurn(servers, 'two', threadId)
      checks.add()
      if (outcome.startsWith('completed')) {
        const logs = (await place.homeFiles()).filter((name) => name.includes(threadId))
        const texts = await Promise.all(logs.map((log) => readFile(join(place.home, log), 'utf8')))
        assert.ok(texts.join('').includes('"two"'), 'told as completed, and in no file')
      } else {
        assert.match(outcome, /deleted|no such file|not a directory|ENOENT|ENOTDIR|EEXIST/i)
      }
    })
  }
}
