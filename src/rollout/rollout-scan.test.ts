import assert from 'node:assert/strict'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, it } from 'node:test'
import { FaultyFileSystem } from '../../test/support/faulty-file-system.ts'
import { TempFolder } from '../../test/support/temp-folder.ts'
import { threadIdOf } from '../../test/support/thread-log.ts'
import { type DirectoryEntry, errorCode, nodeFileSystem } from '../base/index.ts'
import { parseThreadId, type ThreadId } from '../protocol/index.ts'
import { parseRolloutName, rolloutPath } from './rollout-path.ts'
import { findRollout, type RolloutFile, scanArchive, scanSessions } from './rollout-scan.ts'

const NONE = () => assert.fail('everything can be read')

async function touch(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, '')
  return path
}

function name(stamp: string, n: number): string {
  return `rollout-${stamp}-${threadIdOf(n)}.jsonl`
}

async function pathsOf(scan: AsyncGenerator<RolloutFile>): Promise<string[]> {
  return (await Array.fromAsync(scan)).map((file) => file.path)
}

describe('scanning', () => {
  it('gives the newest start first, and for one second the newest id', async () => {
    await using home = await TempFolder.create()
    const paths = [
      home.at('sessions/2027/01/01', name('2027-01-01T00-00-00', 1)),
      home.at('sessions/2026/11/20', name('2026-11-20T10-00-01', 2)),
      home.at('sessions/2026/11/20', name('2026-11-20T10-00-00', 4)),
      home.at('sessions/2026/11/20', name('2026-11-20T10-00-00', 3)),
      home.at('sessions/2026/11/09', name('2026-11-09T10-00-00', 9)),
      home.at('sessions/2026/02/28', name('2026-02-28T23-59-59', 8)),
    ]
    for (const path of paths.toReversed()) await touch(path)
    assert.deepEqual(await pathsOf(scanSessions(nodeFileSystem, home.path, NONE)), paths)
  })

  it('passes over what is no rollout: other names, folders, links', async () => {
    await using home = await TempFolder.create()
    const day = home.at('sessions/2026/11/20')
    const kept = await touch(`${day}/${name('2026-11-20T10-00-00', 1)}`)
    await touch(`${day}/notes.txt`)
    await touch(home.at('sessions', name('2026-11-20T10-00-00', 2)))
    await touch(home.at('sessions/old/11/20', name('2026-11-20T10-00-00', 3)))
    await mkdir(`${day}/${name('2026-11-20T10-00-00', 4)}`)
    await symlink(kept, `${day}/${name('2026-11-20T10-00-00', 5)}`)
    await symlink(day, home.at('sessions/2026/11/21'))
    assert.deepEqual(await pathsOf(scanSessions(nodeFileSystem, home.path, NONE)), [kept])
  })

  it('takes compressed ones, but the plain one where both are there', async () => {
    await using home = await TempFolder.create()
    const day = home.at('sessions/2026/11/20')
    const both = await touch(`${day}/${name('2026-11-20T10-00-00', 2)}`)
    await touch(`${both}.zst`)
    const compressed = await touch(`${day}/${name('2026-11-20T10-00-00', 1)}.zst`)
    const archived = await touch(
      home.at('archived_sessions', `${name('2026-11-20T10-00-00', 3)}.zst`),
    )
    const scanned = await Array.fromAsync(scanSessions(nodeFileSystem, home.path, NONE))
    assert.deepEqual(
      scanned.map(({ path, isCompressed }) => [path, isCompressed]),
      [
        [both, false],
        [compressed, true],
      ],
    )
    assert.deepEqual(await pathsOf(scanArchive(nodeFileSystem, home.path, NONE)), [archived])
    const ids = [1, 2, 3].map(threadIdOf)
    const found = await Promise.all(ids.map((id) => findRollout(nodeFileSystem, home.path, id)))
    assert.deepEqual(
      found.map((file) => file?.path),
      [compressed, both, archived],
    )
  })

  it('gives nothing where there is no home, and the archive by itself', async () => {
    await using home = await TempFolder.create()
    const nowhere = home.at('nowhere')
    assert.deepEqual(await pathsOf(scanSessions(nodeFileSystem, nowhere, NONE)), [])
    assert.deepEqual(await pathsOf(scanArchive(nodeFileSystem, nowhere, NONE)), [])
    const archived = home.at('archived_sessions')
    const paths = [
      await touch(`${archived}/${name('2026-11-20T10-00-00', 2)}`),
      await touch(`${archived}/${name('2026-11-19T10-00-00', 1)}`),
    ]
    await touch(`${archived}/2026/${name('2026-11-19T10-00-00', 3)}`)
    assert.deepEqual(await pathsOf(scanArchive(nodeFileSystem, home.path, NONE)), paths)
    assert.deepEqual(await pathsOf(scanSessions(nodeFileSystem, home.path, NONE)), [])
  })

  it('reads folders only as far as it is asked to', async () => {
    await using home = await TempFolder.create()
    for (const day of ['18', '19', '20']) {
      await touch(home.at('sessions/2026/11', day, name(`2026-11-${day}T10-00-00`, 1)))
    }
    const files = new FaultyFileSystem()
    for await (const file of scanSessions(files, home.path, NONE)) {
      assert.equal(file.stamp, '2026-11-20T10-00-00')
      break
    }
    assert.equal(files.countOf('readDirectory'), 4)
  })

  it('tells of a folder that cannot be read, and reads the others', async () => {
    await using home = await TempFolder.create()
    await touch(home.at('sessions/2026/11/20', name('2026-11-20T10-00-00', 2)))
    const kept = await touch(home.at('sessions/2026/11/19', name('2026-11-19T10-00-00', 1)))
    const files = lockedFolder(home.at('sessions/2026/11/20'))
    const told: unknown[] = []
    const note = (folder: string, error: unknown) => told.push([folder, errorCode(error)])
    assert.deepEqual(await pathsOf(scanSessions(files, home.path, note)), [kept])
    assert.deepEqual(told, [[home.at('sessions/2026/11/20'), 'EACCES']])
  })
})

