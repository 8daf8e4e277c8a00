import { systemClock } from '../../src/base/index.ts'
import type { RolloutItem, ThreadId } from '../../src/protocol/index.ts'
import {
  type CreateThread,
  type ForkThread,
  InMemoryThreadStore,
  type ItemPage,
  type ListItems,
  type ListThreads,
  type ListTurns,
  type ObservedFacts,
  type SearchPage,
  type SearchThreads,
  type StoredHistory,
  type StoredThread,
  type ThreadMetadataPatch,
  type ThreadPage,
  type ThreadStore,
  type TurnPage,
} from '../../src/thread-store/index.ts'

/** A store that passes every call on to one that works. Each of the others breaks one rule. */
class Unbroken implements ThreadStore {
  readonly inner = new InMemoryThreadStore(systemClock)

  createThread(params: CreateThread): Promise<void> {
    return this.inner.createThread(params)
  }
  resumeThread(threadId: ThreadId): Promise<void> {
    return this.inner.resumeThread(threadId)
  }
  appendItems(threadId: ThreadId, items: readonly RolloutItem[]): Promise<void> {
    return this.inner.appendItems(threadId, items)
  }
  recordObserved(threadId: ThreadId, facts: ObservedFacts): Promise<void> {
    return this.inner.recordObserved(threadId, facts)
  }
  livePath(threadId: ThreadId): string | null {
    return this.inner.livePath(threadId)
  }

  hasForeignItems(threadId: ThreadId): Promise<boolean> {
    return this.inner.hasForeignItems(threadId)
  }
  loadModelContext(threadId: ThreadId): Promise<StoredHistory> {
    return this.inner.loadModelContext(threadId)
  }
  searchThreads(params: SearchThreads): Promise<SearchPage> {
    return this.inner.searchThreads(params)
  }
  listTurns(params: ListTurns): Promise<TurnPage> {
    return this.inner.listTurns(params)
  }
  listItems(params: ListItems): Promise<ItemPage> {
    return this.inner.listItems(params)
  }
  forkThread(params: ForkThread): Promise<StoredThread> {
    return this.inner.forkThread(params)
  }
  flushThread(threadId: ThreadId): Promise<void> {
    return this.inner.flushThread(threadId)
  }
  closeThread(threadId: ThreadId): Promise<void> {
    return this.inner.closeThread(threadId)
  }
  discardThread(threadId: ThreadId): Promise<void> {
    return this.inner.discardThread(threadId)
  }
  loadHistory(threadId: ThreadId): Promise<StoredHistory> {
    return this.inner.loadHistory(threadId)
  }
  readThread(threadId: ThreadId): Promise<StoredThread> {
    return this.inner.readThread(threadId)
  }
  listThreads(params: ListThreads): Promise<ThreadPage> {
    return this.inner.listThreads(params)
  }
  persistThread(threadId: ThreadId): Promise<void> {
    return this.inner.persistThread(threadId)
  }
  updateThreadMetadata(threadId: ThreadId, patch: ThreadMetadataPatch): Promise<StoredThread> {
    return this.inner.updateThreadMetadata(threadId, patch)
  }
  archiveThread(threadId: ThreadId): Promise<void> {
    return this.inner.archiveThread(threadId)
  }
  unarchiveThread(threadId: ThreadId): Promise<StoredThread> {
    return this.inner.unarchiveThread(threadId)
  }
  deleteThread(threadId: ThreadId): Promise<void> {
    return this.inner.deleteThread(threadId)
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.inner[Symbol.asyncDispose]()
  }
}

class KeepsEmptyThread extends Unbroken {
  override async createThread(params: CreateThread): Promise<void> {
    await this.inner.createThread(params)
    await this.inner.persistThread(params.threadId)
  }
}

class LosesLastItem extends Unbroken {
  override async loadHistory(threadId: ThreadId): Promise<StoredHistory> {
    const history = await this.inner.loadHistory(threadId)
    return { ...history, items: history.items.slice(0, -1) }
  }
}

/** Every second append comes before the one that it follows. */
class SwapsAppends extends Unbroken {
  readonly #held = new Map<ThreadId, readonly RolloutItem[]>()

