import { dirname, relative } from 'node:path'
import type { FileSystem, OpenFile } from '../../../base/index.ts'

const CHUNK_BYTES = 256 * 1024

/** Writes all of the bytes, which a file may take in parts. */
export async function writeAll(file: OpenFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const count = await file.write(bytes.subarray(done))
    if (count === 0) throw new Error('the file took no bytes')
    done += count
  }
}

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
  await syncFolders(files, home, dirname(to))
}

/** Makes new folders between the home and a file survive a power cut. */
export async function syncFolders(files: FileSystem, home: string, folder: string): Promise<void> {
  for (let each = folder; !relative(home, each).startsWith('..'); each = dirname(each)) {
    await files.syncDirectory(each)
  }
}
