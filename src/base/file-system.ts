import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncate,
  lstatSync,
  open,
  openSync,
  read,
  readdirSync,
  type Stats,
  writeSync,
} from 'node:fs'
import * as fs from 'node:fs/promises'
import { errorCode } from './errors.ts'

export interface FileFacts {
  readonly sizeBytes: number
  readonly modifiedAtMs: number
  /** Identity of the file behind the path; changes when the path is replaced. */
  readonly inode: number
  /** Zero once the last path to an open file has been removed. */
  readonly linkCount: number
  readonly kind: 'file' | 'directory' | 'other'
}

export interface DirectoryEntry {
  readonly name: string
  readonly kind: 'file' | 'directory' | 'other'
}

/** An open file. Whoever opened it closes it. */
export interface OpenFile {
  /** Fills `into` from `position`; returns the count of bytes read, 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>
  /** Writes at the end of the file; may write fewer bytes than asked. */
  write(bytes: Uint8Array): Promise<number>
  facts(): Promise<FileFacts>
  truncate(sizeBytes: number): Promise<void>
  /** Returns when the bytes are on the device (`fdatasync`). */
  sync(): Promise<void>
  close(): Promise<void>
}

/**
 * The file calls that the thread log makes, so that a test can fail or cut any one of them.
 * Errors are Node's system errors.
 */
export interface FileSystem {
  /** Opens for reading. Never follows a final symbolic link, never blocks on a pipe. */
  openForRead(path: string): Promise<OpenFile>
  /** Opens for appending; `create` makes the file (mode 0600) and fails if it is there. */
  openForAppend(path: string, mode: 'create' | 'existing'): Promise<OpenFile>
  /** Undefined when there is nothing at `path`. Does not follow a final symbolic link. */
  facts(path: string): Promise<FileFacts | undefined>
  /** The same at once, for questions about thousands of files: waiting would take longer. */
  factsNow(path: string): FileFacts | undefined
  /** Makes the directory and its parents (mode 0700). */
  makeDirectory(path: string): Promise<void>
  /** Empty when there is no such directory. */
  readDirectory(path: string): Promise<DirectoryEntry[]>
  /** Undefined when there is no such file; throws for what is no regular file. */
  readText(path: string): Promise<string | undefined>
  /** Makes a new directory entry survive a power cut. */
  syncDirectory(path: string): Promise<void>
  /** Moves within one file system, replacing what was at `to`. */
  rename(from: string, to: string): Promise<void>
  /** Nothing happens when there is no such file. */
  remove(path: string): Promise<void>
  setModifiedTime(path: string, atMs: number): Promise<void>
}

function kindOf(entry: { isFile(): boolean; isDirectory(): boolean }): FileFacts['kind'] {
  if (entry.isFile()) return 'file'
  return entry.isDirectory() ? 'directory' : 'other'
}

function factsOf(stat: Stats): FileFacts {
  return {
    sizeBytes: stat.size,
    modifiedAtMs: stat.mtimeMs,
    // Some systems have greater ones, which databases hand out in part only.
    inode: stat.ino % 2 ** 53,
    linkCount: stat.nlink,
    kind: kindOf(stat),
  }
}

/** A bare descriptor: `FileHandle` costs a list of ten thousand files as much as reading them. */
function openFile(fd: number): OpenFile {
  return {
    read: (into, position) =>
      new Promise((resolve, reject) => {
        read(fd, into, 0, into.byteLength, position, (error, count) => {
          if (error) reject(error)
          else resolve(count)
        })
      }),
    // Both touch the kernel's memory only: a trip to the thread pool would cost ten times as much.
    write: async (bytes) => writeSync(fd, bytes),
    facts: async () => factsOf(fstatSync(fd)),
    truncate: (sizeBytes) => settled((done) => ftruncate(fd, sizeBytes, done)),
    sync: () => settled((done) => fdatasync(fd, done)),
    close: async () => closeSync(fd),
  }
}

