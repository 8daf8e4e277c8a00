import { toFileUpdateChanges } from '../../history/index.ts'
import type { RolloutItem, TurnItem } from '../../protocol/index.ts'
import type { Approval, Approvals } from './approvals.ts'
import {
  applyVerifiedPatch,
  heldPatchFiles,
  nodePatchFiles,
  PatchError,
  type PatchFiles,
  type PatchOutcome,
  touchedPaths,
  type VerifiedPatch,
  verifyPatch,
} from './patch/index.ts'
import { decidePatch, NOBODY, type PatchPlace, patchPlaces, patchRefusal } from './permission.ts'
import { isConfining } from './sandbox/index.ts'
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

const REJECTED = 'patch rejected by user'

const SPEC = {
  type: 'custom',
  name: 'apply_patch',
  description:
    'Edits files by a patch. The input is the patch itself, from *** Begin Patch to ' +
    '*** End Patch; do not wrap it in JSON.',
  format: { type: 'grammar', syntax: 'lark', definition: GRAMMAR },
}

/** Edits files by a patch, the way the model was trained to: free text under a grammar. */
export function applyPatchTool(approvals: Approvals): Tool {
  return {
    name: 'apply_patch',
    kind: 'custom',
    isParallel: () => false,
    spec: SPEC,
    run: async ({ callId, input }, context) => {
      const { cwd } = context.settings
      const result = await patchFiles(callId, input, cwd, approvals, context)
      return typeof result === 'string' ? result : exitText(result)
    },
  }
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
  approvals: Approvals,
  context: ToolContext,
): Promise<PatchOutcome | string> {
  const { recorder, settings, signal, turnDiff, turnId } = context
  let patch: VerifiedPatch
  try {
    patch = await verifyPatch(text, cwd, nodePatchFiles)
  } catch (error) {
    if (error instanceof PatchError) return error.modelText
    throw error
  }
  const paths = touchedPaths(patch)
  const places = await patchPlaces(paths)
  const verdict = await decidePatch(settings, places)
  if (verdict.verdict === 'refuse') return verdict.text
  signal.throwIfAborted()
  const item = new PatchItem(callId, patch, context)
  const keys = paths.map((path, at) => JSON.stringify(['patch', path, places[at] ?? null]))
  if (verdict.verdict === 'ask' && !approvals.areApproved(keys)) {
    if (!context.clients.canAsk('patchApproval')) return nobodyAsked(settings)
    const approval = await askFor(item, callId, approvals, context)
    if (approval !== 'accept' && approval !== 'acceptForSession') return REJECTED
    if (approval === 'acceptForSession') approvals.approve(keys)
  }
  item.start()
  const noteOutcome = await turnDiff.expect(patch)
  const outcome = await applyVerifiedPatch(patch, filesFor(settings.sandboxPolicy, places))
  noteOutcome(outcome)
  await item.complete(outcome)
  const diff = turnDiff.takeUpdate()
  if (diff !== undefined) recorder.tell({ type: 'turnDiff', turnId, diff })
  return outcome
}

/**
 * A command in the sandbox can go on in the background and move links about: what was decided of
 * the places holds only if they are held. Without a sandbox of ours such a command needs no patch.
 */
function filesFor(
  policy: ToolContext['settings']['sandboxPolicy'],
  places: readonly PatchPlace[],
): PatchFiles {
  const known = places.filter((place) => place !== undefined)
  const isHeld = isConfining(policy) && known.length === places.length
  return isHeld && process.platform === 'linux' ? heldPatchFiles(known) : nodePatchFiles
}

/** The item has been told as declined when this answers so. */
async function askFor(
  item: PatchItem,
  callId: string,
  approvals: Approvals,
  context: ToolContext,
): Promise<Approval> {
  item.start()
  try {
    const approval = await approvals.askPatch(callId, context)
    if (approval === 'accept' || approval === 'acceptForSession') return approval
    if (approval === 'cancel') context.interruptTurn()
    context.signal.throwIfAborted()
    await item.decline()
    return approval
  } catch (error) {
    // The turn is over: what was told as begun also ends.
    await item.decline()
    throw error
  }
}

function nobodyAsked({ approvalPolicy, sandboxPolicy }: ToolContext['settings']): string {
  if (approvalPolicy === 'untrusted') {
    return `patch rejected: every patch needs approval (policy \`untrusted\`), and ${NOBODY}`
  }
  return patchRefusal(sandboxPolicy.type === 'read-only')
}

type Told = Omit<PatchOutcome, 'done'>

/** A patch as those who watch see it: begun once, ended once. */
class PatchItem {
  readonly #callId: string
  readonly #patch: VerifiedPatch
  readonly #context: ToolContext
  #isStarted = false

  constructor(callId: string, patch: VerifiedPatch, context: ToolContext) {
    this.#callId = callId
    this.#patch = patch
    this.#context = context
  }

  start(): void {
    if (this.#isStarted) return
    this.#isStarted = true
    const { recorder, turnId } = this.#context
    recorder.tell({ type: 'itemStarted', turnId, item: this.#item('inProgress') })
  }

  complete(outcome: PatchOutcome): Promise<void> {
    return this.#end(outcome, outcome.success ? 'completed' : 'failed')
  }

  decline(): Promise<void> {
    return this.#end({ success: false, stdout: '', stderr: REJECTED }, 'declined')
  }

  async #end(outcome: Told, status: 'completed' | 'failed' | 'declined'): Promise<void> {
    const { recorder, turnId } = this.#context
    const line: RolloutItem = {
      type: 'event_msg',
      payload: {
        type: 'patch_apply_end',
        call_id: this.#callId,
        turn_id: turnId,
        stdout: outcome.stdout,
        stderr: outcome.stderr,
        success: outcome.success,
        changes: this.#patch.changes,
        status,
      },
    }
    await recorder.complete(turnId, this.#item(status), [line])
  }

  #item(status: 'inProgress' | 'completed' | 'failed' | 'declined'): TurnItem {
    const changes = toFileUpdateChanges(this.#patch.changes)
    return { type: 'fileChange', id: this.#callId, changes, status }
  }
}
