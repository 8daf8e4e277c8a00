import { PatchError } from './patch-error.ts'
import type { PatchFiles } from './patch-files.ts'
import {
  type PatchStep,
  type PlacedHunk,
  planStep,
  planSteps,
  type VerifiedPatch,
} from './verify-patch.ts'

/** How applying went. One of `stdout` and `stderr` is empty. */
export interface PatchOutcome {
  readonly success: boolean
  readonly stdout: string
  readonly stderr: string
  /** What was written, in order: all of the patch, or all before the failure. */
  readonly done: readonly PatchStep[]
}

/**
 * Writes the patch. It is planned anew, first as a whole and then hunk by hunk, so that an edit
 * made while somebody was approving is kept, or fails the patch before anything is written. Only
 * a failing write can leave a part done. Never throws for a file's sake.
 */
export async function applyVerifiedPatch(
  patch: VerifiedPatch,
  files: PatchFiles,
): Promise<PatchOutcome> {
  const done: PatchStep[] = []
  try {
    await planSteps(patch.hunks, files)
    for (const placed of patch.hunks) await perform(await planStep(placed, files), files, done)
  } catch (error) {
    if (!(error instanceof PatchError)) throw error
    return { success: false, stdout: '', stderr: `${error.message}\n`, done }
  }
  return { success: true, stdout: summarise(patch.hunks), stderr: '', done }
}

async function perform(step: PatchStep, files: PatchFiles, done: PatchStep[]): Promise<void> {
  const { path } = step
  if (step.type === 'write') {
    await explain(files.write(path, step.content), `Failed to write file ${path}`)
  } else if (step.type === 'delete') {
    await explain(files.remove(path), `Failed to delete file ${path}`)
  } else {
    const { movePath, content } = step
    const before = await files.readText(movePath).catch(() => undefined)
    await explain(files.write(movePath, content), `Failed to write file ${movePath}`)
    done.push({ type: 'write', path: movePath, before, content })
    await explain(files.remove(path), `Failed to remove original ${path}`)
    done.pop()
  }
  done.push(step)
}

async function explain(work: Promise<void>, failure: string): Promise<void> {
  try {
    await work
  } catch (cause) {
    throw new PatchError(failure, { cause })
  }
}

/** All added, then all changed, then all deleted files, as the patch spells them. */
function summarise(hunks: readonly PlacedHunk[]): string {
  const lines = { add: '', update: '', delete: '' }
  for (const { hunk } of hunks) {
    const letter = { add: 'A', update: 'M', delete: 'D' }[hunk.type]
    const path = hunk.type === 'update' ? (hunk.movePath ?? hunk.path) : hunk.path
    lines[hunk.type] += `${letter} ${path}\n`
  }
  return `Success. Updated the following files:\n${lines.add}${lines.update}${lines.delete}`
}
