import { type FSWatcher, statSync, watch } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import * as z from 'zod/mini'
import type { Connection } from '../connection.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { method } from '../protocol/method.ts'
import { absolutePath } from '../protocol/paths.ts'
import { type Route, route } from '../router.ts'

const byWatch = ({ watchId }: { readonly watchId: string }) => `fs/watch ${watchId}`
const fsWatch = method('fs/watch', () => z.object({ watchId: z.string(), path: absolutePath() }), {
  queueKey: byWatch,
})
const fsUnwatch = method('fs/unwatch', () => z.object({ watchId: z.string() }), {
  queueKey: byWatch,
})

const MOST_WATCHES = 256
/** Changes within that time are told together. */
const GATHER_MS = 200
/** More paths at once are not told one by one: the watched path stands for them. */
const MOST_PATHS = 1000

/** Watches belong to the connection that has asked for them and end with it. */
export function fsWatchRoutes(): Route[] {
  const watches = new WeakMap<Connection, Map<string, Disposable>>()
  const ofConnection = (connection: Connection): Map<string, Disposable> => {
    const known = watches.get(connection)
    if (known) return known
    const made = new Map<string, Disposable>()
    watches.set(connection, made)
    connection.onClose(() => {
      for (const each of made.values()) each[Symbol.dispose]()
      made.clear()
    })
    return made
  }
  return [
    route(fsWatch, async ({ watchId, path }, { connection }) => {
      const own = ofConnection(connection)
      if (own.has(watchId)) throw invalid(`watchId already exists: ${watchId}`)
      if (own.size >= MOST_WATCHES) throw invalid(`too many watches: limit is ${MOST_WATCHES}`)
      const tell = (changedPaths: string[]) => {
        connection.notify('fs/changed', { watchId, changedPaths })
      }
      own.set(watchId, new PathWatch(path, tell))
      return { path }
    }),
    route(fsUnwatch, async ({ watchId }, { connection }) => {
      const own = ofConnection(connection)
      own.get(watchId)?.[Symbol.dispose]()
      own.delete(watchId)
      return {}
    }),
  ]
}

/**
 * What changes at a path: the entries of a folder, not what is below them, or one file. A path
 * where nothing is yet is watched for as soon as its folder is there.
 */
export class PathWatch implements Disposable {
  readonly #path: string
  readonly #tell: (changedPaths: string[]) => void
  #watcher: FSWatcher | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #changed = new Set<string>()

  constructor(path: string, tell: (changedPaths: string[]) => void) {
    this.#path = path
    this.#tell = tell
    this.#open()
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#watcher?.close()
    this.#watcher = undefined
    this.#changed.clear()
  }

  #open(): void {
    const isFolder = isFolderAt(this.#path)
    // A file is watched by its folder: editors put a new file in the place of the old one.
    const folder = isFolder ? this.#path : dirname(this.#path)
    const only = isFolder ? undefined : basename(this.#path)
    try {
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        if (only !== undefined && name !== only) return
        this.#note(name === null ? this.#path : join(folder, name))
      })
      // The folder is gone, or the system has no more watches: nothing is told from now on.
      watcher.on('error', () => watcher.close())
      this.#watcher = watcher
    } catch {
      // Not even the folder is there: 0.133.0 accepts such a path as well, and stays silent.
    }
  }

  #note(path: string): void {
    this.#changed.add(this.#changed.size < MOST_PATHS ? path : this.#path)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      const paths = [...this.#changed].sort()
      this.#changed.clear()
      this.#tell(paths)
    }, GATHER_MS)
    this.#timer.unref()
  }
}

function isFolderAt(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
