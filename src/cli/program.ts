import { Command, CommanderError, Option } from 'commander'
import { bobbinVersion } from '../base/index.ts'
import { APP_SERVER_DEFAULTS as DEFAULTS } from './app-server-defaults.ts'
import { CliError } from './cli-error.ts'
import { EXIT, EXIT_CODE_HELP } from './exit-codes.ts'

const INTRO = `Durable threads for coding agents, kept in a home that Codex can open too.

Examples:
  bobbin demo                                 watch a turn run, offline, in a scratch folder
  bobbin exec "explain this repository"       run a turn here
  bobbin exec resume --last "now add a test"  go on with the last thread of this folder
  bobbin review --base main                   have a branch reviewed
  bobbin threads list                         find it again
  bobbin threads show --last                  read it
  bobbin app-server --help                    serve threads to editors and programs`

const EXEC_HELP = `
Words:
  PROMPT                  the task; "-" or nothing reads it from standard input
  resume ID PROMPT        go on with a thread: full id, unique beginning of it, or its name
  resume --last PROMPT    go on with the newest thread of this folder

The model comes from config.toml of the home ($BOBBIN_HOME, else $CODEX_HOME, else ~/.codex), as
for Codex: model, model_provider, [model_providers.NAME]. With no configuration it is OpenAI's,
with the key of $OPENAI_API_KEY. Any endpoint with a Responses API does:

  bobbin exec -c model_provider=local -c model_providers.local.base_url=http://localhost:8080/v1 \\
              -m my-model "hello"

Nobody can be asked during exec: what would need approval is refused, and the model is told why.

${EXIT_CODE_HELP}`

function collect(value: string, previous: string[]): string[] {
  return [...previous, value]
}

/** Flags of real Codex's exec that need nothing done here. */
const ACCEPTED_FLAGS = [
  '--enable <feature>',
  '--disable <feature>',
  '--strict-config',
  '--dangerously-bypass-hook-trust',
  '--ignore-rules',
  '--cyber-access-program <name>',
]

function execCommand(): Command {
  const command = withTurnOptions(
    new Command('exec')
      .summary('run a turn without asking anything')
      .description('Run one turn of a new or a stored thread, and print what happens.')
      .argument('[words...]', 'PROMPT, or resume [ID] [PROMPT]'),
  )
    .option('-i, --image <file>', 'show the model a picture; repeatable', collect, [])
    .option('--output-schema <file>', 'JSON Schema that the last message has to follow')
    .option('--last', 'with resume: the newest thread of this folder')
    .addOption(new Option('--experimental-json').hideHelp())
    .addHelpText('after', EXEC_HELP)
  for (const flag of ACCEPTED_FLAGS) command.addOption(new Option(flag).hideHelp())
  return command.action(async (words: string[], options) => {
    const { runExec } = await import('./commands/exec.ts')
    process.exitCode = await runExec(words, options)
  })
}

const REVIEW_HELP = `
Examples:
  bobbin review                      what is changed and not committed
  bobbin review --base main          what this branch adds to main
  bobbin review --commit HEAD~1      one commit
  bobbin review "look for races in src/queue.ts"

The reviewer works in a thread of its own, in the sandbox, and asks nobody.`

function reviewCommand(): Command {
  return withTurnOptions(
    new Command('review')
      .description('Have changes of this git repository reviewed, and print what was found.')
      .argument('[instructions]', 'what to look at; without it, uncommitted changes'),
  )
    .option('--uncommitted', 'staged, unstaged and new files (the default)')
    .option('--base <branch>', 'what this branch adds to another')
    .option('--commit <sha>', 'the changes of one commit')
    .option('--title <text>', 'with --commit: what it says of itself')
    .addHelpText('after', REVIEW_HELP)
    .action(async (instructions: string | undefined, options) => {
      const { runReview } = await import('./commands/review.ts')
      process.exitCode = await runReview(instructions, options)
    })
}