function settled(call: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error ? reject(error) : resolve()))
  })
}

/** Files that are open for reading, and who waits for one of them to be closed. */
const readers = { count: 0, waiting: [] as (() => void)[] }

/**
 * Opens at once, for lists open thousands. Where the process may open no more, and others that are
 * being read will soon be closed, it waits for that. Throws `EMFILE` when there is none to wait
 * for.
 */
async function openReader(path: string, flags: number): Promise<OpenFile> {
  for (;;) {
    try {
      const file = openFile(openSync(path, flags))
      readers.count += 1
      return { ...file, close: () => closeReader(file) }
    } catch (error) {
      if (!isOutOfDescriptors(error) || readers.count === 0) throw error
      if (!(await isReaderClosed())) throw error
    }
  }
}

/** Not for ever: whoever has a file open may himself be waiting here for one more. */
const READER_LIMIT_MS = 1000

/** Resolves when a reader has been closed; false when none was in time. */
function isReaderClosed(): Promise<boolean> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer)
      resolve(true)
    }
    const timer = setTimeout(() => {
      readers.waiting.splice(readers.waiting.indexOf(wake), 1)
      resolve(false)
    }, READER_LIMIT_MS)
    readers.waiting.push(wake)
  })
}

async function closeReader(file: OpenFile): Promise<void> {
  readers.count -= 1
  try {
    await file.close()
  } finally {
    // With nobody left to wait for, all have to see for themselves.
    const woken = readers.count === 0 ? readers.waiting.length : 1
    for (const wake of readers.waiting.splice(0, woken)) wake()
  }
}

/** Whether a call failed because the process, or the machine, has too many files open. */
export function isOutOfDescriptors(error: unknown): boolean {
  return ['EMFILE', 'ENFILE'].includes(errorCode(error) ?? '')
}

function openDescriptor(path: string, flags: number, mode = 0o600): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, flags, mode, (error, fd) => (error ? reject(error) : resolve(fd)))
  })
}

async function orUndefined<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

const { O_RDONLY, O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants

export const nodeFileSystem: FileSystem = {
  // Nothing at the path can make this wait (O_NONBLOCK).
  openForRead: (path) => openReader(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
  openForAppend: async (path, mode) => {
    const flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK
    const extra = mode === 'create' ? O_CREAT | O_EXCL : 0
    return openFile(await openDescriptor(path, flags | extra))
  },
  facts: async (path) => nodeFileSystem.factsNow(path),
  factsNow: (path) => {
    // The kernel mostly has it in memory.
    const stat = lstatSync(path, { throwIfNoEntry: false })
    return stat && factsOf(stat)
  },
  makeDirectory: async (path) => {
    try {
      await fs.mkdir(path, { recursive: true, mode: 0o700 })
    } catch (error) {
      // On a file system that is read-only, Node says that there is no such file.
      if (errorCode(error) === 'ENOENT') await fs.mkdir(path, { mode: 0o700 })
      throw error
    }
  },
  readDirectory: async (path) => {
    // At once, as `factsNow`: a list reads hundreds of small folders one after the other.
    const entries = await orUndefined(async () => readdirSync(path, { withFileTypes: true }))
    return (entries ?? []).map((entry) => ({ name: entry.name, kind: kindOf(entry) }))
  },
  readText: async (path) => {
    const handle = await orUndefined(() => fs.open(path, O_RDONLY | O_NONBLOCK))
    if (!handle) return undefined
    try {
      if (!(await handle.stat()).isFile()) throw new Error(`not a regular file: ${path}`)
      return await handle.readFile('utf8')
    } finally {
      await handle.close()
    }
  },
  rename: (from, to) => fs.rename(from, to),
  remove: async (path) => {
    await orUndefined(() => fs.unlink(path))
  },
  setModifiedTime: (path, atMs) => fs.utimes(path, atMs / 1000, atMs / 1000),
  syncDirectory: async (path) => {
    const handle = await fs.open(path, O_RDONLY)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
}
