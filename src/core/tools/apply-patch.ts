import { toFileUpdateChanges } from '../../history/index.ts'
import type { RolloutItem, TurnItem } from '../../protocol/index.ts'
import {
  applyVerifiedPatch,
  nodePatchFiles,
  PatchError,
  type PatchOutcome,
  touchedPaths,
  type VerifiedPatch,
  verifyPatch,
} from './patch/index.ts'
import { patchRefusal } from './permission.ts'
import type { Tool, ToolContext } from './tool.ts'

const GRAMMAR = `start: begin_patch hunk+ end_patch
begin_patch: "*** Begin Patch" LF
end_patch: "*** End Patch" LF?

hunk: add_hunk | delete_hunk | update_hunk
add_hunk: "*** Add File: " filename LF add_line+
delete_hunk: "*** Delete File: " filename LF
update_hunk: "*** Update File: " filename LF change_move? change?

filename: /(.+)/
add_line: "+" /(.*)/ LF -> line

change_move: "*** Move to: " filename LF
change: (change_context | change_line)+ eof_line?
change_context: ("@@" | "@@ " /(.+)/) LF
change_line: ("+" | "-" | " ") /(.*)/ LF
eof_line: "*** End of File" LF

%import common.LF
`

/** Edits files by a patch, the way the model was trained to: free text under a grammar. */
export const applyPatchTool: Tool = {
  name: 'apply_patch',
  kind: 'custom',
  isParallel: () => false,
  spec: {
    type: 'custom',
    name: 'apply_patch',
    description:
      'Edits files by a patch. The input is the patch itself, from *** Begin Patch to ' +
      '*** End Patch; do not wrap it in JSON.',
    format: { type: 'grammar', syntax: 'lark', definition: GRAMMAR },
  },
  run: async (call, context) => {
    const result = await patchFiles(call.callId, call.input, context.settings.cwd, context)
    return typeof result === 'string' ? result : exitText(result)
  },
}

/** How a finished patch is told: like a command that took no time. */
export function exitText({ success, stdout, stderr }: PatchOutcome): string {
  const output = success ? stdout : stderr
  return `Exit code: ${success ? 0 : 1}\nWall time: 0 seconds\nOutput:\n${output}`
}

/**
 * Checks, permits and applies a patch, and tells it as a file change. Answers the refusal's text
 * when nothing was touched.
 */
export async function patchFiles(
  callId: string,
  text: string,
  cwd: string,
  context: ToolContext,
): Promise<PatchOutcome | string> {
  const { settings, recorder, signal, turnDiff, turnId } = context
  let patch: VerifiedPatch
  try {
    patch = await verifyPatch(text, cwd, nodePatchFiles)
  } catch (error) {
    if (error instanceof PatchError) return error.modelText
    throw error
  }
  const refusal = await patchRefusal(settings, touchedPaths(patch))
  if (refusal !== undefined) return refusal
  signal.throwIfAborted()
  const item = (status: 'inProgress' | 'completed' | 'failed'): TurnItem => ({
    type: 'fileChange',
    id: callId,
    changes: toFileUpdateChanges(patch.changes),
    status,
  })
  recorder.tell({ type: 'itemStarted', turnId, item: item('inProgress') })
  const noteOutcome = await turnDiff.expect(patch)
  const outcome = await applyVerifiedPatch(patch, nodePatchFiles)
  noteOutcome(outcome)
  const status = outcome.success ? 'completed' : 'failed'
  const line: RolloutItem = {
    type: 'event_msg',
    payload: {
      type: 'patch_apply_end',
      call_id: callId,
      turn_id: turnId,
      stdout: outcome.stdout,
      stderr: outcome.stderr,
      success: outcome.success,
      changes: patch.changes,
      status,
    },
  }
  await recorder.complete(turnId, item(status), [line])
  const diff = turnDiff.takeUpdate()
  if (diff !== undefined) recorder.tell({ type: 'turnDiff', turnId, diff })
  return outcome
}
