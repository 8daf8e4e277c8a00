import { mkdir, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { FileSystem } from '../../src/base/index.ts'
import { nodeFileSystem } from '../../src/base/index.ts'
import type { RolloutItem, SessionMeta, ThreadId } from '../../src/protocol/index.ts'
import type { ListThreads, StoredThread } from '../../src/thread-store/index.ts'
import { LocalThreadStore } from '../../src/thread-store/index.ts'
import { FixedClock } from './fixed-clock.ts'
import { TempFolder } from './temp-folder.ts'
import { AT, header, says, textOf, threadIdOf } from './thread-log.ts'

export interface PlacedThread {
  /** Number of the thread; its id grows with it. */
  readonly n: number
  readonly stamp?: string
  /** Seconds of the file's modification time. */
  readonly modifiedAtS?: number
  readonly isArchived?: boolean
  readonly meta?: Partial<SessionMeta>
  /** Lines after the header; without them the person says `hello <n>`. */
  readonly items?: readonly RolloutItem[]
  /** Bytes instead of a header and lines. */
  readonly text?: string
}

/** A home folder with rollouts placed by hand, and stores opened on it. */
export class CodexHome implements AsyncDisposable {
  readonly folder: TempFolder

  private constructor(folder: TempFolder) {
    this.folder = folder
  }

  static async create(): Promise<CodexHome> {
    return new CodexHome(await TempFolder.create())
  }

  get path(): string {
    return this.folder.path
  }

  pathOf({ n, stamp = '2026-11-20T10-00-00', isArchived }: PlacedThread): string {
    const day = stamp.slice(0, 10).replaceAll('-', '/')
    const where = isArchived ? 'archived_sessions' : `sessions/${day}`
    return this.folder.at(where, `rollout-${stamp}-${threadIdOf(n)}.jsonl`)
  }

  async place(thread: PlacedThread): Promise<string> {
    const { n, meta, items = says(`hello ${n}`), modifiedAtS = 1_800_000_000 } = thread
    const path = this.pathOf(thread)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, thread.text ?? textOf([header(threadIdOf(n), meta), ...items]))
    await utimes(path, modifiedAtS, modifiedAtS)
    return path
  }

  store(files: FileSystem = nodeFileSystem): LocalThreadStore {
    const clock = new FixedClock(Date.parse(AT))
    return new LocalThreadStore({ home: this.path, files, clock, durability: 'turn' })
  }

  /** Lists once, so that the index has a row for every thread. */
  async fillIndex(): Promise<void> {
    await using store = this.store()
    await store.listThreads(ALL)
  }

  async sizeOf(path: string): Promise<number> {
    return (await stat(path)).size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.folder[Symbol.asyncDispose]()
  }
}

export const ALL: ListThreads = {
  limit: 100,
  sortKey: 'created',
  isArchived: false,
  includeSubagents: false,
}

/** Every thread of a list, page by page. */
export async function listAll(
  store: LocalThreadStore,
  params: Partial<ListThreads> = {},
): Promise<StoredThread[]> {
  const threads: StoredThread[] = []
  let cursor: string | null | undefined
  do {
    const page = await store.listThreads({ ...ALL, ...params, ...(cursor ? { cursor } : {}) })
    threads.push(...page.threads)
    cursor = page.nextCursor
  } while (cursor !== null)
  return threads
}

export function idsOf(threads: readonly { readonly threadId: ThreadId }[]): ThreadId[] {
  return threads.map((thread) => thread.threadId)
}
