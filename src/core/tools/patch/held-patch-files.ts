import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readlink, unlink } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { errorCode } from '../../../base/index.ts'
import { nodePatchFiles, type PatchFiles } from './patch-files.ts'

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants

/**
 * Writes to these places and no others, whatever links a command in the background puts into their
 * paths meanwhile: each file and folder is held open, and looked at, before anything is done to it.
 * Places have no links in them. Needs /proc.
 */
export function heldPatchFiles(places: readonly string[]): PatchFiles {
  const check = (real: string): string => {
    if (places.some((place) => place === real || place.startsWith(real + sep))) return real
    throw new Error(`${real} is not where the patch was to go`)
  }
  return {
    readText: nodePatchFiles.readText,

    async write(path, text) {
      await using folder = await openFolder(dirname(path), check)
      await using file = await openFile(folder, basename(path), check)
      check(await realPathOf(file))
      await file.truncate()
      await file.writeFile(text)
    },

    async remove(path) {
      await using folder = await openFolder(dirname(path), check)
      const name = basename(path)
      check(join(await realPathOf(folder), name))
      await unlink(within(folder, name))
    },
  }
}

/** Makes it where it is missing, in places that pass the check. */
async function openFolder(path: string, check: (real: string) => string): Promise<FileHandle> {
  try {
    return await open(path, O_RDONLY | O_DIRECTORY)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) throw error
  }
  await using above = await openFolder(dirname(path), check)
  const name = basename(path)
  check(join(await realPathOf(above), name))
  await mkdir(within(above, name))
  return await open(within(above, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
}

/** The file as it is, or a new one; a link is followed only to what is there. */
async function openFile(
  folder: FileHandle,
  name: string,
  check: (real: string) => string,
): Promise<FileHandle> {
  try {
    return await open(within(folder, name), O_WRONLY)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
  }
  check(join(await realPathOf(folder), name))
  return await open(within(folder, name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666)
}

function within(folder: FileHandle, name: string): string {
  return `/proc/self/fd/${folder.fd}/${name}`
}

function realPathOf(handle: FileHandle): Promise<string> {
  return readlink(`/proc/self/fd/${handle.fd}`)
}
