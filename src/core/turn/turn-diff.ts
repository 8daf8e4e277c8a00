import { createHash } from 'node:crypto'
import { lstat } from 'node:fs/promises'
import { relative } from 'node:path'
import { errorCode, findWorkTreeRoot } from '../../base/index.ts'
import {
  nodePatchFiles,
  type PatchOutcome,
  type PatchStep,
  touchedPaths,
  unifiedDiff,
  type VerifiedPatch,
} from '../tools/patch/index.ts'

const CONTEXT_LINES = 3
const NO_BLOB = '0'.repeat(40)
/** A turn that has patched more text than this is not followed any further. */
const MOST_CHARACTERS = 64 * 1024 * 1024

/** A file that patches have touched; a text is undefined where there is no file. */
interface TouchedFile {
  /** Before the turn's first patch. */
  readonly before: string | undefined
  now: string | undefined
  /** Path of the file of before that was moved here. */
  movedFrom: string | undefined
  /** What was shown of it last, and for which text: most patches touch few files. */
  shown:
    | { readonly from: string; readonly now: string | undefined; readonly text: string }
    | undefined
}

/**
 * What the patches of one turn have changed, all in all, as git shows it. Once a change cannot be
 * told exactly, nothing is told any more. Source: observed in 0.133.0.
 */
export class TurnDiff {
  readonly #cwd: string
  readonly #files = new Map<string, TouchedFile>()
  #isExact = true
  #text: string | undefined
  #lastTold = ''

  constructor(cwd: string) {
    this.#cwd = cwd
  }

  /**
   * Looks at what a patch is about to touch; the result is to be told how applying it went. Links,
   * and files that hold no text, cannot be followed.
   */
  async expect(patch: VerifiedPatch): Promise<(outcome: PatchOutcome) => void> {
    const replaced = await textsInTheWay(patch)
    return ({ success, done }) => {
      if (!this.#isExact) return
      this.#text = undefined
      // A write that failed may have left anything behind.
      if (replaced && success) this.#follow(patch, done, replaced)
      else this.#giveUp()
    }
  }

  /** What is to be told now; undefined when there is nothing, and was nothing before. */
  takeUpdate(): string | undefined {
    this.#text ??= this.#render()
    const isNews = this.#text !== '' || this.#lastTold !== ''
    this.#lastTold = this.#text
    return isNews ? this.#text : undefined
  }

  #giveUp(): void {
    this.#isExact = false
    this.#files.clear()
    this.#text = ''
  }

  #follow(
    patch: VerifiedPatch,
    done: readonly PatchStep[],
    replaced: ReadonlyMap<string, string>,
  ): void {
    for (const [index, step] of done.entries()) {
      const file = this.#apply(step, replaced)
      // What is written anew is not what was moved there.
      if (patch.hunks[index]?.hunk.type === 'add') file.movedFrom = undefined
    }
    if (this.#characters() > MOST_CHARACTERS) this.#giveUp()
  }

  #apply(step: PatchStep, replaced: ReadonlyMap<string, string>): TouchedFile {
    const file = this.#file(step.path, step.before)
    if (step.type === 'write') file.now = step.content
    else {
      if (step.type === 'move') {
        const target = this.#file(step.movePath, replaced.get(step.movePath))
        target.now = step.content
        target.movedFrom = file.movedFrom ?? step.path
      }
      file.now = undefined
      file.movedFrom = undefined
    }
    return file
  }

  #file(path: string, before: string | undefined): TouchedFile {
    const known = this.#files.get(path)
    if (known) return known
    const file = { before, now: before, movedFrom: undefined, shown: undefined }
    this.#files.set(path, file)
    return file
  }

  #characters(): number {
    let sum = 0
    for (const { before, now } of this.#files.values()) {
      sum += (before?.length ?? 0) + (now?.length ?? 0)
    }
    return sum
  }

  #render(): string {
    const root = findWorkTreeRoot(this.#cwd) ?? this.#cwd
    const shown: { readonly path: string; readonly text: string }[] = []
    const moved = new Set<string>()
    const files = [...this.#files].sort(([a], [b]) => byBytes(a, b))
    for (const [path, file] of files) {
      const source = this.#sourceOf(file)
      // A place that was filled again can be left twice: only one of them counts as a move.
      if (source === undefined || moved.has(source.path)) continue
      moved.add(path).add(source.path)
      shown.push(shownFile(root, path, file, source))
    }
    for (const [path, file] of files) {
      if (moved.has(path) || file.before === file.now) continue
      shown.push(shownFile(root, path, file, { path, before: file.before }))
    }
    shown.sort((a, b) => byBytes(a.path, b.path))
    return shown.map(({ text }) => text).join('')
  }

  /** The file of before that is here now, under a name that was free. */
  #sourceOf(file: TouchedFile): { path: string; before: string } | undefined {
    const { movedFrom: path } = file
    if (path === undefined || file.before !== undefined || file.now === undefined) return undefined
    const source = this.#files.get(path)
    if (source?.before === undefined || source.now !== undefined) return undefined
    return { path, before: source.before }
  }
}

/**
 * The texts of files that others are moved over. Undefined when a path is taken by anything but a
 * plain file with a text: what becomes of it cannot be told.
 */
async function textsInTheWay(patch: VerifiedPatch): Promise<Map<string, string> | undefined> {
  const known = new Set<string>()
  for (const step of patch.writes) if (step.before !== undefined) known.add(step.path)
  const texts = new Map<string, string>()
  for (const path of touchedPaths(patch)) {
    try {
      if (!(await lstat(path)).isFile()) return undefined
      if (!known.has(path)) texts.set(path, await nodePatchFiles.readText(path))
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') return undefined
    }
  }
  return texts
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** Outside of the root: the whole path. */
function shownPath(root: string, path: string): string {
  const inside = relative(root, path)
  return inside === '..' || inside.startsWith('../') ? path : inside
}

/** A file under the path that it is sorted by: where it was. */
function shownFile(
  root: string,
  path: string,
  file: TouchedFile,
  source: { readonly path: string; readonly before: string | undefined },
): { readonly path: string; readonly text: string } {
  const from = shownPath(root, source.path)
  if (file.shown?.from !== from || file.shown.now !== file.now) {
    const text = fileDiff(from, shownPath(root, path), source.before, file.now)
    file.shown = { from, now: file.now, text }
  }
  return { path: from, text: file.shown.text }
}

function fileDiff(
  from: string,
  to: string,
  before: string | undefined,
  now: string | undefined,
): string {
  const hunks = unifiedDiff(before ?? '', now ?? '', CONTEXT_LINES)
  const mode =
    before === undefined
      ? 'new file mode 100644\n'
      : now === undefined
        ? 'deleted file mode 100644\n'
        : ''
  const names =
    `--- ${before === undefined ? '/dev/null' : `a/${from}`}\n` +
    `+++ ${now === undefined ? '/dev/null' : `b/${to}`}\n`
  return (
    `diff --git a/${from} b/${to}\n${mode}index ${blobId(before)}..${blobId(now)}\n` +
    (hunks === '' ? '' : names + hunks)
  )
}

function blobId(text: string | undefined): string {
  if (text === undefined) return NO_BLOB
  const bytes = Buffer.from(text)
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}