  override async appendItems(threadId: ThreadId, items: readonly RolloutItem[]): Promise<void> {
    const before = this.#held.get(threadId)
    if (!before) {
      this.#held.set(threadId, items)
      return
    }
    this.#held.delete(threadId)
    await this.inner.appendItems(threadId, [...items, ...before])
  }
  async #release(threadId: ThreadId): Promise<void> {
    const held = this.#held.get(threadId)
    this.#held.delete(threadId)
    if (held) await this.inner.appendItems(threadId, held)
  }
  override async loadHistory(threadId: ThreadId): Promise<StoredHistory> {
    await this.#release(threadId)
    return this.inner.loadHistory(threadId)
  }
  override async closeThread(threadId: ThreadId): Promise<void> {
    await this.#release(threadId)
    await this.inner.closeThread(threadId)
  }
}

class AllowsSecondWriter extends Unbroken {
  override async resumeThread(threadId: ThreadId): Promise<void> {
    await this.inner.discardThread(threadId)
    await this.inner.resumeThread(threadId)
  }
}

class DiscardsItems extends Unbroken {
  readonly #live = new Set<ThreadId>()

  override async createThread(params: CreateThread): Promise<void> {
    await this.inner.createThread(params)
    this.#live.add(params.threadId)
  }
  override async closeThread(threadId: ThreadId): Promise<void> {
    await this.inner.closeThread(threadId)
    this.#live.delete(threadId)
  }
  override async discardThread(threadId: ThreadId): Promise<void> {
    await this.inner.discardThread(threadId)
    if (this.#live.delete(threadId)) await this.inner.deleteThread(threadId).catch(() => undefined)
  }
}

/** Answers the very items that callers gave it. */
class SharesItems extends Unbroken {
  readonly #given = new Map<ThreadId, RolloutItem[]>()

  override async appendItems(threadId: ThreadId, items: readonly RolloutItem[]): Promise<void> {
    await this.inner.appendItems(threadId, items)
    this.#given.set(threadId, [...(this.#given.get(threadId) ?? []), ...items])
  }
  override async loadHistory(threadId: ThreadId): Promise<StoredHistory> {
    const history = await this.inner.loadHistory(threadId)
    const given = this.#given.get(threadId) ?? []
    const isSame = given.length + 1 === history.items.length
    return isSame ? { ...history, items: [...history.items.slice(0, 1), ...given] } : history
  }
}

class ListsOldestFirst extends Unbroken {
  override async listThreads(params: ListThreads): Promise<ThreadPage> {
    const page = await this.inner.listThreads(params)
    return { ...page, threads: [...page.threads].reverse() }
  }
}

class LosesOneBetweenPages extends Unbroken {
  override async listThreads(params: ListThreads): Promise<ThreadPage> {
    const page = await this.inner.listThreads(params)
    return params.cursor ? { ...page, threads: page.threads.slice(1) } : page
  }
}

class IgnoresFolder extends Unbroken {
  override listThreads({ cwd: _cwd, ...params }: ListThreads): Promise<ThreadPage> {
    return this.inner.listThreads(params)
  }
}

class TakesAnyCursor extends Unbroken {
  override listThreads({ cursor, ...params }: ListThreads): Promise<ThreadPage> {
    const isOurs = cursor !== undefined && cursor !== 'nonsense'
    return this.inner.listThreads(isOurs ? { ...params, cursor } : params)
  }
}

/** Names are kept with the writer, and gone with it. */
class ForgetsNames extends Unbroken {
  readonly #forgotten = new Set<ThreadId>()