/** What every turn can be told. */
function withTurnOptions(command: Command): Command {
  return command
    .option('--json', 'print events as JSON lines, as `codex exec --json` does')
    .option('-C, --cd <dir>', 'work in this folder')
    .option('-m, --model <model>', 'model to use')
    .option('-c, --config <key=value>', 'override a value of config.toml; repeatable', collect, [])
    .option('-p, --profile <name>', 'use [profiles.NAME] of config.toml')
    .option('-s, --sandbox <mode>', 'read-only (default), workspace-write, danger-full-access')
    .option('--dangerously-bypass-approvals-and-sandbox', 'allow every command and patch')
    .option('--add-dir <dir>', 'another folder that may be written; repeatable', collect, [])
    .option('-o, --output-last-message <file>', 'write the last message to this file')
    .option('--ephemeral', 'keep nothing of this thread')
    .option('--skip-git-repo-check', 'run outside of a git repository')
    .option('--thread-source <name>', 'noted in a new thread')
    .option('--oss', 'use a model server on this machine')
    .option('--local-provider <name>', 'with --oss: ollama (default) or lmstudio')
    .option('--ignore-user-config', 'leave config.toml unread')
    .option('--color <when>', 'auto, always or never', 'auto')
}

function threadsCommand(): Command {
  const threads = new Command('threads').description('Find and read stored threads.')
  threads
    .command('list')
    .description('List threads, newest first.')
    .option('--json', 'print one JSON object')
    .option('--jsonl', 'print one JSON object a thread, and all threads unless --limit is given')
    .option('-n, --limit <count>', 'threads on a page (default: 25)')
    .option('--cursor <cursor>', 'go on after an earlier page')
    .option('--sort <key>', 'updated or created', 'updated')
    .option('--cwd <dir>', 'only threads started in this folder')
    .option('--project <dir>', 'only threads of the git work tree that this folder is in')
    .option('--source <kind>', 'only cli, exec, vscode, subagent, …')
    .option('--provider <id>', 'only of this model provider')
    .option('--branch <name>', 'only of this git branch')
    .option('--text <words>', 'only with these words in the name or the first message')
    .option('--since <when>', 'only changed since a date, or so many days back: 7d')
    .option('--archived', 'list archived threads')
    .option('--all', 'also threads that agents started for themselves')
    .action(async (options) => {
      const { runThreadsList } = await import('./commands/threads-list.ts')
      process.exitCode = await runThreadsList(options)
    })
  threads
    .command('show')
    .description('Show the turns of a thread.')
    .argument('[id]', 'full id, unique beginning of it, or name')
    .option('--last', LAST)
    .option('-n, --turns <count>', 'only the last turns, so many')
    .option('--json', 'print one JSON object')
    .action(async (id: string | undefined, options) => {
      const { runThreadsShow } = await import('./commands/threads-show.ts')
      process.exitCode = await runThreadsShow(id, options)
    })
  addChangeCommands(threads)
  addSearchCommands(threads)
  return threads
}

function addBranchCommands(threads: Command): void {
  const branches = () => import('./commands/threads-branch.ts')
  threads
    .command('fork')
    .description('Make a new thread that begins as another, which stays as it is.')
    .argument('[id]', 'full id, unique beginning of it, or name')
    .option('--last', LAST)
    .option(
      '--at <turn>',
      'take over no more than up to the end of this turn (`threads show --json`)',
    )
    .option('--json', 'print one JSON object')
    .action(async (id: string | undefined, options) => {
      process.exitCode = await (await branches()).runThreadsFork(id, options)
    })
  threads
    .command('rollback')
    .description('Take the last turns of a thread back. Files in the project stay as they are.')
    .argument('[id]', 'full id, unique beginning of it, or name')
    .option('--last', LAST)
    .option('-n, --turns <count>', 'how many', '1')
    .option('--json', 'print one JSON object')
    .action(async (id: string | undefined, options) => {
      process.exitCode = await (await branches()).runThreadsRollback(id, options)
    })
}

const IDS = 'full ids, unique beginnings of them, or names'
const LAST = 'the newest thread of this folder'

