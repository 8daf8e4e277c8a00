import type { CommandSegment } from './command-segments.ts'
import { matchRules } from './exec-policy/index.ts'

/** Programs that run what their arguments say: allowed by name they would allow everything. */
const RUNNERS = new Set(
  [
    'ash awk bash busybox bun cmd command cscript csh dash deno doas env eval exec find fish gawk',
    'git java julia ksh lua luajit mawk nice node nohup osascript parallel perl php pkexec',
    'powershell pwsh py pypy python r rscript ruby sh ssh stdbuf su sudo tclsh time timeout',
    'ts-node tsx unshare uvx wsl xargs zsh',
  ].flatMap((names) => names.split(' ')),
)

/**
 * First words that a person can be offered to allow for good: those that the model asks for, when
 * they cover the whole command, else the words of what has to be asked. Undefined when a rule would
 * say too much, or nothing that comes again.
 */
export function proposedRule(
  asked: CommandSegment | undefined,
  all: readonly CommandSegment[],
  wanted: readonly string[] | undefined,
): readonly string[] | undefined {
  if (wanted && isFitting(wanted, all)) return wanted
  if (!asked || asked.text.includes('<<')) return undefined
  return asked.argv
}

function isFitting(wanted: readonly string[], all: readonly CommandSegment[]): boolean {
  if (wanted.length === 0 || isTooWide(wanted)) return false
  const rule = { pattern: wanted.map((word) => [word]), decision: 'allow' } as const
  const set = { rules: [rule], hostExecutables: [] }
  return all.every(({ argv }) => matchRules(set, argv))
}

/** A program that runs anything, alone or with nothing but options: `bash`, `python3 -c`. */
function isTooWide(prefix: readonly string[]): boolean {
  const [program = '', ...rest] = prefix
  const name =
    program
      .split('/')
      .at(-1)
      ?.toLowerCase()
      .replace(/(\.exe|[\d.]+)$/, '') ?? ''
  return RUNNERS.has(name) && rest.every((word) => word.startsWith('-'))
}