  override async closeThread(threadId: ThreadId): Promise<void> {
    await this.inner.closeThread(threadId)
    this.#forgotten.add(threadId)
  }
  override async updateThreadMetadata(
    threadId: ThreadId,
    patch: ThreadMetadataPatch,
  ): Promise<StoredThread> {
    this.#forgotten.delete(threadId)
    return this.inner.updateThreadMetadata(threadId, patch)
  }
  override async listThreads(params: ListThreads): Promise<ThreadPage> {
    const page = await this.inner.listThreads(params)
    const threads = page.threads.map((each) =>
      this.#forgotten.has(each.threadId) ? { ...each, name: null } : each,
    )
    return { ...page, threads }
  }
}

class ReplacesGitWhole extends Unbroken {
  override updateThreadMetadata(
    threadId: ThreadId,
    patch: ThreadMetadataPatch,
  ): Promise<StoredThread> {
    const none = { sha: null, branch: null, originUrl: null }
    const whole = patch.git ? { ...patch, git: { ...none, ...patch.git } } : patch
    return this.inner.updateThreadMetadata(threadId, whole)
  }
}

class AppliesOneField extends Unbroken {
  override updateThreadMetadata(
    threadId: ThreadId,
    patch: ThreadMetadataPatch,
  ): Promise<StoredThread> {
    const [first] = Object.entries(patch)
    return this.inner.updateThreadMetadata(threadId, first ? Object.fromEntries([first]) : {})
  }
}

class HidesLinesOfChanges extends Unbroken {
  override async loadHistory(threadId: ThreadId): Promise<StoredHistory> {
    const history = await this.inner.loadHistory(threadId)
    const items = history.items.filter((item, index) => index === 0 || item.type !== 'session_meta')
    return { ...history, items }
  }
}

class ListsArchived extends Unbroken {
  override async listThreads(params: ListThreads): Promise<ThreadPage> {
    const page = await this.inner.listThreads(params)
    if (params.isArchived) return page
    const { threads } = await this.inner.listThreads({ ...params, isArchived: true })
    return { ...page, threads: [...page.threads, ...threads] }
  }
}

class UnarchivesOnChange extends Unbroken {
  override async updateThreadMetadata(
    threadId: ThreadId,
    patch: ThreadMetadataPatch,
  ): Promise<StoredThread> {
    const changed = await this.inner.updateThreadMetadata(threadId, patch)
    return changed.isArchived ? this.inner.unarchiveThread(threadId) : changed
  }
}

class KeepsNameOfDeleted extends Unbroken {
  readonly #names = new Map<ThreadId, string | null>()

