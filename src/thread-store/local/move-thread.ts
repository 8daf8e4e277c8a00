import { basename, dirname, join } from 'node:path'
import type { Clock, FileSystem } from '../../base/index.ts'
import { ARCHIVE_FOLDER, type RolloutFile, SESSIONS_FOLDER } from '../../rollout/index.ts'
import { ThreadStoreError } from '../errors.ts'
import { syncFolders } from './sync-folders.ts'

/** Where an archived rollout goes: the flat folder, under the same name. */
function archivedPath(home: string, file: RolloutFile): string {
  return join(home, ARCHIVE_FOLDER, basename(file.path))
}

/** Where it comes back to: the folders that the date in its name tells. */
function activePath(home: string, file: RolloutFile): string {
  const [year = '', month = '', day = ''] = file.stamp.slice(0, 10).split('-')
  return join(home, SESSIONS_FOLDER, year, month, day, basename(file.path))
}

/** Moves a rollout into the archive. No line is written. */
export async function archiveRollout(
  files: FileSystem,
  home: string,
  file: RolloutFile,
): Promise<void> {
  await move(files, home, file, archivedPath(home, file))
  // A compressed copy may have lain beside it, and would be the thread now.
  const copy = { ...file, path: `${file.path}.zst` }
  if (file.isCompressed || !(await files.facts(copy.path))) return
  await move(files, home, copy, archivedPath(home, copy))
}

/** Moves a rollout back, as changed just now, so that it stands first in lists. */
export async function unarchiveRollout(
  files: FileSystem,
  clock: Clock,
  home: string,
  file: RolloutFile,
): Promise<RolloutFile> {
  const path = activePath(home, file)
  await move(files, home, file, path)
  await files.setModifiedTime(path, clock.nowMs())
  return { ...file, path, isArchived: false }
}

/** A rename: at every moment the thread is at one of the two places, whole. */
async function move(files: FileSystem, home: string, file: RolloutFile, to: string): Promise<void> {
  if ((await files.facts(to)) !== undefined) {
    const reason = `there is another file at ${to} already`
    throw new ThreadStoreError({ code: 'conflict', reason })
  }
  await files.makeDirectory(dirname(to))
  await files.rename(file.path, to)
  await syncFolders(files, home, to)
  await files.syncDirectory(dirname(file.path))
}
