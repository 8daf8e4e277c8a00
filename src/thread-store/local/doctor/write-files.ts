import { dirname } from 'node:path'
import { type FileSystem, type OpenFile, writeAll } from '../../../base/index.ts'
import { syncFolders } from '../sync-folders.ts'

const CHUNK_BYTES = 256 * 1024

/** A new file, synced when this returns; what there is of it is removed when it fails. */
export async function writeNewFile(
  files: FileSystem,
  path: string,
  write: (file: OpenFile) => Promise<void>,
): Promise<void> {
  const file = await files.openForAppend(path, 'create')
  try {
    try {
      await write(file)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    await files.remove(path).catch(() => undefined)
    throw error
  }
}

/** Copies a file byte for byte to a new one, with its time; synced, and its folders too. */
export async function copyFile(
  files: FileSystem,
  home: string,
  from: string,
  to: string,
): Promise<void> {
  await files.makeDirectory(dirname(to))
  const source = await files.openForRead(from)
  try {
    await writeNewFile(files, to, async (file) => {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
      for (let position = 0; ; ) {
        const count = await source.read(chunk, position)
        if (count === 0) break
        await writeAll(file, chunk.subarray(0, count))
        position += count
      }
    })
    await files.setModifiedTime(to, (await source.facts()).modifiedAtMs)
  } finally {
    await source.close()
  }
  await syncFolders(files, home, to)
}
