// Decides what runs without a question. Where nothing confines a command this is the only guard,
// so whatever is not understood is unknown. Codex 0.133.0 is laxer in places: it trusts `./ls`,
// `find . -{delete,print}`, `rg -uz`, `git diff --outpu=f`, `uniq in out`, `sed -n 3p -e1e`.
import { splitShellWords } from './shell-words.ts'

export type CommandSafety = 'safe' | 'unknown' | 'dangerous'

type ArgumentCheck = (args: readonly string[]) => boolean

const SYSTEM_FOLDERS = new Set(['/bin', '/usr/bin', '/usr/local/bin'])
const SHELLS = new Set(['bash', 'zsh', 'sh'])

/** Programs that only read, whatever their arguments are. */
const READERS = new Set([
  ...'cat cd cut echo expr false grep head id ls nl paste pwd rev seq stat tail tr true'.split(' '),
  ...'uname wc which whoami'.split(' '),
  ...(process.platform === 'linux' ? ['numfmt', 'tac'] : []),
])

/** Programs that only read unless an argument says otherwise. */
const CHECKED_READERS: ReadonlyMap<string, ArgumentCheck> = new Map([
  ['base64', (args) => !args.some((arg) => /^-[^-]*o|^--o/.test(arg))],
  ['find', (args) => !args.some((arg) => FIND_ACTIONS.has(arg))],
  ['git', isReadingGit],
  ['rg', (args) => !args.some((arg) => RG_PROGRAMS.has(nameOf(arg)) || /^-[^-]*z/.test(arg))],
  ['sed', isPrintingSed],
  // A second operand is the file that uniq writes.
  ['uniq', (args) => !args.includes('--') && args.filter((arg) => !/^-./.test(arg)).length <= 1],
])

const FIND_ACTIONS = new Set([
  ...['-exec', '-execdir', '-ok', '-okdir', '-delete'],
  ...['-fls', '-fprint', '-fprint0', '-fprintf'],
])
const RG_PROGRAMS = new Set(['--pre', '--hostname-bin', '--search-zip'])
const GIT_GLOBAL_FLAGS = new Set(['--no-pager', '--no-optional-locks', '--literal-pathspecs'])
const GIT_READERS = new Set(['status', 'log', 'diff', 'show'])
const GIT_PROGRAMS = ['--output', '--ext-diff', '--textconv', '--exec', '--help']
const GIT_BRANCH_LISTS = new Set([
  ...['-a', '-v', '-vv', '-r', '-l', '--all', '--list', '--remotes', '--verbose'],
  ...['--show-current'],
])

/**
 * The words of each simple command in `script`, or undefined when it holds anything but plain
 * words between `&&`, `||`, `|`, `;` and newlines. A glob or brace that could turn an otherwise
 * safe command into another one (`find *`, `find . -{delete,print}`) counts as such.
 */
export function splitShellCommand(script: string): string[][] | undefined {
  const segments = splitShellWords(script)
  if (segments === undefined) return undefined
  const commands: string[][] = []
  for (const words of segments) {
    const argv = words.map((word) => word.text)
    const isGuess = words.some((word) => word.isExpanding) && !READERS.has(programOf(argv) ?? '')
    if (isGuess && isKnownSafe(argv)) return undefined
    commands.push(argv)
  }
  return commands
}

/** Whether running `argv` can only read and print. `bash -lc` of safe commands is safe. */
export function isKnownSafe(argv: readonly string[]): boolean {
  const program = programOf(argv)
  if (program === undefined) return false
  if (READERS.has(program)) return true
  const check = CHECKED_READERS.get(program)
  if (check) return check(argv.slice(1))
  const script = scriptOf(argv, program)
  return script !== undefined && (splitShellCommand(script)?.every(isKnownSafe) ?? false)
}

/** Whether `argv` is a forced `rm`, also behind sudo or inside a shell's `-c`. */
export function isDangerous(argv: readonly string[]): boolean {
  const program = argv[0]?.split('/').at(-1) ?? ''
  if (program === 'rm') return isForced(argv.slice(1))
  if (program === 'sudo') return argv.some((_, at) => at > 0 && isDangerous(argv.slice(at)))
  const script = scriptOf(argv, program)
  return script !== undefined && (splitShellCommand(script)?.some(isDangerous) ?? false)
}

/** The strictest verdict over the simple commands of `script`; unknown when it cannot be split. */
export function classifyCommand(script: string): CommandSafety {
  const commands = splitShellCommand(script)
  if (commands === undefined) return 'unknown'
  if (commands.some(isDangerous)) return 'dangerous'
  return commands.every(isKnownSafe) ? 'safe' : 'unknown'
}

/** The program's name; undefined when its path is not one of the system's. */
function programOf(argv: readonly string[]): string | undefined {
  const command = argv[0] ?? ''
  const slash = command.lastIndexOf('/')
  if (slash === -1) return command
  return SYSTEM_FOLDERS.has(command.slice(0, slash)) ? command.slice(slash + 1) : undefined
}

function scriptOf(argv: readonly string[], program: string): string | undefined {
  if (argv.length !== 3 || !SHELLS.has(program)) return undefined
  return argv[1] === '-c' || argv[1] === '-lc' ? argv[2] : undefined
}

function isForced(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  const options = end === -1 ? args : args.slice(0, end)
  return options.some((arg) => /^-[^-]*f/.test(arg) || isAbbreviationOf(arg, '--force'))
}

function isReadingGit(args: readonly string[]): boolean {
  const at = args.findIndex((arg) => !GIT_GLOBAL_FLAGS.has(arg))
  const rest = args.slice(at + 1)
  const command = args[at] ?? ''
  if (command === 'branch') {
    return rest.every((arg) => GIT_BRANCH_LISTS.has(arg) || arg.startsWith('--format='))
  }
  if (!GIT_READERS.has(command)) return false
  return !rest.some((arg) => GIT_PROGRAMS.some((option) => isAbbreviationOf(arg, option)))
}

/** Git and GNU programs take any unambiguous start of a long option. */
function isAbbreviationOf(arg: string, option: string): boolean {
  const name = nameOf(arg)
  return name.length > 2 && option.startsWith(name)
}

function nameOf(arg: string): string {
  return arg.split('=', 1)[0] ?? arg
}

/** `sed -n 3p`, `sed -n 3,9p file`: no other command, no second script, no second file. */
function isPrintingSed(args: readonly string[]): boolean {
  const [flag, script, file] = args
  if (flag !== '-n' || script === undefined || args.length > 3) return false
  return /^\d+(,\d+)?p$/.test(script) && (file === undefined || !/^-./.test(file))
}
