import assert from 'node:assert/strict'
import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FaultyFileSystem } from '../../test/support/faulty-file-system.ts'
import { TempFolder } from '../../test/support/temp-folder.ts'
import { threadIdOf } from '../../test/support/thread-log.ts'
import { type DirectoryEntry, type FileSystem, nodeFileSystem } from '../base/index.ts'
import { type FolderMemory, type ListedFolder, RolloutCatalog } from './rollout-catalog.ts'
import { newestFirst, type RolloutFile, scanArchive, scanSessions } from './rollout-scan.ts'

const RUNS = Number(process.env.BOBBIN_RUNS ?? 150)

/** Folders of a home that cannot be listed, although they are there. */
class GuardedFolders extends FaultyFileSystem {
  readonly closed = new Set<string>()

  override readDirectory(path: string): Promise<DirectoryEntry[]> {
    if (!this.closed.has(path)) return super.readDirectory(path)
    return Promise.reject(Object.assign(new Error('EACCES'), { code: 'EACCES' }))
  }
}

const DAYS = [
  'sessions/2026/11/20',
  'sessions/2026/11/21',
  'sessions/2026/12/1',
  'sessions/2025/1/1',
]
const PARENTS = ['2026/11', '2026/12', '2026', '2025/1', '2025'].map((at) => `sessions/${at}`)
const FOLDERS = [...DAYS, 'archived_sessions', ...PARENTS, 'sessions']
const STRANGE = [...FOLDERS, 'sessions/2026/11/20/deeper', 'sessions/x/1/1', 'elsewhere']

const folder = fc.constantFrom(...STRANGE)
const name = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom('', '.zst', '.part'))
  .map(([n, end]) => `rollout-2026-11-20T10-00-0${n}-${threadIdOf(n)}.jsonl${end}`)
const file = fc.tuple(folder, name).map((parts) => parts.join('/'))

type Change =
  | { readonly kind: 'write' | 'remove' | 'folder' | 'close' | 'open'; readonly at: string }
  | { readonly kind: 'move'; readonly at: string; readonly to: string }
  | { readonly kind: 'look'; readonly at: '' }

const anyChange: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: file.map((at): Change => ({ kind: 'write', at })) },
  { weight: 2, arbitrary: file.map((at): Change => ({ kind: 'remove', at })) },
  { weight: 2, arbitrary: folder.map((at): Change => ({ kind: 'remove', at })) },
  { weight: 2, arbitrary: file.map((at): Change => ({ kind: 'folder', at })) },
  fc.tuple(file, file).map(([at, to]): Change => ({ kind: 'move', at, to })),
  fc.tuple(folder, folder).map(([at, to]): Change => ({ kind: 'move', at, to })),
  { weight: 4, arbitrary: fc.constant<Change>({ kind: 'look', at: '' }) },
)

async function make(home: TempFolder, change: Change): Promise<void> {
  const at = home.at(change.at)
  try {
    if (change.kind === 'remove') await rm(at, { recursive: true })
    else if (change.kind === 'move') await rename(at, home.at(change.to))
    else if (change.kind === 'folder') await mkdir(at, { recursive: true })
    else if (change.kind === 'write') {
      await mkdir(dirname(at), { recursive: true })
      await writeFile(at, '')
    }
  } catch {
    // What cannot be done is none.
  }
}

interface Found {
  readonly files: readonly RolloutFile[]
  readonly unreadable: readonly string[]
}

/** What the plain scans find: of files of one name the one that is not compressed. */
async function scanned(files: FileSystem, home: string, isArchived: boolean): Promise<Found> {
  const unreadable: string[] = []
  const scan = isArchived ? scanArchive : scanSessions
  const byName = new Map<string, RolloutFile>()
  for await (const found of scan(files, home, (path) => unreadable.push(path))) {
    const plain = basename(found.path).replace(/\.zst$/, '')
    const known = byName.get(plain)
    if (!known || (known.isCompressed && !found.isCompressed)) byName.set(plain, found)
  }
  return { files: [...byName.values()].sort(newestFirst), unreadable }
}

async function listed(
  catalog: RolloutCatalog,
  isArchived: boolean,
  memory?: FolderMemory,
): Promise<Found> {
  const unreadable: string[] = []
  const note = (path: string) => void unreadable.push(path)
  const part = await (isArchived ? catalog.archived(note, memory) : catalog.active(note, memory))
  assert.equal(part.isComplete, unreadable.length === 0)
  return { files: part.rollouts, unreadable }
}

async function compare(
  files: FileSystem,
  home: string,
  catalog: RolloutCatalog,
  memory?: FolderMemory,
): Promise<void> {
  for (const isArchived of [false, true]) {
    const found = await listed(catalog, isArchived, memory)
    assert.deepEqual(found, await scanned(files, home, isArchived))
  }
}

/** Outlives a catalog, as the index does. */
class KeptFolders implements FolderMemory {
  readonly byPath = new Map<string, ListedFolder>()

  readAll(): ListedFolder[] {
    return [...this.byPath.values()]
  }

  update(listed: readonly ListedFolder[], gone: readonly string[]): void {
    for (const { path, modifiedAtMs, inode, names } of listed) {
      this.byPath.set(path, { path, modifiedAtMs, inode, names })
    }
    for (const path of gone) this.byPath.delete(path)
  }
}

/** So long ago that nothing changed meanwhile. */
async function age(home: TempFolder, seconds = 0): Promise<void> {
  const at = 1e9 + seconds
  for (const each of FOLDERS) await utimes(home.at(each), at, at).catch(() => undefined)
}

