/** `codex exec --json` of a real binary. */
import { type ExecProgram, runExec } from './exec-run.ts'

export function codexExec(binary: string): ExecProgram {
  return (scratch, options) => runExec({ command: binary, args: [] }, scratch, options)
}
