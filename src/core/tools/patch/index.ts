export { applyVerifiedPatch, type PatchOutcome } from './apply-verified-patch.ts'
export { heldPatchFiles } from './held-patch-files.ts'
export { type PatchChunk, type PatchHunk, parsePatch } from './parse-patch.ts'
export { PatchError } from './patch-error.ts'
export { nodePatchFiles, type PatchFiles } from './patch-files.ts'
export { extractShellPatch, type ShellPatch } from './shell-patch.ts'
export { unifiedDiff } from './unified-diff.ts'
export {
  type PatchStep,
  type PlacedHunk,
  resolvePatchPath,
  touchedPaths,
  type VerifiedPatch,
  verifyPatch,
} from './verify-patch.ts'