function addChangeCommands(threads: Command): void {
  const changes = () => import('./commands/threads-change.ts')
  threads
    .command('name')
    .description('Give a thread a name.')
    .argument('[words...]', 'ID NAME, or NAME with --last')
    .option('--clear', 'take the name away')
    .option('--last', LAST)
    .option('--json', 'print one JSON object')
    .action(async (words: string[], options) => {
      process.exitCode = await (await changes()).runThreadsName(words, options)
    })
  threads
    .command('archive')
    .description('Take threads out of the usual list.')
    .argument('[ids...]', IDS)
    .option('--last', LAST)
    .option('--json', 'print one JSON object')
    .action(async (ids: string[], options) => {
      process.exitCode = await (await changes()).runThreadsArchive(ids, options)
    })
  threads
    .command('unarchive')
    .description('Bring archived threads back.')
    .argument('<ids...>', IDS)
    .option('--json', 'print one JSON object')
    .action(async (ids: string[], options) => {
      process.exitCode = await (await changes()).runThreadsUnarchive(ids, options)
    })
  threads
    .command('delete')
    .description('Remove threads for good. Shows them, and asks.')
    .argument('[ids...]', IDS)
    .option('--last', LAST)
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print one JSON object')
    .action(async (ids: string[], options) => {
      process.exitCode = await (await changes()).runThreadsDelete(ids, options)
    })
  addBranchCommands(threads)
  threads
    .command('export')
    .description('Write a thread as a document, or as the items of its log.')
    .argument('[id]', 'full id, unique beginning of it, or name')
    .option('--last', LAST)
    .option('-f, --format <format>', 'markdown, html or jsonl (default: as the file is named)')
    .option('-o, --output <file>', 'write to this file: .md, .html, .jsonl')
    .option('--json', 'print one JSON object, with the document in it unless there is a file')
    .action(async (id: string | undefined, options) => {
      const { runThreadsExport } = await import('./commands/threads-export.ts')
      process.exitCode = await runThreadsExport(id, options)
    })
}

function addSearchCommands(threads: Command): void {
  threads
    .command('search')
    .description('Find threads by what was said in them, newest text first.')
    .argument(
      '<words...>',
      'all have to be there, each as the beginning of a word; "…" is a phrase',
    )
    .option('--json', 'print one JSON object')
    .option('--jsonl', 'print one JSON object a hit, and all hits unless --limit is given')
    .option('-n, --limit <count>', 'hits on a page (default: 25)')
    .option('--cursor <cursor>', 'go on after an earlier page')
    .option('--cwd <dir>', 'only in threads started in this folder')
    .option('--archived', 'in archived threads')
    .option('--all', 'also in threads that agents started for themselves')
    .action(async (words: string[], options) => {
      const { runThreadsSearch } = await import('./commands/threads-search.ts')
      process.exitCode = await runThreadsSearch(words, options)
    })
  threads
    .command('stats')
    .description('Count threads: how many, how large, with which models, in which folders.')
    .option('--json', 'print one JSON object')
    .option('--cwd <dir>', 'only threads started in this folder')
    .option('--since <when>', 'only changed since a date, or so many days back: 7d')
    .option('--all', 'also threads that agents started for themselves')
    .action(async (options) => {
      const { runThreadsStats } = await import('./commands/threads-stats.ts')
      process.exitCode = await runThreadsStats(options)
    })
}

function doctorCommand(): Command {
  return new Command('doctor')
    .description('Examine the home: files of threads, names, index, locks. Changes nothing.')
    .option('--repair', 'mend what can be mended; copies of the files go to HOME/repairs first')
    .option('--json', 'print one JSON object')
    .option('--summary', 'print counts only')
    .action(async (options) => {
      const { runDoctor } = await import('./commands/doctor.ts')
      process.exitCode = await runDoctor(options)
    })
}

const APP_SERVER_HELP = `
Examples:
  bobbin app-server                             for a program that starts it: JSON lines on stdio
  bobbin app-server --listen ws://127.0.0.1:4500      and then, in another terminal:
  export TOKEN="$(cat ~/.codex/app-server-control/ws-token)"
  codex --remote ws://127.0.0.1:4500 --remote-auth-token-env TOKEN

Messages are JSON-RPC 2.0 as Codex 0.133.0 speaks it. The first request of a connection:
  {"id":1,"method":"initialize","params":{"clientInfo":{"name":"mine","version":"1"}}}

Listens at (--listen):
  stdio://       one client; ends with its input, and running turns with it
  unix://[PATH]  WebSockets over a socket that only you can open
                 (default: HOME/app-server-control/app-server-control.sock)
  ws://IP:PORT   WebSockets; port 0 takes a free one, told on standard error

Who may connect to ws:// shows a token: "Authorization: Bearer TOKEN".
  (nothing)                        on loopback: a token of the home, made on first use, told then,
                                   kept in HOME/app-server-control/ws-token
  --ws-auth capability-token       a token of yours: --ws-token-file or --ws-token-sha256
  --ws-auth signed-bearer-token    JSON Web Tokens (HS256, exp): --ws-shared-secret-file
  --ws-auth none                   on loopback only: every program of this machine may connect
Web pages (any Origin header) are refused. /readyz and /healthz need no token.

SIGTERM and SIGINT let running turns end first, --drain-seconds at most; a second one interrupts
them. Interrupted or not, what was told is kept.`

