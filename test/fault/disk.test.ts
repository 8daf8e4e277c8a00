/**
 * A disk that becomes full during twenty turns, at any byte, and has room again; a home that
 * nobody can write to. Where a file system can be mounted it is a real one, else one that behaves
 * so.
 */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { Workplace } from '../support/bobbin.ts'
import { ALL } from '../support/codex-home.ts'
import { SessionKit } from '../support/session-kit.ts'
import { fullAt, MountedDisk } from '../support/small-disk.ts'
import { header, textOf, threadIdOf, turn } from '../support/thread-log.ts'
import { fillUp, play, sizeOfScript } from './told-turns.ts'

const DISKS = Number(process.env.BOBBIN_DISKS ?? 12)

describe('a disk that becomes full during twenty turns', () => {
  it('loses nothing that was told, wherever the room ends', async () => {
    const wholeBytes = await sizeOfScript()
    for (let disk = 0; disk < DISKS; disk += 1) {
      await using kit = await SessionKit.open([])
      const capacity = Math.floor(((disk + 0.37) / DISKS) * wholeBytes)
      kit.files.plan = fullAt(kit.home, capacity)
      const failures = await fillUp(kit, () => {
        kit.files.plan = () => undefined
      })
      assert.ok(failures > 0, `${capacity} bytes are enough`)
    }
  })

  it('loses nothing on a real one that cannot be written at all for a while', async (t) => {
    await using kit = await SessionKit.open([])
    using disk = MountedDisk.mount(kit.home, 128)
    if (!disk) t.diagnostic('no file system can be mounted here: a model of one stands in')
    disk?.fill(96 * 1024)
    if (!disk) kit.files.plan = fullAt(kit.home, 32 * 1024)
    const failures = await fillUp(kit, () => {
      disk?.free()
      kit.files.plan = () => undefined
    })
    assert.ok(failures > 0)
  })

  it('can be listed, read and searched meanwhile', async () => {
    await using kit = await SessionKit.open([])
    using disk = MountedDisk.mount(kit.home, 128)
    const handle = await kit.start()
    await play(kit, handle, 0)
    if (disk) disk.fillUp()
    kit.files.plan = fullAt(kit.home, 0)
    assert.notEqual((await play(kit, handle, 1)).status, 'completed')
    const { threads, unreadable } = await kit.store.listThreads(ALL)
    assert.deepEqual([threads.length, unreadable], [1, []])
    const { threadId } = handle
    const page = await kit.store.listTurns({ threadId, limit: 9, direction: 'asc' })
    assert.equal(page.turns[0]?.status, 'completed')
    assert.equal((await kit.store.loadHistory(threadId)).damage.length, 0)
    disk?.free()
    kit.files.plan = () => undefined
    assert.equal((await play(kit, handle, 2)).status, 'completed')
    await handle.close()
  })
})

/** A home with one thread, and nobody may write to it; undefined where that cannot be arranged. */
function makeReadOnly(place: Workplace): Disposable | undefined {
  mkdirSync(place.home)
  const disk = process.getuid?.() === 0 ? MountedDisk.mount(place.home, 512) : undefined
  if (process.getuid?.() === 0 && !disk) return undefined
  const path = join(place.home, 'sessions/2026/11/20', `rollout-2026-11-20T10-00-00-${ID}.jsonl`)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, textOf([header(ID, { cwd: place.project }), ...turn(1)]))
  writeFileSync(join(place.home, 'config.toml'), CONFIG)
  if (disk) {
    disk.makeReadOnly()
    return disk
  }
  const modes = (folderMode: number) => {
    for (const each of readdirSync(place.home, { recursive: true, withFileTypes: true })) {
      const mode = each.isDirectory() ? folderMode : folderMode & 0o600
      chmodSync(join(each.parentPath, each.name), mode)
    }
    chmodSync(place.home, folderMode)
  }
  modes(0o500)
  return { [Symbol.dispose]: () => makeWritable(place.home) }
}

function makeWritable(folder: string): void {
  chmodSync(folder, 0o700)
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) makeWritable(join(folder, entry.name))
  }
}

const ID = threadIdOf(1)
const CONFIG = `model = "gpt-5.4"
model_provider = "mock"
[model_providers.mock]
base_url = "http://127.0.0.1:9/v1"
`

describe('a home that nobody can write to', () => {
  it('is listed, shown and exported; search and new turns say why they cannot', async (t) => {
    await using place = await Workplace.create()
    using home = makeReadOnly(place)
    if (!home) {
      t.diagnostic('root may not mount here: the next test stands in')
      return
    }
    const before = await place.homeFiles()
    for (const [args, wanted] of [
      [['list'], ID],
      [['show', ID], 'u1'],
      [['export', ID], 'a1'],
    ] as const) {
      const { exitCode, stdout, stderr } = await place.run(['threads', ...args])
      assert.deepEqual([exitCode, stderr], [0, ''], args[0])
      assert.ok(stdout.includes(wanted), stdout)
    }
    const searched = await place.run(['threads', 'search', 'u1'])
    assert.notEqual(searched.exitCode, 0)
    assert.match(searched.stderr, /search needs the index .*, which cannot be opened now/)
    for (const args of [['hello'], ['resume', ID, 'hello']]) {
      const { exitCode, stderr } = await place.exec(args)
      assert.equal(exitCode, 1)
      assert.doesNotMatch(stderr, /^\s+at /m)
    }
    assert.deepEqual(await place.homeFiles(), before)
  })

  it('is what a refused turn names as the reason', async () => {
    await using place = await Workplace.create()
    using home = makeReadOnly(place)
    if (!home) return
    for (const args of [['hello'], ['resume', ID, 'hello']]) {
      const { stderr } = await place.exec(args)
      assert.match(stderr, /^bobbin: .*(read-only file system|permission denied)/im)
    }
  })

  it('refuses a turn, and takes it once it can be written to', async () => {
    await using kit = await SessionKit.open([])
    const handle = await kit.start()
    kit.files.plan = ({ method }) =>
      ['openForAppend', 'makeDirectory', 'file.write'].includes(method)
        ? { kind: 'fail', code: 'EROFS' }
        : undefined
    const refused = await play(kit, handle, 0)
    assert.equal(refused.status, 'refused')
    assert.match(refused.message, /^the conversation could not be saved: .*EROFS/)
    assert.deepEqual((await kit.store.listThreads(ALL)).threads, [])
    kit.files.plan = () => undefined
    assert.equal((await play(kit, handle, 1)).status, 'completed')
  })
})
