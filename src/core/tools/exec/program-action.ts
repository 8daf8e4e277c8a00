// What one program of a command line does, as its arguments say, for people to see. Nothing is
// decided by it. Which options take a value is what 0.133.0 was seen to know, not what is true.
import type { ParsedCommand } from '../../../protocol/index.ts'

/** An action without its text. */
export type ProgramAction =
  | Omit<Extract<ParsedCommand, { type: 'read' }>, 'cmd'>
  | Omit<Extract<ParsedCommand, { type: 'list_files' }>, 'cmd'>
  | Omit<Extract<ParsedCommand, { type: 'search' }>, 'cmd'>

type Args = readonly string[]
type Reader = (args: Args) => ProgramAction | undefined

/** Undefined: nobody can tell. `words` are those of a simple command, the program first. */
export function programAction([program = '', ...args]: Args): ProgramAction | undefined {
  const reader = READERS.get(program) ?? (PYTHON.test(program) ? pythonAction : undefined)
  return reader?.(args)
}

/** The last part of a path that says something, for a short line. */
export function shortPath(path: string): string {
  const trimmed = path.replaceAll('\\', '/').replace(/\/+$/, '')
  const telling = trimmed.split('/').findLast((part) => part !== '' && !SILENT.has(part))
  return telling ?? trimmed
}

const SILENT = new Set(['build', 'dist', 'node_modules', 'src'])
const PYTHON = /^python[\d.]*$/
const WALKS = /os\.(walk|listdir|scandir)|glob\.i?glob|\.rglob\(|pathlib\.Path/
const LINES = /^\d+(,\d+)?p$/
const PATTERNS = new Set(['-e', '-f', '--regexp', '--file'])
const FIND_PATTERNS = new Set(['-name', '-iname', '-path', '-regex'])

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['ls', listing('-I -w --block-size --color --format --quoting-style --time-style')],
  ...both(['eza', 'exa'], listing('-I --color --ignore-glob --sort --time --time-style')),
  ['tree', listing('-I -L -P --charset --filelimit --sort')],
  ['du', listing('-B -d --block-size --exclude --max-depth --time-style')],
  ...both(['rg', 'rga'], ripgrepAction),
  ...both(['ag', 'ack', 'pt'], searching('-G --ignore-dir')),
  ...both(['grep', 'egrep', 'fgrep'], grepAction),
  ['git', gitAction],
  ['fd', fdAction],
  ['find', findAction],
  ['cat', readingOne('')],
  ...both(
    ['bat', 'batcat'],
    readingOne('--language --line-range --map-syntax --style --tabs --terminal-width --theme'),
  ),
  ['less', readingOne('-P -j -p -x -y -z --pattern --prompt --shift --tabs')],
  ['more', readingOne('')],
  ['head', readingEnd(/^\d*$/)],
  ['tail', readingEnd(/^(\d*|\+\d+)$/)],
  ['nl', (args) => reading(operands(args, NL_OPTIONS)[0])],
  ['sed', sedAction],
  ['awk', awkAction],
])

const NL_OPTIONS = options('-b -i -s -v -w')
const RG_OPTIONS = options(
  '-A -B -C -g -m -t --context --glob --iglob --max-count --max-depth --type --type-add --type-not',
)
const GREP_OPTIONS = options('-A -B -C -m --after-context --before-context --context --max-count')
const FD_OPTIONS = options('-E -e -t --exclude --extension --search-path --type')
const SED_OPTIONS = options('-e -f')
const AWK_OPTIONS = options('-F -f -v --field-separator')

function both(programs: Args, reader: Reader): [string, Reader][] {
  return programs.map((program) => [program, reader])
}

function options(names: string): ReadonlySet<string> {
  return new Set(names.split(' ').filter((name) => name !== ''))
}

/** What is no option, and no value of one of `valued`; behind `--` everything. */
function operands(args: Args, valued: ReadonlySet<string>): string[] {
  const found: string[] = []
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? ''
    if (arg === '--') return [...found, ...args.slice(at + 1)]
    if (valued.has(arg)) at += 1
    else if (!arg.startsWith('-')) found.push(arg)
  }
  return found
}

