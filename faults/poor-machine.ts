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

/** How a turn ended, or the error with which it was refused. */
async function tryTurn(servers: Incarnations, threadId: string, text: string): Promise<string> {
  try {
    const turn = await servers.runTurn(threadId, text)
    const message = stringAt(objectAt(turn, 'error') ?? {}, 'message') ?? ''
    return `${turn.status} ${message}`
  } catch (error) {
    return `refused ${errorText(error)}`
  }
}

const NOT_SAVED = /could not be saved|read-only|ENOSPC|EROFS|EMFILE|no space/i

/** A place whose home is a file system of its own, of two megabytes, and a model for it. */
class SmallPlace implements AsyncDisposable {
  readonly place: Workplace
  readonly disk: MountedDisk
  readonly #owned: AsyncDisposableStack

  private constructor(place: Workplace, disk: MountedDisk, owned: AsyncDisposableStack) {
    this.place = place
    this.disk = disk
    this.#owned = owned
  }

  /** Undefined where nothing can be mounted; the trial is told so. */
  static async open(trial: Trial): Promise<SmallPlace | undefined> {
    await using opening = new AsyncDisposableStack()
    const model = opening.use(await shortTurns())
    const place = opening.use(await trial.lab.place())
    mkdirSync(place.home)
    const disk = MountedDisk.mount(place.home, 2048)
    if (!disk) {
      trial.skip('no file system can be mounted here')
      return undefined
    }
    opening.use(disk)
    await place.useModel(model.baseUrl)
    return new SmallPlace(place, disk, opening.move())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync()
  }
}

export const fullHome: FaultClass = {
  name: 'machine: a full disk below a server',
  goals: 'G11 G12',
  steps: { short: 1, long: 6 },
  async run(trial) {
    await using small = await SmallPlace.open(trial)
    if (!small) return
    const { place, disk } = small
    await using servers = await Incarnations.on(trial.lab, place)
    const threads = await placeThreads(place, 3)
    await trial.fault('full, then with room, then killed', async (checks) => {
      await assertServed(servers.peer, threads, checks)
      const threadId = await servers.startThread()
      assert.match(await tryTurn(servers, threadId, 'with room'), /^completed/)
      disk.fillUp()
      for (const n of [1, 2, 3]) {
        const outcome = await tryTurn(servers, threadId, `${'long '.repeat(3000)} ${n}`)
        assert.match(outcome, /^(failed|refused)/)
        assert.match(outcome, NOT_SAVED)
      }
      await assertServed(servers.peer, threads, checks)
      disk.free()
      assert.match(await tryTurn(servers, threadId, 'room again'), /^completed/)
      const told = new Told()
      told.hear(servers.peer.messages)
      disk.fillUp()
      await servers.restart()
      await told.assertKept(servers.peer, checks)
      await assertServed(servers.peer, threads, checks)
      disk.free()
    })
  },
}

export const readOnlyHome: FaultClass = {
  name: 'machine: a read-only home',
  goals: 'G8 G12',
  steps: { short: 1, long: 4 },
  async run(trial) {
    await using small = await SmallPlace.open(trial)
    if (!small) return
    const { place, disk } = small
    const threads = await placeThreads(place, 6)
    disk.makeReadOnly()
    await trial.fault('read-only from the start', async (checks) => {
      await using servers = await Incarnations.on(trial.lab, place)
      await assertServed(servers.peer, threads, checks)
      const outcome = await startAndTry(servers)
      assert.match(outcome, /^(failed|refused)/)
      assert.match(outcome, NOT_SAVED)
      await assertServed(servers.peer, threads, checks)
    })
  },
}

async function startAndTry(servers: Incarnations): Promise<string> {
  try {
    return await tryTurn(servers, await servers.startThread(), 'hello')
  } catch (error) {
    return `refused ${errorText(error)}`
  }
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
          const outcome = await startAndTry(servers)
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
      assert.match(await tryTurn(servers, threadId, 'one'), /^completed/)
      lose(place.home)
      const outcome = await tryTurn(servers, threadId, 'two')
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
