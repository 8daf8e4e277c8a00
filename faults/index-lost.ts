/**
 * The index of a home is damaged, cut, changed, locked or gone when a server starts, and while it
 * runs. It serves the same threads, and takes a turn.
 */
import assert from 'node:assert/strict'
import { existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { INDEX_FILE } from '../src/thread-store/index.ts'
import { INDEX_FAULTS } from '../test/fault/index-faults.ts'
import type { Random } from '../test/support/seeded-random.ts'
import { Sqlite } from '../test/support/sqlite.ts'
import { Incarnations } from './incarnations.ts'
import { shortTurns } from './model.ts'
import { assertServed, placeThreads } from './placed-home.ts'
import type { FaultClass, Trial } from './suite.ts'

const THREADS = 12

type Spoil = (path: string, random: Random) => Disposable | undefined

function changed(change: (database: Sqlite) => void): Spoil {
  return (path) => {
    if (!existsSync(path)) return undefined
    const database = new Sqlite(path)
    try {
      change(database)
    } finally {
      database.close()
    }
    return undefined
  }
}

/** Some bytes of it become others. */
const scribble: Spoil = (path, random) => {
  if (!existsSync(path)) return undefined
  const { length } = readFileSync(path)
  const file = openSync(path, 'r+')
  for (let n = 0; n < 8; n += 1)
    writeSync(file, Buffer.alloc(64, random(256)), 0, 64, random(length))
  return undefined
}

function tablesOf(database: Sqlite): string[] {
  const select = `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'`
  const rows = database.prepare(`${select} AND name NOT LIKE 'sqlite_%'`).all()
  return rows.map((row) => String((row as { name: unknown }).name))
}

const SPOILS: { readonly [what: string]: Spoil } = {
  ...INDEX_FAULTS,
  'scribbled on': scribble,
  'without a table': changed((database) => {
    for (const name of tablesOf(database).slice(0, 1)) database.exec(`DROP TABLE "${name}"`)
  }),
  'empty of rows': changed((database) => {
    for (const name of tablesOf(database)) database.exec(`DELETE FROM "${name}"`)
  }),
  'from the future': changed((database) => {
    database.pragma('user_version = 99999')
  }),
}

/** All in the long form, a few in the short one. */
function someOf({ isShort, random }: Trial): [what: string, spoil: Spoil][] {
  const all = Object.entries(SPOILS)
  const from = random(all.length)
  return isShort ? [...all, ...all].slice(from, from + 4) : all
}

export const lostIndex: FaultClass = {
  name: 'index: damaged, cut, locked, gone',
  goals: 'G8 G9 G10',
  steps: { short: 1, long: 10 },
  async run(trial) {
    await using model = await shortTurns()
    await using servers = await Incarnations.start(trial.lab, model.baseUrl)
    const threads = await placeThreads(servers.place, THREADS)
    const path = join(servers.place.home, INDEX_FILE)
    await assertServed(servers.peer, threads, { add: () => undefined })
    await servers.ask('thread/search', { searchTerm: 'u1' }).catch(() => undefined)
    for (const [what, spoil] of someOf(trial)) {
      await trial.fault(`${what}, while the server runs and when it starts`, async (checks) => {
        {
          using _ = spoil(path, trial.random)
          await assertServed(servers.peer, threads, checks)
        }
        await servers.kill()
        {
          using _ = spoil(path, trial.random)
          await servers.restart()
          await assertServed(servers.peer, threads, checks)
          const threadId = await servers.startThread()
          const { status } = await servers.runTurn(threadId, `turn while it is ${what}`)
          assert.equal(status, 'completed')
        }
        await assertServed(servers.peer, threads, checks)
      })
      if (servers.server.child.signalCode !== null) await servers.restart()
    }
  },
}