function appServerCommand(): Command {
  const command = new Command('app-server')
    .summary('serve threads to programs: editors, terminals, your own')
    .description('Serve threads to other programs, over standard input or WebSockets.')
    .option('--listen <url>', 'stdio://, unix://[PATH], ws://IP:PORT or off', DEFAULTS.listen)
    .option('-c, --config <key=value>', 'override a value of config.toml; repeatable', collect, [])
    .option(
      '--drain-seconds <count>',
      'how long running turns may go on when it stops',
      DEFAULTS.drainSeconds,
    )
    .option('--ws-auth <mode>', 'capability-token, signed-bearer-token or none')
    .option('--ws-token-file <path>', 'file with the token')
    .option('--ws-token-sha256 <hex>', 'SHA-256 digest of the token')
    .option(
      '--ws-shared-secret-file <path>',
      'file with the key of signed tokens, 32 bytes or more',
    )
    .option('--ws-issuer <issuer>', 'issuer that signed tokens have to name')
    .option('--ws-audience <audience>', 'audience that signed tokens have to name')
    .option('--ws-max-clock-skew-seconds <count>', 'how wrong clocks may be (default: 30)')
    .addHelpText('after', APP_SERVER_HELP)
  for (const flag of ACCEPTED_SERVER_FLAGS) command.addOption(new Option(flag).hideHelp())
  command
    .command('proxy')
    .description('Connect standard input and output with the socket of a running server.')
    .option('--sock <path>', 'the socket (default: the one of the home)')
    .action(async (options) => {
      const { runProxy } = await import('./commands/app-server.ts')
      process.exitCode = await runProxy(options)
    })
  for (const form of ['json', 'ts'] as const) {
    command
      .command(form === 'json' ? 'generate-json-schema' : 'generate-ts')
      .description(`Write what clients may send and are told: ClientRequest.${form} and others.`)
      .requiredOption('-o, --out <dir>', 'the folder')
      .action(async (options) => {
        const { runGenerate } = await import('./commands/app-server-schema.ts')
        process.exitCode = await runGenerate(form, options)
      })
  }
  return command.action(async (options) => {
    const { runAppServer } = await import('./commands/app-server.ts')
    process.exitCode = await runAppServer(options)
  })
}

/** Flags of real Codex's app-server that need nothing done here. */
const ACCEPTED_SERVER_FLAGS = [
  '--stdio',
  '--analytics-default-enabled',
  '--strict-config',
  '--enable <feature>',
  '--disable <feature>',
]

function demoCommand(): Command {
  return new Command('demo')
    .description('Run a turn with a scripted model, offline, in a scratch folder and home.')
    .action(async () => {
      const { runDemo } = await import('./commands/demo.ts')
      process.exitCode = await runDemo()
    })
}

const COMMANDS: { readonly [name: string]: () => Command } = {
  exec: execCommand,
  review: reviewCommand,
  threads: threadsCommand,
  'app-server': appServerCommand,
  demo: demoCommand,
  doctor: doctorCommand,
}

/** All commands, or only the one that is named first: making all takes as long as some of them. */
function program(first: string | undefined, onRefused: (command: Command) => void): Command {
  const root = new Command('bobbin')
    .description(INTRO)
    .version(bobbinVersion(), '-V, --version')
    .addHelpText('after', `\n${EXIT_CODE_HELP}`)
  const isKnown = first !== undefined && Object.hasOwn(COMMANDS, first)
  const wanted = isKnown ? [COMMANDS[first]] : Object.values(COMMANDS)
  for (const make of wanted) if (make) root.addCommand(make())
  for (const command of [root, ...descendants(root)]) {
    command.exitOverride().showSuggestionAfterError()
    command.configureOutput({ outputError: () => onRefused(command) })
  }
  return root
}

/** As a person types it. */
function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}

function descendants(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)])
}

/**
 * Runs what the words say, and sets the process's exit code. Throws what a command throws, and a
 * `CliError` for words that say nothing.
 */
export async function runProgram(args: readonly string[]): Promise<void> {
  let refused = 'bobbin'
  const onRefused = (command: Command) => {
    refused = pathOf(command)
  }
  try {
    await program(args[0], onRefused).parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return
    if (error.code === 'commander.help') {
      process.exitCode = EXIT.usage
      return
    }
    const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ')
    throw new CliError(EXIT.usage, message, `see ${refused} --help`)
  }
}
