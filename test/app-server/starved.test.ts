/** Rule: a server that could not load what it serves says so, and tries again when asked again. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { it } from 'node:test'
import { promisify } from 'node:util'
import { Workplace } from '../support/bobbin.ts'

const DESCRIPTORS = 64
const SERVER = join(import.meta.dirname, '..', 'support', 'starved-server.ts')

it('without descriptors refuses what it cannot load, and serves when there are some', async () => {
  await using place = await Workplace.create()
  const limited = ['-c', `ulimit -n ${DESCRIPTORS}; exec "$@"`, 'sh', process.execPath]
  const { stdout } = await promisify(execFile)('sh', [...limited, SERVER, place.home], {
    cwd: place.project,
    env: place.environment,
    timeout: 60_000,
  })
  const [unloaded, uncomposed, served] = JSON.parse(stdout)
  for (const [{ error }, file] of [
    [unloaded, 'thread-server.ts'],
    [uncomposed, 'compose.ts'],
  ]) {
    assert.equal(error.code, -32603)
    assert.match(error.message, /^the server could not be loaded: EMFILE: .*; the next message /)
    assert.ok(error.message.includes(file), error.message)
  }
  assert.deepEqual(served.result, { data: [], nextCursor: null })
})
