import { join } from 'node:path'
import { type DirectoryEntry, type FileSystem, systemClock } from '../base/index.ts'
import { ARCHIVE_FOLDER, SESSIONS_FOLDER } from './rollout-path.ts'
import {
  newestFirst,
  numericFolders,
  type OnUnreadable,
  type RolloutFile,
  rolloutsIn,
} from './rollout-scan.ts'

export interface CatalogPart {
  /** Newest start first, of several files of one name one. The same list until it changes. */
  readonly rollouts: readonly RolloutFile[]
  /** False when a folder could not be read. */
  readonly isComplete: boolean
}

interface Folder<T> {
  readonly modifiedAtMs: number
  readonly inode: number
  /** Changed so shortly before it was read that a later change may have the same time. */
  readonly isRecent: boolean
  readonly content: T
}

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
  readonly #folders = new Map<string, Folder<readonly string[]>>()
  readonly #days = new Map<string, Folder<readonly RolloutFile[]>>()
  readonly #parts = new Map<string, CatalogPart & { readonly days: readonly object[] }>()

  constructor(files: FileSystem, home: string) {
    this.#files = files
    this.#home = home
  }

  async active(onUnreadable: OnUnreadable): Promise<CatalogPart> {
    return this.#scan(SESSIONS_FOLDER, onUnreadable, async (note) => {
      let folders = [join(this.#home, SESSIONS_FOLDER)]
      for (let level = 0; level < LEVELS_OF_SESSIONS; level += 1) {
        const children: string[] = []
        for (const folder of folders) {
          const found = await this.#read(this.#folders, folder, note, (entries) =>
            numericFolders(folder, entries),
          )
          children.push(...(found ?? []))
        }
        folders = children
      }
      return this.#rollouts(folders, false, note)
    })
  }

  async archived(onUnreadable: OnUnreadable): Promise<CatalogPart> {
    return this.#scan(ARCHIVE_FOLDER, onUnreadable, (note) =>
      this.#rollouts([join(this.#home, ARCHIVE_FOLDER)], true, note),
    )
  }

  async #scan(
    name: string,
    onUnreadable: OnUnreadable,
    scan: (note: OnUnreadable) => Promise<(readonly RolloutFile[])[]>,
  ): Promise<CatalogPart> {
    let isComplete = true
    const days = await scan((folder, error) => {
      isComplete = false
      onUnreadable(folder, error)
    })
    return this.#part(name, days, isComplete)
  }

  async #rollouts(
    folders: readonly string[],
    isArchived: boolean,
    onUnreadable: OnUnreadable,
  ): Promise<(readonly RolloutFile[])[]> {
    const days: (readonly RolloutFile[])[] = []
    for (const folder of folders) {
      const found = await this.#read(this.#days, folder, onUnreadable, (entries) =>
        rolloutsIn(folder, entries, isArchived),
      )
      if (found) days.push(found)
    }
    return days
  }

  /** Sorted anew only when a folder was read anew. */
  #part(name: string, days: readonly (readonly RolloutFile[])[], isComplete: boolean): CatalogPart {
    const known = this.#parts.get(name)
    const isSame =
      known?.isComplete === isComplete &&
      known.days.length === days.length &&
      known.days.every((day, index) => day === days[index])
    if (known && isSame) return known
    const byName = new Map<string, RolloutFile>()
    for (const file of days.flat()) {
      // A file name without `.zst` says this and no more.
      const name = `${file.stamp}-${file.threadId}`
      const known = byName.get(name)
      if (!known || (known.isCompressed && !file.isCompressed)) byName.set(name, file)
    }
    const rollouts = [...byName.values()].sort(newestFirst)
    const part = { rollouts, isComplete, days }
    this.#parts.set(name, part)
    return part
  }

  /** Undefined when there is no such folder, or it cannot be read. */
  async #read<T>(
    known: Map<string, Folder<T>>,
    folder: string,
    onUnreadable: OnUnreadable,
    parse: (entries: readonly DirectoryEntry[]) => T,
  ): Promise<T | undefined> {
    try {
      const facts = await this.#files.facts(folder)
      const before = known.get(folder)
      const isSame =
        facts !== undefined &&
        before?.modifiedAtMs === facts.modifiedAtMs &&
        before.inode === facts.inode &&
        !before.isRecent
      if (isSame) return before.content
      known.delete(folder)
      if (!facts) return undefined
      const { modifiedAtMs, inode, kind } = facts
      // The time of a link says nothing of what it leads to.
      const isRecent = kind !== 'directory' || modifiedAtMs > systemClock.nowMs() - RECENT_MS
      const content = parse(await this.#files.readDirectory(folder))
      known.set(folder, { modifiedAtMs, inode, isRecent, content })
      return content
    } catch (error) {
      onUnreadable(folder, error)
      return undefined
    }
  }
}