/** Root can read every folder: so the file system says no instead. */
function lockedFolder(folder: string): typeof nodeFileSystem {
  return {
    ...nodeFileSystem,
    readDirectory: async (path): Promise<DirectoryEntry[]> => {
      if (path !== folder) return nodeFileSystem.readDirectory(path)
      throw Object.assign(new Error('EACCES: no'), { code: 'EACCES' })
    },
  }
}

describe('finding a thread', () => {
  const id = (text: string): ThreadId => parseThreadId(text) ?? assert.fail(text)
  const V7 = id('01a1f849-e8a0-7170-ab42-ef1530329e68')
  const MINTED_AT_MS = 0x01a1f849e8a0
  const V4 = id('5973b6c0-94b8-487b-a530-2aeb6098ae0e')

  async function found(home: TempFolder, threadId: ThreadId, files = nodeFileSystem) {
    return (await findRollout(files, home.path, threadId))?.path
  }

  it('looks for names of its second first, then into the folder of its day', async () => {
    const listings = [
      [0, 0],
      [1000, 0],
      [5000, 1],
    ] as const
    for (const [laterMs, count] of listings) {
      for (const end of ['', '.zst']) {
        await using home = await TempFolder.create()
        const path = `${rolloutPath(home.path, V7, MINTED_AT_MS + laterMs)}${end}`
        await touch(path)
        const files = new FaultyFileSystem()
        assert.deepEqual(await findRollout(files, home.path, V7), {
          ...parseRolloutName(path),
          path,
          isArchived: false,
        })
        assert.equal(files.countOf('readDirectory'), count)
      }
    }
  })

  it('takes the plain one of two, and no folder', async () => {
    await using home = await TempFolder.create()
    const path = rolloutPath(home.path, V7, MINTED_AT_MS)
    await mkdir(path, { recursive: true })
    assert.equal(await found(home, V7), undefined)
    const later = await touch(rolloutPath(home.path, V7, MINTED_AT_MS + 1000))
    await touch(`${later}.zst`)
    assert.equal(await found(home, V7), later)
  })

  it('looks everywhere: other days, ids without time, the archive', async () => {
    await using home = await TempFolder.create()
    const odd = await touch(home.at('sessions/2020/1/1', `rollout-2020-01-01T00-00-00-${V7}.jsonl`))
    assert.equal(await found(home, V7), odd)
    const archived = home.at('archived_sessions', `rollout-2020-01-01T00-00-00-${V4}.jsonl`)
    await touch(archived)
    assert.equal(await found(home, V4), archived)
    assert.equal(await found(home, threadIdOf(3)), undefined)
  })

  it('takes the active one before the archived one', async () => {
    await using home = await TempFolder.create()
    await touch(home.at('archived_sessions', `rollout-2026-11-20T00-00-00-${V4}.jsonl`))
    const active = home.at('sessions/2020/01/01', `rollout-2020-01-01T00-00-00-${V4}.jsonl`)
    await touch(active)
    assert.equal(await found(home, V4), active)
  })

  it('fails when it may be in a folder that cannot be read, unless it is elsewhere', async () => {
    await using home = await TempFolder.create()
    const path = await touch(rolloutPath(home.path, V7, MINTED_AT_MS + 5000))
    const files = lockedFolder(dirname(path))
    await assert.rejects(found(home, V7, files), { code: 'EACCES' })
    const archived = home.at('archived_sessions', `rollout-2026-11-20T00-00-00-${V7}.jsonl`)
    await touch(archived)
    assert.equal(await found(home, V7, files), archived)
  })
})
