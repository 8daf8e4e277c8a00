import { parsePatch } from './parse-patch.ts'
import { PatchError } from './patch-error.ts'

export interface ShellPatch {
  readonly patch: string
  /** As written after `cd`: relative to the command's folder, may start with `~`. */
  readonly workdir?: string
}

const FOLDER = /'(?<single>[^']+)'|"(?<double>[^"$`\\]+)"|(?<bare>[\w.,:@%+=/~-]+)/
const CHANGE_FOLDER = `cd[ \\t]+(?:${FOLDER.source})[ \\t]*&&\\s*`
const WORD = /(?<dash>-?)[ \t]*\\?(?<quote>['"]?)(?<word>[\w.-]+)\k<quote>/
const COMMAND = new RegExp(
  `^\\s*(?:${CHANGE_FOLDER})?(?:apply_patch|applypatch)[ \\t]*<<${WORD.source}[ \\t\\r]*\\n`,
)

/**
 * The patch in `apply_patch <<'EOF' …` or `cd folder && apply_patch <<'EOF' …` when that is the
 * whole command, undefined for any other command. The patch is taken as it stands: nothing in it
 * is expanded. Throws a `PatchError` for a bare patch, which a shell could only misread.
 */
export function extractShellPatch(cmd: string): ShellPatch | undefined {
  refuseBarePatch(cmd)
  const match = COMMAND.exec(cmd)
  if (!match?.groups) return undefined
  const { single, double, bare, dash, word } = match.groups
  const lines = cmd.slice(match[0].length).split('\n')
  const isLast = (line: string): boolean =>
    (dash ? line.replace(/^\t+/, '') : line).replace(/\r$/, '') === word
  const end = lines.findIndex(isLast)
  const rest = lines.slice(end + 1).join('\n')
  if (end === -1 || rest.trim() !== '') return undefined
  const patch = lines.slice(0, end).join('\n')
  const workdir = single ?? double ?? bare
  // A word that starts with a dash is an option of `cd`.
  if (workdir?.startsWith('-')) return undefined
  return workdir === undefined ? { patch } : { patch, workdir }
}

function refuseBarePatch(cmd: string): void {
  if (!cmd.trimStart().startsWith('*** Begin Patch')) return
  try {
    parsePatch(cmd)
  } catch {
    return
  }
  throw new PatchError(
    'patch detected without explicit call to apply_patch. ' + 'Rerun as ["apply_patch", "<patch>"]',
  )
}
