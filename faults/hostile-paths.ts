/**
 * Paths of logs that are none, or lie elsewhere: links, pipes, devices, folders, files outside the
 * home. Nobody hangs on them, nothing is read through a link, nothing outside is written.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText } from '../src/base/index.ts'
import { header, textOf, threadIdOf, turn } from '../test/support/thread-log.ts'
import { Incarnations } from './incarnations.ts'
import { shortTurns } from './model.ts'
import { assertServed, placeThreads } from './placed-home.ts'
import type { FaultClass } from './suite.ts'

const STRANGER = threadIdOf(99)
const STAMP = '2026-11-20T10-00-00'
const LOG = textOf([header(STRANGER), ...turn(1)])

/** Puts something at the path; `outside` is a good log that is none of the home's. */
const THINGS: { readonly [what: string]: (path: string, outside: string) => void } = {
  'a link to a log outside': (path, outside) => symlinkSync(outside, path),
  'a link to a device': (path) => symlinkSync('/dev/zero', path),
  'a link to nothing': (path) => symlinkSync('/nothing/there', path),
  'a link to itself': (path) => symlinkSync(path, path),
  'a link to a folder': (path) => symlinkSync('/', path),
  'a pipe': (path) => void execFileSync('mkfifo', [path]),
  'a folder': (path) => void mkdirSync(path),
}

/** What resume and fork are asked for by path. */
const PATHS: { readonly [what: string]: (place: string) => string } = {
  'a device': () => '/dev/zero',
  'a terminal': () => '/dev/tty',
  'what is no log': () => '/etc/passwd',
  'memory of a process': () => '/proc/self/mem',
  'a folder': (place) => place,
  'a path with dots': (place) => `${place}/home/sessions/../../outside.jsonl/../outside.jsonl`,
  'a NUL': (place) => `${place}/x\0.jsonl`,
  'a very long path': (place) => `${place}/${'x'.repeat(5000)}.jsonl`,
  nothing: (place) => `${place}/nothing.jsonl`,
}

export const hostilePaths: FaultClass = {
  name: 'paths: links, pipes, devices, outside',
  goals: 'G22',
  steps: { short: 1, long: 8 },
  async run(trial) {
    await using model = await shortTurns()
    await using servers = await Incarnations.start(trial.lab, model.baseUrl)
    const { place } = servers
    const threads = await placeThreads(place, 4)
    const outside = join(place.root, 'outside.jsonl')
    await writeFile(outside, LOG)
    const folder = join(place.home, 'sessions/2026/11/20')
    const isUntouched = async () => assert.equal(await readFile(outside, 'utf8'), LOG, 'outside')
    for (const [n, [what, put]] of Object.entries(THINGS).entries()) {
      await trial.fault(`${what} among the logs`, async (checks) => {
        const id = threadIdOf(100 + n)
        const path = join(folder, `rollout-${STAMP}-${id}.jsonl`)
        put(path, outside)
        await assertServed(servers.peer, threads, checks)
        for (const params of [{ threadId: id }, { threadId: id, path }]) {
          await isRefused(servers, 'thread/resume', params)
          await isRefused(servers, 'thread/fork', params)
        }
        await isRefused(servers, 'thread/read', { threadId: id, includeTurns: true })
        await isUntouched()
        checks.add()
      })
    }
    for (const [what, pathIn] of Object.entries(PATHS)) {
      await trial.fault(`${what} as a path`, async (checks) => {
        const path = pathIn(place.root)
        for (const method of ['thread/resume', 'thread/fork']) {
          await servers.ask(method, { threadId: '', path }).catch(isAnswer)
        }
        await isUntouched()
        await assertServed(servers.peer, threads, checks)
      })
    }
  },
}

/** An error of the server, not of its end. */
function isAnswer(error: unknown): void {
  assert.match(errorText(error), /"code":-32/)
}

async function isRefused(
  servers: Incarnations,
  method: string,
  params: { readonly [name: string]: string | boolean },
): Promise<void> {
  const refused = await servers.ask(method, params).then(() => undefined, errorText)
  assert.match(refused ?? `${method} was served`, /"code":-32/)
}