describe('the catalog of rollouts', () => {
  it('lists what a scan finds, whatever came and went in between', async () => {
    const property = fc.asyncProperty(fc.array(anyChange, { maxLength: 40 }), async (changes) => {
      await using home = await TempFolder.create()
      const catalog = new RolloutCatalog(nodeFileSystem, home.path)
      for (const change of changes) {
        if (change.kind === 'look') await compare(nodeFileSystem, home.path, catalog)
        else await make(home, change)
      }
      await compare(nodeFileSystem, home.path, catalog)
    })
    await fc.assert(property, { numRuns: RUNS })
  })

  it('notices each change of folders that were old before', async () => {
    const changes = fc.array(anyChange, { minLength: 1, maxLength: 20 })
    const property = fc.asyncProperty(changes, async (all) => {
      await using home = await TempFolder.create()
      for (const at of DAYS) {
        await make(home, { kind: 'write', at: join(at, `rollout-x-${threadIdOf(1)}.jsonl`) })
      }
      const catalog = new RolloutCatalog(nodeFileSystem, home.path)
      await age(home)
      await compare(nodeFileSystem, home.path, catalog)
      for (const change of all) {
        await make(home, change)
        await compare(nodeFileSystem, home.path, catalog)
      }
    })
    await fc.assert(property, { numRuns: RUNS })
  })

  it('reads no folder again that is old and as it was, and gives the same list', async () => {
    await using home = await TempFolder.create()
    const at = `${DAYS[0]}/rollout-2026-11-20T10-00-01-${threadIdOf(1)}.jsonl`
    await make(home, { kind: 'write', at })
    await age(home)
    const files = new FaultyFileSystem()
    const catalog = new RolloutCatalog(files, home.path)
    const first = await catalog.active(assert.fail)
    const before = files.countOf('readDirectory')
    assert.equal(await catalog.active(assert.fail), first)
    assert.equal(files.countOf('readDirectory'), before)
    await make(home, { kind: 'write', at: at.replace('01-', '02-') })
    const next = await catalog.active(assert.fail)
    assert.deepEqual([next.rollouts.length, files.countOf('readDirectory')], [2, before + 1])
  })

  it('goes on from what an earlier process has listed, whatever changed in between', async () => {
    const rounds = fc.array(fc.array(anyChange, { maxLength: 8 }), { minLength: 1, maxLength: 6 })
    const property = fc.asyncProperty(rounds, fc.boolean(), async (all, isAged) => {
      await using home = await TempFolder.create()
      for (const at of DAYS) {
        await make(home, {
          kind: 'write',
          at: join(at, `rollout-2026-11-20T10-00-01-${threadIdOf(1)}.jsonl`),
        })
      }
      const memory = new KeptFolders()
      for (const [round, changes] of all.entries()) {
        if (isAged) await age(home, round)
        const catalog = new RolloutCatalog(nodeFileSystem, home.path)
        await compare(nodeFileSystem, home.path, catalog, memory)
        for (const change of changes) await make(home, change)
        await compare(nodeFileSystem, home.path, catalog, memory)
      }
    })
    await fc.assert(property, { numRuns: RUNS })
  })

  it('reads no old folder again in a new process, and forgets those that are gone', async () => {
    await using home = await TempFolder.create()
    for (const at of FOLDERS) await make(home, { kind: 'write', at: `${at}/x` })
    await age(home)
    const memory = new KeptFolders()
    await new RolloutCatalog(nodeFileSystem, home.path).active(assert.fail, memory)
    const known = [...memory.byPath.keys()]
    const files = new FaultyFileSystem()
    await new RolloutCatalog(files, home.path).active(assert.fail, memory)
    assert.equal(files.countOf('readDirectory'), 0)
    await rm(home.at('sessions/2026/12'), { recursive: true })
    await age(home, 1)
    await new RolloutCatalog(files, home.path).active(assert.fail, memory)
    const gone = known.filter((path) => !memory.byPath.has(path))
    const expected = ['sessions/2026/12', 'sessions/2026/12/1']
    assert.deepEqual(gone.toSorted(), expected.map((at) => home.at(at)).toSorted())
  })

  it('tells of folders that cannot be read, and lists them when they can', async () => {
    await using home = await TempFolder.create()
    for (const [index, at] of [...DAYS, 'archived_sessions'].entries()) {
      await make(home, {
        kind: 'write',
        at: `${at}/rollout-2026-11-20T10-00-0${index}-${threadIdOf(index)}.jsonl`,
      })
    }
    for (const closed of FOLDERS) {
      const files = new GuardedFolders()
      const catalog = new RolloutCatalog(files, home.path)
      files.closed.add(home.at(closed))
      await compare(files, home.path, catalog)
      files.closed.clear()
      await compare(files, home.path, catalog)
    }
  })

  it('follows a link at the place of the folder of sessions, wherever it leads', async () => {
    await using home = await TempFolder.create()
    const names = [1, 2].map((n) => `rollout-2026-11-20T10-00-0${n}-${threadIdOf(n)}.jsonl`)
    for (const [index, target] of ['one', 'two'].entries()) {
      await make(home, { kind: 'write', at: `${target}/2026/11/20/${names[index]}` })
    }
    const catalog = new RolloutCatalog(nodeFileSystem, home.path)
    for (const target of ['one', 'two', 'one', 'none']) {
      await rm(home.at('sessions'), { force: true })
      await symlink(home.at(target), home.at('sessions'))
      await compare(nodeFileSystem, home.path, catalog)
    }
  })
})
