import { basename, join, sep } from 'node:path'
import { type DirectoryEntry, type FileSystem, systemClock } from '../base/index.ts'
import { ARCHIVE_FOLDER, SESSIONS_FOLDER } from './rollout-path.ts'
import {
  newestFirst,
  numericFolders,
  type OnUnreadable,
  type RolloutFile,
  rolloutFiles,
  rolloutNames,
} from './rollout-scan.ts'

export interface CatalogPart {
  /** Newest start first, of several files of one name one. The same list until it changes. */
  readonly rollouts: readonly RolloutFile[]
  /** False when a folder could not be read. */
  readonly isComplete: boolean
}

/** A folder as it was listed; that holds as long as it has this inode and time. */
export interface ListedFolder {
  readonly path: string
  readonly modifiedAtMs: number
  readonly inode: number
  /** Of its entries those that matter. */
  readonly names: readonly string[]
}

/** What outlives the process of what was listed. */
export interface FolderMemory {
  /** Everything that is remembered. */
  readAll(): readonly ListedFolder[]
  update(listed: readonly ListedFolder[], gone: readonly string[]): void
}

interface Folder extends ListedFolder {
  /** Changed so shortly before it was read that a later change may have the same time. */
  readonly isRecent: boolean
}

type PickNames = (entries: readonly DirectoryEntry[]) => string[]
type ListFolder = (path: string, pick: PickNames) => Promise<Folder | undefined>

/** No file system that is worth the name has coarser times. */
const RECENT_MS = 2000

const LEVELS_OF_SESSIONS = 3

/**
 * Which rollouts a home has. A folder is read again only when its time of modification says that
 * entries came or went; the files themselves are not looked at.
 */
export class RolloutCatalog {
  readonly #files: FileSystem
  readonly #home: string
  readonly #folders = new Map<string, Folder>()
  readonly #rollouts = new WeakMap<Folder, readonly RolloutFile[]>()
  readonly #parts = new Map<string, CatalogPart & { readonly folders: readonly Folder[] }>()
  readonly #recalled = new WeakSet<FolderMemory>()

  constructor(files: FileSystem, home: string) {
    this.#files = files
    this.#home = home
  }

  async active(onUnreadable: OnUnreadable, memory?: FolderMemory): Promise<CatalogPart> {
    const root = join(this.#home, SESSIONS_FOLDER)
    return this.#scan(root, onUnreadable, memory, async (list) => {
      let folders = [root]
      for (let level = 0; level < LEVELS_OF_SESSIONS; level += 1) {
        const children: string[] = []
        for (const folder of folders) {
          const found = await list(folder, numericFolders)
          for (const name of found?.names ?? []) children.push(`${folder}${sep}${name}`)
        }
        folders = children
      }
      return folders
    })
  }

  async archived(onUnreadable: OnUnreadable, memory?: FolderMemory): Promise<CatalogPart> {
    const root = join(this.#home, ARCHIVE_FOLDER)
    return this.#scan(root, onUnreadable, memory, () => Promise.resolve([root]))
  }

  async #scan(
    root: string,
    onUnreadable: OnUnreadable,
    memory: FolderMemory | undefined,
    rolloutFolders: (list: ListFolder) => Promise<readonly string[]>,
  ): Promise<CatalogPart> {
    this.#recall(memory)
    const [visited, listed]: [Set<string>, Folder[]] = [new Set(), []]
    let isComplete = true
    const list: ListFolder = async (path, pick) => {
      visited.add(path)
      try {
        const { folder, isNew } = await this.#list(path, pick)
        if (folder && isNew && !folder.isRecent) listed.push(folder)
        return folder
      } catch (error) {
        isComplete = false
        onUnreadable(path, error)
        return undefined
      }
    }
    const folders: Folder[] = []
    for (const path of await rolloutFolders(list)) {
      const folder = await list(path, rolloutNames)
      if (folder) folders.push(folder)
    }
    const isGone = (path: string) => path.startsWith(root) && !visited.has(path)
    const gone = isComplete ? [...this.#folders.keys()].filter(isGone) : []
    for (const path of gone) this.#folders.delete(path)
    memory?.update(listed, gone)
    return this.#part(root, folders, isComplete)
  }

  /** What was listed by this process is newer than what is remembered. */
  #recall(memory: FolderMemory | undefined): void {
    if (!memory || this.#recalled.has(memory)) return
    this.#recalled.add(memory)
    for (const folder of memory.readAll()) {
      if (!this.#folders.has(folder.path)) {
        this.#folders.set(folder.path, { ...folder, isRecent: false })
      }
    }
  }

  /** Sorted anew only when a folder was listed anew. */
  #part(root: string, folders: readonly Folder[], isComplete: boolean): CatalogPart {
    const known = this.#parts.get(root)
    const isSame =
      known?.isComplete === isComplete &&
      known.folders.length === folders.length &&
      known.folders.every((folder, index) => folder === folders[index])
    if (known && isSame) return known
    const isArchived = basename(root) === ARCHIVE_FOLDER
    const found = folders.flatMap((folder) => this.#rolloutsOf(folder, isArchived))
    const rollouts = found.sort(newestFirst).filter((file, index, all) => {
      const before = all[index - 1]
      return before?.threadId !== file.threadId || before.stamp !== file.stamp
    })
    const part = { rollouts, isComplete, folders }
    this.#parts.set(root, part)
    return part
  }

  #rolloutsOf(folder: Folder, isArchived: boolean): readonly RolloutFile[] {
    const known = this.#rollouts.get(folder)
    if (known) return known
    const found = rolloutFiles(folder.path, folder.names, isArchived)
    this.#rollouts.set(folder, found)
    return found
  }

  /** No folder when there is none. */
  async #list(path: string, pick: PickNames): Promise<{ folder?: Folder; isNew?: boolean }> {
    const facts = await this.#files.facts(path)
    const before = this.#folders.get(path)
    const isSame =
      facts !== undefined &&
      before?.modifiedAtMs === facts.modifiedAtMs &&
      before.inode === facts.inode &&
      !before.isRecent
    if (isSame) return { folder: before }
    this.#folders.delete(path)
    if (!facts) return {}
    const { modifiedAtMs, inode, kind } = facts
    // The time of a link says nothing of what it leads to.
    const isRecent = kind !== 'directory' || modifiedAtMs > systemClock.nowMs() - RECENT_MS
    const names = pick(await this.#files.readDirectory(path))
    const folder = { path, modifiedAtMs, inode, names, isRecent }
    this.#folders.set(path, folder)
    return { folder, isNew: true }
  }
}