function listed(path: string | undefined): ProgramAction {
  return { type: 'list_files', path: path === undefined ? null : shortPath(path) }
}

function searched(query: string | undefined, path: string | undefined): ProgramAction {
  const where = path === undefined ? null : shortPath(path)
  return { type: 'search', query: query ?? null, path: where }
}

function reading(path: string | undefined): ProgramAction | undefined {
  return path === undefined ? undefined : { type: 'read', name: shortPath(path), path }
}

function listing(valued: string): Reader {
  const known = options(valued)
  return (args) => listed(operands(args, known)[0])
}

function searching(valued: string): Reader {
  const known = options(valued)
  return (args) => {
    const [query, path] = operands(args, known)
    return searched(query, path)
  }
}

/** Of several files none is the one that is read. */
function readingOne(valued: string): Reader {
  const known = options(valued)
  return (args) => {
    const files = operands(args, known)
    return files.length === 1 ? reading(files[0]) : undefined
  }
}

/** `head FILE`, `head -n 5 FILE`, `head -n5 FILE`. */
function readingEnd(count: RegExp): Reader {
  return (args) => {
    const [first = '', second = ''] = args
    if (args.length === 1 && !first.startsWith('-')) return reading(first)
    if (!first.startsWith('-n')) return undefined
    const [given, rest] = first === '-n' ? [second, args.slice(2)] : [first.slice(2), args.slice(1)]
    if (!count.test(given)) return undefined
    return reading(rest.find((arg) => !arg.startsWith('-')))
  }
}

function ripgrepAction(args: Args): ProgramAction {
  // To it `--` is an option like any other.
  const rest = operands(
    args.filter((arg) => arg !== '--'),
    RG_OPTIONS,
  )
  return args.includes('--files') ? listed(rest[0]) : searched(rest[0], rest[1])
}

function grepAction(args: Args): ProgramAction {
  const at = args.findIndex((arg) => PATTERNS.has(arg))
  const rest = operands(args, new Set([...GREP_OPTIONS, ...PATTERNS]))
  if (at !== -1) return searched(args[at + 1], rest[0])
  return searched(rest[0], rest[1])
}

function gitAction([command, ...args]: Args): ProgramAction | undefined {
  if (command === 'grep') return grepAction(args)
  return command === 'ls-files' ? listed(operands(args, options('--exclude'))[0]) : undefined
}

/** A single word is what is looked for, unless it looks like a path. */
function fdAction(args: Args): ProgramAction {
  const [first, path] = operands(args, FD_OPTIONS)
  if (first === undefined) return listed(undefined)
  const isPath = first === '.' || first === '..' || first.includes('/')
  return path === undefined && isPath ? listed(first) : searched(first, path)
}

function findAction(args: Args): ProgramAction {
  const path = args.find((arg) => !arg.startsWith('-') && arg !== '!')
  const at = args.findIndex((arg) => FIND_PATTERNS.has(arg))
  const query = at === -1 ? undefined : args[at + 1]
  return query === undefined ? listed(path) : searched(query, path)
}

/** `sed -n 3,9p FILE`. */
function sedAction(args: Args): ProgramAction | undefined {
  if (!args.includes('-n') || !args.some((arg) => LINES.test(arg))) return undefined
  return reading(operands(args, SED_OPTIONS).find((arg) => !LINES.test(arg)))
}

function awkAction(args: Args): ProgramAction | undefined {
  const rest = operands(args, AWK_OPTIONS)
  return reading(args.includes('-f') ? rest[0] : rest[1])
}

/** A line of Python that looks through folders. */
function pythonAction(args: Args): ProgramAction | undefined {
  const at = args.indexOf('-c')
  return at !== -1 && WALKS.test(args[at + 1] ?? '') ? listed(undefined) : undefined
}
