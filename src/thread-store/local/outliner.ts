import type { FileFacts, FileSystem } from '../../base/index.ts'
import type { KnownOutline } from '../../history/index.ts'
import { type OutlinedRollout, outlineRollout } from '../../rollout/index.ts'
import type { HomeIndex, IndexedFile, OutlineRow, StoredOutline } from '../../state/index.ts'
import {
  changedOutline,
  foldedOutline,
  indexedOutline,
  type OutlineFacts,
  type ThreadOutline,
} from './thread-outline.ts'

/** The newest turns that an outline goes on from; others are asked for in vain. */
const LAST_TURNS = 16

/** Below this, folding a file takes no longer than opening the index. */
export const WORTH_INDEXING_BYTES = 256 * 1024

export type OutlineWrite = Parameters<HomeIndex['outlines']['write']>[0][number]

/** So often another process may write the outline first, before it is made without the index. */
const ATTEMPTS = 3

interface Running {
  readonly file: IndexedFile
  readonly outline: Promise<ThreadOutline | undefined>
}

/** Makes outlines of rollouts, from what the index knows of them where it can. */
export class Outliner {
  readonly #files: FileSystem
  readonly #openIndex: () => Promise<HomeIndex | undefined>
  readonly #running = new Map<string, Running>()

  constructor(files: FileSystem, openIndex: () => Promise<HomeIndex | undefined>) {
    this.#files = files
    this.#openIndex = openIndex
  }

  /** Undefined when the file has no header, or is not there. */
  async outline(path: string): Promise<ThreadOutline | undefined> {
    const file = await this.#files.facts(path)
    if (!file) return undefined
    const running = this.#running.get(path)
    // Of a file that has changed since, it would not tell all that was written before this call.
    if (running && isSameFile(running.file, file)) return running.outline
    const outline = this.#outline(path, file).finally(() => {
      if (this.#running.get(path)?.outline === outline) this.#running.delete(path)
    })
    this.#running.set(path, { file, outline })
    return outline
  }

  async #outline(path: string, file: FileFacts): Promise<ThreadOutline | undefined> {
    const index = file.sizeBytes < WORTH_INDEXING_BYTES ? undefined : await this.#openIndex()
    for (let attempt = 0; index?.isUsable && attempt < ATTEMPTS; attempt += 1) {
      const outline = await this.#fromIndex(index, path, file)
      if (outline) return outline
    }
    return this.#whole(path)
  }

  /** Undefined when the index fails, or another process has written the outline meanwhile. */
  async #fromIndex(
    index: HomeIndex,
    path: string,
    file: FileFacts,
  ): Promise<ThreadOutline | undefined> {
    const known = index.outlines.read(path)
    const isSame = known !== undefined && isSameFile(known.file, file)
    const again = () => {
      // Whatever is wrong with it, the next question makes it anew.
      index.outlines.remove([path])
      return this.#whole(path)
    }
    if (isSame && known.foldedBytes >= file.sizeBytes) return fromIndex(known, index, again)
    const made = await makeOutline(this.#files, index, path, file, known)
    if (!made) return undefined
    const isKept = isSame || index.outlines.write([made.row])
    if (made.outlined.isFromStart) return this.#toOutline(path, made.outlined)
    // Locked or full: asking again would only take longer.
    if (!isKept) return this.#whole(path)
    const kept = index.outlines.read(path)
    if (kept?.foldedBytes !== made.row.foldedBytes) return undefined
    const base = fromIndex(kept, index, again)
    const facts = factsOf(made.outlined, again)
    if (!made.outlined.openTail) return { ...base, damage: facts.damage }
    // What the open tail says is read anew each time: the index has whole lines only.
    return made.outlined.fold.isIncomplete
      ? this.#whole(path)
      : changedOutline(facts, base, made.outlined.fold.turns)
  }

  async #whole(path: string): Promise<ThreadOutline | undefined> {
    return this.#toOutline(path, await outlineRollout(this.#files, path))
  }

  #toOutline(path: string, outlined: OutlinedRollout | undefined): ThreadOutline | undefined {
    return (
      outlined &&
      foldedOutline(
        factsOf(outlined, () => this.#whole(path)),
        outlined.fold.turns,
      )
    )
  }
}

/** The difference to what the index knows, as it is to be written there. */
export async function makeOutline(
  files: FileSystem,
  index: HomeIndex,
  path: string,
  file: FileFacts,
  known: StoredOutline | undefined,
): Promise<{ row: OutlineWrite; outlined: OutlinedRollout } | undefined> {
  const isGrown = known?.file.inode === file.inode && known.foldedBytes <= file.sizeBytes
  const outline = isGrown ? knownOutline(index, known) : undefined
  const base = isGrown && outline ? { ...known, outline } : undefined
  const outlined = await outlineRollout(files, path, base)
  if (!outlined) return undefined
  const row: OutlineWrite = {
    ...rowOf(path, file, outlined),
    turns: outlined.fold.turns,
    texts: outlined.texts,
    basedOnBytes: outlined.isFromStart ? 0 : (known?.foldedBytes ?? 0),
  }
  return { row, outlined }
}

export function isSameFile(a: IndexedFile, b: IndexedFile): boolean {
  return a.sizeBytes === b.sizeBytes && a.modifiedAtMs === b.modifiedAtMs && a.inode === b.inode
}

function rowOf(rolloutPath: string, file: IndexedFile, outlined: OutlinedRollout): OutlineRow {
  const { summary, foldedBytes, foldedLines, damage, damagedLines, fold } = outlined
  const { state } = fold
  return { rolloutPath, file, summary, state, foldedBytes, foldedLines, damage, damagedLines }
}

function knownOutline(index: HomeIndex, known: StoredOutline): KnownOutline | undefined {
  const window = { direction: 'desc', limit: LAST_TURNS } as const
  const last = index.outlines.turns.page(known.id, known.state.turnCount, window)
  return last && { state: known.state, lastTurns: last.reverse() }
}

type Again = ThreadOutline['again']

function fromIndex(row: StoredOutline, index: HomeIndex, again: Again): ThreadOutline {
  const { summary, state, damagedLines, damage, foldedBytes: endBytes } = row
  const facts = { summary, state, damagedLines, damage, endBytes, isEndOpen: false, again }
  return indexedOutline(facts, index.outlines, row.id)
}

/** Takes the open tail in: whatever the index is to hold has to be taken from `fold` before. */
function factsOf(outlined: OutlinedRollout, again: Again): OutlineFacts {
  const { summary, damagedLines, damage, tailDamage, openTail, fold } = outlined
  if (openTail) fold.apply(openTail.item, openTail.start, openTail.end)
  return {
    summary,
    state: fold.state,
    endBytes: openTail?.end ?? outlined.foldedBytes,
    isEndOpen: openTail !== undefined,
    damagedLines,
    damage: [...damage, ...tailDamage],
    again,
  }
}
