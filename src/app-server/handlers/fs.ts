import { constants } from 'node:fs'
import {
  copyFile,
  cp,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  rm,
  rmdir,
  stat,
  symlink,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { join, sep } from 'node:path'
import * as z from 'zod/mini'
import { errorCode, type Json, type JsonObject } from '../../base/index.ts'
import { osFailure } from '../os-error.ts'
import { Base64Error, decodeBase64 } from '../protocol/base64.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { method } from '../protocol/method.ts'
import { absolutePath } from '../protocol/paths.ts'
import { optional } from '../protocol/schema.ts'
import { type Route, route } from '../router.ts'

const path = absolutePath()
const readFileMethod = method('fs/readFile', () => z.object({ path }))
const writeFileMethod = method('fs/writeFile', () => z.object({ path, dataBase64: z.string() }))
const createDirectory = method('fs/createDirectory', () =>
  z.object({ path, recursive: optional(z.boolean()) }),
)
const getMetadata = method('fs/getMetadata', () => z.object({ path }))
const readDirectory = method('fs/readDirectory', () => z.object({ path }))
const remove = method('fs/remove', () =>
  z.object({ path, recursive: optional(z.boolean()), force: optional(z.boolean()) }),
)
const copy = method('fs/copy', () =>
  z.object({
    sourcePath: absolutePath('sourcePath'),
    destinationPath: absolutePath('destinationPath'),
    recursive: optional(z.boolean()),
  }),
)

/** Larger files are for other means than one JSON text. Source: observed, 0.133.0 reads 512 MiB. */
const MOST_BYTES = 128 * 1024 * 1024
const MOST_ENTRIES = 100_000

/** Files of the machine, with the rights of this process. Source: `app-server.md` 18.4. */
export function fsRoutes(): Route[] {
  return [
    route(readFileMethod, ({ path }) => answering(() => readWhole(path))),
    route(writeFileMethod, ({ path, dataBase64 }) => {
      return answering(async () => {
        await writeFile(path, decoded(dataBase64))
        return {}
      })
    }),
    route(createDirectory, ({ path, recursive = true }) => {
      return answering(async () => {
        await mkdir(path, { recursive })
        return {}
      })
    }),
    route(getMetadata, ({ path }) => answering(() => metadataOf(path))),
    route(readDirectory, ({ path }) => answering(() => entriesOf(path))),
    route(remove, ({ path, recursive = true, force = true }) => {
      return answering(() => removeAt(path, recursive, force))
    }),
    route(copy, ({ sourcePath, destinationPath, recursive = false }) => {
      return answering(() => copyTo(sourcePath, destinationPath, recursive))
    }),
  ]
}

async function answering(work: () => Promise<JsonObject>): Promise<JsonObject> {
  try {
    return await work()
  } catch (error) {
    throw osFailure(error)
  }
}

function decoded(dataBase64: string): Buffer {
  try {
    return decodeBase64(dataBase64)
  } catch (error) {
    if (!(error instanceof Base64Error)) throw error
    throw invalid(`fs/writeFile requires valid base64 dataBase64: ${error.message}`)
  }
}

async function readWhole(path: string): Promise<JsonObject> {
  // Without waiting: a pipe that nobody writes to must not hold the request for ever.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const facts = await file.stat()
  if (!facts.isFile() && !facts.isDirectory()) throw invalid('fs/readFile reads regular files only')
  if (facts.size > MOST_BYTES) {
    throw invalid(`file is too large to read: limit is ${MOST_BYTES} bytes`)
  }
  return { dataBase64: (await file.readFile()).toString('base64') }
}

async function metadataOf(path: string): Promise<JsonObject> {
  const [facts, own] = await Promise.all([stat(path), lstat(path)])
  return {
    isDirectory: facts.isDirectory(),
    isFile: facts.isFile(),
    isSymlink: own.isSymbolicLink(),
    createdAtMs: Math.max(0, Math.floor(facts.birthtimeMs)),
    modifiedAtMs: Math.max(0, Math.floor(facts.mtimeMs)),
  }
}

async function entriesOf(path: string): Promise<JsonObject> {
  const names = await readdir(path)
  if (names.length > MOST_ENTRIES) {
    throw invalid(`directory has too many entries: limit is ${MOST_ENTRIES}`)
  }
  const found = await Promise.all(
    names.map(async (fileName): Promise<Json[]> => {
      // Gone meanwhile, or a link to nothing: 0.133.0 leaves those out as well.
      const facts = await stat(join(path, fileName)).catch(() => undefined)
      if (!facts) return []
      return [{ fileName, isDirectory: facts.isDirectory(), isFile: facts.isFile() }]
    }),
  )
  return { entries: found.flat() }
}

async function removeAt(path: string, recursive: boolean, force: boolean): Promise<JsonObject> {
  try {
    const isFolder = (await lstat(path)).isDirectory()
    if (!isFolder) await unlink(path)
    else if (recursive) await rm(path, { recursive: true })
    else await rmdir(path)
  } catch (error) {
    if (!force || errorCode(error) !== 'ENOENT') throw error
  }
  return {}
}

async function copyTo(
  source: string,
  destination: string,
  recursive: boolean,
): Promise<JsonObject> {
  const facts = await lstat(source)
  if (facts.isDirectory()) {
    if (!recursive) throw invalid('fs/copy requires recursive: true when sourcePath is a directory')
    if (`${destination}${sep}`.startsWith(source === sep ? sep : `${source}${sep}`)) {
      throw invalid('fs/copy cannot copy a directory to itself or one of its descendants')
    }
    await cp(source, destination, { recursive: true, verbatimSymlinks: true, force: true })
  } else if (facts.isSymbolicLink()) {
    await symlink(await readlink(source), destination)
  } else if (facts.isFile()) {
    await copyFile(source, destination)
  } else {
    throw invalid('fs/copy only supports regular files, directories, and symlinks')
  }
  return {}
}
