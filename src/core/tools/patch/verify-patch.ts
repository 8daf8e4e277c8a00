import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { assert, errorText } from '../../../base/index.ts'
import type { FileChangeRecord } from '../../../protocol/index.ts'
import { NO_SUCH_FILE } from '../../system-error.ts'
import { type PatchHunk, parsePatch } from './parse-patch.ts'
import { PatchError } from './patch-error.ts'
import type { PatchFiles } from './patch-files.ts'
import { replaceChunks } from './replace-chunks.ts'
import { unifiedDiff } from './unified-diff.ts'

/** A hunk with its paths made absolute; `hunk` keeps the spelling of the patch. */
export interface PlacedHunk {
  readonly hunk: PatchHunk
  readonly path: string
  readonly movePath?: string
}

/** One effect on the files. `before` is undefined when there was no text to replace. */
export type PatchStep =
  | {
      readonly type: 'write'
      readonly path: string
      readonly before: string | undefined
      readonly content: string
    }
  | { readonly type: 'delete'; readonly path: string; readonly before: string }
  | {
      readonly type: 'move'
      readonly path: string
      readonly movePath: string
      readonly before: string
      readonly content: string
    }

/** A patch that can be applied to the files as they were when it was verified. */
export interface VerifiedPatch {
  readonly hunks: readonly PlacedHunk[]
  /** What applying it would do, in order; a later step builds on the earlier ones. */
  readonly writes: readonly PatchStep[]
  /** For the rollout, by absolute path; the last hunk on a path speaks for it. */
  readonly changes: { [path: string]: FileChangeRecord }
}

/** Absolute form of a path in a patch, or of the folder a shell patch is run in. */
export function resolvePatchPath(cwd: string, path: string): string {
  return resolve(
    cwd,
    path.replace(/^~(?=\/|$)/, () => homedir()),
  )
}

/**
 * Checks a whole patch without writing anything; a `PatchError` names the first fault. Every hunk
 * must fit the files as they are, and then again the result of the hunks before it.
 */
export async function verifyPatch(
  text: string,
  cwd: string,
  files: PatchFiles,
): Promise<VerifiedPatch> {
  const hunks = parsePatch(text).map((hunk) => placeHunk(hunk, cwd))
  if (hunks.length === 0)
    throw new PatchError('patch rejected: empty patch', { failure: 'rejected' })
  const changes: VerifiedPatch['changes'] = {}
  for (const placed of hunks) {
    changes[placed.path] = describeStep(placed, await planStep(placed, files))
  }
  return { hunks, writes: await planSteps(hunks, files), changes }
}

/** Every absolute path the patch would touch, both sides of a move; symbolic links not followed. */
export function touchedPaths(patch: VerifiedPatch): string[] {
  const paths = patch.hunks.flatMap(({ path, movePath }) =>
    movePath === undefined ? [path] : [path, movePath],
  )
  return [...new Set(paths)]
}

function placeHunk(hunk: PatchHunk, cwd: string): PlacedHunk {
  const path = resolvePatchPath(cwd, hunk.path)
  if (hunk.type !== 'update' || hunk.movePath === undefined) return { hunk, path }
  return { hunk, path, movePath: resolvePatchPath(cwd, hunk.movePath) }
}

/** Plans all hunks, each on the result of those before it. */
export async function planSteps(
  hunks: readonly PlacedHunk[],
  files: PatchFiles,
): Promise<PatchStep[]> {
  const written = new Map<string, string | undefined>()
  const overlay = {
    readText: async (path: string): Promise<string> => {
      const text = written.has(path) ? written.get(path) : await files.readText(path)
      if (text === undefined) throw new PatchError(NO_SUCH_FILE)
      return text
    },
  }
  const steps: PatchStep[] = []
  for (const placed of hunks) {
    const step = await planStep(placed, overlay)
    steps.push(step)
    written.set(step.path, step.type === 'write' ? step.content : undefined)
    if (step.type === 'move') written.set(step.movePath, step.content)
  }
  return steps
}

/** Plans one hunk on the files as they are. */
export async function planStep(
  { hunk, path, movePath }: PlacedHunk,
  files: Pick<PatchFiles, 'readText'>,
): Promise<PatchStep> {
  switch (hunk.type) {
    case 'add': {
      // Whatever is there is overwritten, readable or not.
      const before = await files.readText(path).catch(() => undefined)
      return { type: 'write', path, before, content: hunk.content }
    }
    case 'delete': {
      const before = await readOrExplain(files, path, 'read')
      return { type: 'delete', path, before }
    }
    case 'update': {
      const before = await readOrExplain(files, path, 'read file to update')
      const content = replaceChunks(before, path, hunk.chunks)
      // Codex removes a file that is moved to its own path. We keep it.
      if (movePath === undefined || movePath === path) {
        return { type: 'write', path, before, content }
      }
      return { type: 'move', path, movePath, before, content }
    }
  }
}

async function readOrExplain(
  files: Pick<PatchFiles, 'readText'>,
  path: string,
  doing: string,
): Promise<string> {
  try {
    return await files.readText(path)
  } catch (error) {
    throw new PatchError(`Failed to ${doing} ${path}: ${errorText(error)}`, { cause: error })
  }
}

function describeStep({ hunk, movePath }: PlacedHunk, step: PatchStep): FileChangeRecord {
  if (step.type === 'delete') return { type: 'delete', content: step.before }
  if (hunk.type === 'add') return { type: 'add', content: step.content }
  assert(step.before !== undefined, 'an update has read its file')
  return {
    type: 'update',
    unified_diff: unifiedDiff(step.before, step.content),
    move_path: movePath ?? null,
  }
}