  override async deleteThread(threadId: ThreadId): Promise<void> {
    const thread = await this.inner.readThread(threadId).catch(() => undefined)
    await this.inner.deleteThread(threadId)
    this.#names.set(threadId, thread?.name ?? null)
  }
  override async readThread(threadId: ThreadId): Promise<StoredThread> {
    const thread = await this.inner.readThread(threadId)
    return { ...thread, name: thread.name ?? this.#names.get(threadId) ?? null }
  }
}

class AppendsAfterClose extends Unbroken {
  override async appendItems(threadId: ThreadId, items: readonly RolloutItem[]): Promise<void> {
    try {
      await this.inner.appendItems(threadId, items)
    } catch {
      await this.inner.resumeThread(threadId)
      await this.inner.appendItems(threadId, items)
      await this.inner.closeThread(threadId)
    }
  }
}

class AnswersWhenDisposed extends Unbroken {
  override async [Symbol.asyncDispose](): Promise<void> {}
}

/** Takes the turns of a page from the wrong end of the log. */
class PagesTurnsBackwards extends Unbroken {
  override listTurns(params: ListTurns): Promise<TurnPage> {
    const direction = params.direction === 'asc' ? 'desc' : 'asc'
    return this.inner.listTurns({ ...params, direction })
  }
}

class RepeatsItems extends Unbroken {
  override async listItems(params: ListItems): Promise<ItemPage> {
    const page = await this.inner.listItems(params)
    const [first] = page.items
    return params.cursor && first ? { ...page, items: [first, ...page.items] } : page
  }
}

/** Begins at the newest compaction, whatever became of it. */
class CutsContextTooLate extends Unbroken {
  override async loadModelContext(threadId: ThreadId): Promise<StoredHistory> {
    const history = await this.inner.loadHistory(threadId)
    const at = history.items.findLastIndex(({ type }) => type === 'compacted')
    const items = [...history.items.slice(0, 1), ...history.items.slice(Math.max(1, at))]
    return { ...history, items }
  }
}

class FindsTooMuch extends Unbroken {
  override searchThreads(params: SearchThreads): Promise<SearchPage> {
    const [query = ''] = params.query.split(' ')
    return this.inner.searchThreads({ ...params, query })
  }
}

/** Neither looks into items nor listens to who did. */
class IgnoresObserved extends Unbroken {
  override async recordObserved(threadId: ThreadId): Promise<void> {
    await this.inner.recordObserved(threadId, {})
  }
}

class ForksWhole extends Unbroken {
  override forkThread({ throughTurnId: _turn, ...params }: ForkThread): Promise<StoredThread> {
    return this.inner.forkThread(params)
  }
}

/** Shows turns that were taken back. */
class ForgetsRollbacks extends Unbroken {
  override async appendItems(threadId: ThreadId, items: readonly RolloutItem[]): Promise<void> {
    const kept = items.filter(
      (item) => item.type !== 'event_msg' || item.payload.type !== 'thread_rolled_back',
    )
    await this.inner.appendItems(threadId, kept)
  }
}

/** What opens each store, and the rules of the contract that it breaks before all. */
export const BROKEN: {
  readonly [name: string]: { readonly open: () => ThreadStore; readonly breaks: readonly string[] }
} = {
  'keeps an empty thread': { open: () => new KeepsEmptyThread(), breaks: ['TS-1', 'TS-2'] },
  'appends after a close': { open: () => new AppendsAfterClose(), breaks: ['TS-2'] },
  'answers when disposed': { open: () => new AnswersWhenDisposed(), breaks: ['TS-2'] },
  'loses the last item': { open: () => new LosesLastItem(), breaks: ['TS-1', 'TS-3'] },
  'swaps two appends': { open: () => new SwapsAppends(), breaks: ['TS-3'] },
  'allows a second writer': { open: () => new AllowsSecondWriter(), breaks: ['TS-2', 'TS-4'] },
  'discards items with the writer': { open: () => new DiscardsItems(), breaks: ['TS-5'] },
  'shares items with its callers': { open: () => new SharesItems(), breaks: ['TS-6'] },
  'lists the oldest first': { open: () => new ListsOldestFirst(), breaks: ['TS-7'] },
  'loses one between pages': { open: () => new LosesOneBetweenPages(), breaks: ['TS-8'] },
  'ignores the folder': { open: () => new IgnoresFolder(), breaks: ['TS-9'] },
  'takes any cursor': { open: () => new TakesAnyCursor(), breaks: ['TS-10'] },
  'forgets names at a close': { open: () => new ForgetsNames(), breaks: ['TS-11'] },
  'replaces git whole': { open: () => new ReplacesGitWhole(), breaks: ['TS-12'] },
  'applies one field of a patch': { open: () => new AppliesOneField(), breaks: ['TS-13'] },
  'hides lines of changes': { open: () => new HidesLinesOfChanges(), breaks: ['TS-14'] },
  'lists archived threads': { open: () => new ListsArchived(), breaks: ['TS-15'] },
  'unarchives on a change': { open: () => new UnarchivesOnChange(), breaks: ['TS-16'] },
  'pages turns backwards': { open: () => new PagesTurnsBackwards(), breaks: ['TS-18'] },
  'repeats items': { open: () => new RepeatsItems(), breaks: ['TS-19'] },
  'cuts the context too late': { open: () => new CutsContextTooLate(), breaks: ['TS-20'] },
  'finds too much': { open: () => new FindsTooMuch(), breaks: ['TS-21'] },
  'ignores what was observed': { open: () => new IgnoresObserved(), breaks: ['TS-22'] },
  'forks whole threads only': { open: () => new ForksWhole(), breaks: ['TS-23'] },
  'forgets rollbacks': { open: () => new ForgetsRollbacks(), breaks: ['TS-24'] },
  'keeps the name of a deleted thread': { open: () => new KeepsNameOfDeleted(), breaks: ['TS-17'] },
}

export const UNBROKEN = { open: (): ThreadStore => new Unbroken(), breaks: [] }
