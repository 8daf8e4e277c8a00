import { join, relative } from 'node:path'
import { type DirectoryEntry, errorText, type FileSystem } from '../../../base/index.ts'
import {
  ARCHIVE_FOLDER,
  parseRolloutName,
  type RolloutFile,
  SESSIONS_FOLDER,
} from '../../../rollout/index.ts'

/** All that lies where a home has its threads. */
export interface HomeWalk {
  /** Regular files with the name of a rollout, in the order of their paths. */
  readonly rollouts: readonly RolloutFile[]
  /** The name of a rollout, but a link, a folder, a pipe or a device. */
  readonly irregular: readonly string[]
  /** Files and folders that no reader looks for. */
  readonly strays: readonly string[]
  /** Files of a copy that was not ended. */
  readonly parts: readonly string[]
  readonly folders: readonly string[]
  readonly unreadable: readonly { readonly path: string; readonly reason: string }[]
}

const LEVELS_OF_SESSIONS = 3
const NUMERIC = /^\d+$/
const PART = /^rollout-.*\.part$/

/** Names only: no file is opened. Follows no links. */
export async function walkHome(files: FileSystem, home: string): Promise<HomeWalk> {
  const walk = new Walk(files)
  await walk.sessions(join(home, SESSIONS_FOLDER), LEVELS_OF_SESSIONS)
  await walk.threads(join(home, ARCHIVE_FOLDER), true)
  return walk
}

/** Where a rollout of that name is looked for, below the home. */
export function expectedFolder({ stamp, isArchived }: RolloutFile): string {
  const [year = '', month = '', day = ''] = stamp.slice(0, 10).split('-')
  return isArchived ? ARCHIVE_FOLDER : join(SESSIONS_FOLDER, year, month, day)
}

/** The folder of a path, below the home. */
export function folderBelow(home: string, path: string): string {
  return relative(home, join(path, '..'))
}

class Walk implements HomeWalk {
  readonly #files: FileSystem
  readonly rollouts: RolloutFile[] = []
  readonly irregular: string[] = []
  readonly strays: string[] = []
  readonly parts: string[] = []
  readonly folders: string[] = []
  readonly unreadable: { path: string; reason: string }[] = []

  constructor(files: FileSystem) {
    this.#files = files
  }

  async sessions(folder: string, levels: number): Promise<void> {
    if (levels === 0) return this.threads(folder, false)
    for (const { name, kind } of await this.#entries(folder)) {
      const path = join(folder, name)
      if (kind === 'directory' && NUMERIC.test(name)) await this.sessions(path, levels - 1)
      else this.strays.push(path)
    }
  }

  async threads(folder: string, isArchived: boolean): Promise<void> {
    for (const { name, kind } of await this.#entries(folder)) {
      const path = join(folder, name)
      const parsed = parseRolloutName(name)
      if (parsed && kind === 'file') this.rollouts.push({ ...parsed, path, isArchived })
      else if (parsed) this.irregular.push(path)
      else if (PART.test(name)) this.parts.push(path)
      else this.strays.push(path)
    }
  }

  async #entries(folder: string): Promise<DirectoryEntry[]> {
    try {
      // A link to a folder is not followed: it is told as what it is by whoever looks for it.
      if ((await this.#files.facts(folder))?.kind !== 'directory') return []
      const entries = await this.#files.readDirectory(folder)
      this.folders.push(folder)
      const shown = entries.filter(({ name }) => !name.startsWith('.'))
      return shown.sort((a, b) => (a.name < b.name ? -1 : 1))
    } catch (error) {
      this.unreadable.push({ path: folder, reason: errorText(error) })
      return []
    }
  }
}
