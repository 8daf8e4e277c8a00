import { dirname, relative, sep } from 'node:path'
import type { FileSystem } from '../../base/index.ts'

/** Makes the folders from a file's up to the home survive a power cut: each may be new. */
export async function syncFolders(files: FileSystem, home: string, path: string): Promise<void> {
  let folder = path
  for (const _part of relative(home, path).split(sep)) {
    folder = dirname(folder)
    await files.syncDirectory(folder)
  }
}
