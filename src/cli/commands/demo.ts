import { mkdir, mkdtemp, realpath, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bobbinVersion, systemClock } from '../../base/index.ts'
import {
  DEFAULT_MODEL,
  ScriptedModel,
  type ScriptedResponse,
  type SessionSettings,
  type ThreadHandle,
  ThreadManager,
} from '../../core/index.ts'
import { foldTurns } from '../../history/index.ts'
import type { ThreadStore } from '../../thread-store/index.ts'
import { CliError } from '../cli-error.ts'
import { openStore } from '../compose.ts'
import { DEMO_FILES, FIRST_PROMPT, FIRST_TURN, SECOND_PROMPT, SECOND_TURN } from '../demo-script.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { Terminal } from '../output/terminal.ts'
import { printThread, printThreadLine } from '../output/thread-text.ts'
import { TurnPrinter } from '../output/turn-printer.ts'

/** The main job on embedded defaults: nothing is asked, nothing leaves the machine. */
export async function runDemo(): Promise<ExitCode> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'bobbin-demo-')))
  const home = join(folder, 'home')
  const project = join(folder, 'project')
  await mkdir(project)
  for (const [name, text] of Object.entries(DEMO_FILES)) await writeFile(join(project, name), text)
  const out = new Terminal(process.stdout)
  out.line('A coding agent in a scratch project. Its model is a script, so this works offline.')

  heading(out, `A turn: "${FIRST_PROMPT}"`)
  await using store = openStore(home, 'bobbin demo')
  const settings = demoSettings(project)
  await withManager(store, FIRST_TURN, async (manager) => {
    const handle = await manager.start({ settings })
    await runTurn(out, handle, FIRST_PROMPT)
  })

  heading(out, 'The thread is kept: bobbin threads list')
  const thread = await onlyThread(store)
  printThreadLine(out, thread)

  heading(out, 'Another process could go on with it: bobbin exec resume --last')
  await withManager(store, SECOND_TURN, async (manager, model) => {
    const { threadId } = thread
    const handle = await manager.resume({ threadId, defaults: settings, overrides: {} })
    await runTurn(out, handle, SECOND_PROMPT)
    const sent = model.requests.at(-1)?.input.length ?? 0
    out.line(out.style('dim', `(the model was sent ${sent} items, read back from the thread)`))
  })

  heading(out, 'All of it, read from the file: bobbin threads show --last')
  const history = await store.loadHistory(thread.threadId)
  printThread(out, await store.readThread(thread.threadId), foldTurns(history.items))
  printNextSteps(out, home, thread.rolloutPath ?? '')
  return EXIT.ok
}

function demoSettings(cwd: string): SessionSettings {
  return {
    cwd,
    // The names of a real model, so that real Codex can open the thread and go on with it.
    model: DEFAULT_MODEL,
    modelProvider: 'openai',
    approvalPolicy: 'never',
    sandboxPolicy: {
      type: 'workspace-write',
      network_access: false,
      exclude_tmpdir_env_var: true,
      exclude_slash_tmp: true,
    },
  }
}

async function withManager(
  store: ThreadStore,
  script: readonly ScriptedResponse[],
  work: (manager: ThreadManager, model: ScriptedModel) => Promise<void>,
): Promise<void> {
  const model = new ScriptedModel(script, systemClock)
  await using manager = new ThreadManager({
    store,
    clock: systemClock,
    modelAccess: () => ({ client: model, streamMaxRetries: 0 }),
    origin: { originator: 'bobbin_demo', source: 'cli', threadSource: 'user' },
    version: bobbinVersion(),
    environment: process.env,
  })
  await work(manager, model)
}

async function runTurn(out: Terminal, handle: ThreadHandle, prompt: string): Promise<void> {
  const printer = new TurnPrinter(out, out)
  const ended = Promise.withResolvers<string>()
  using _listening = handle.listen((event) => {
    printer.accept(event)
    if (event.type === 'turnCompleted') ended.resolve(event.status)
  })
  await handle.startTurn([{ type: 'text', text: prompt }])
  const status = await ended.promise
  await handle.close()
  if (status !== 'completed') throw new CliError(EXIT.failed, `the demo's turn was ${status}`)
}

async function onlyThread(store: ThreadStore) {
  const params = { limit: 5, sortKey: 'updated', isArchived: false, includeSubagents: false }
  const { threads } = await store.listThreads({ ...params, sortKey: 'updated' })
  const [thread] = threads
  if (thread) return thread
  throw new CliError(EXIT.failed, 'the thread that was just kept is not in the list')
}

function heading(out: Terminal, text: string): void {
  out.line()
  out.line(out.style(['bold', 'underline'], text))
}

function printNextSteps(out: Terminal, home: string, rolloutPath: string): void {
  const command = process.argv[1] ?? 'bobbin'
  heading(out, 'The same with a real model and your own home')
  out.line(`  export OPENAI_API_KEY=…   # or name another provider in ~/.codex/config.toml`)
  out.line(`  cd your/project`)
  out.line(`  ${command} exec "explain this repository"`)
  out.line(`  ${command} exec resume --last "now add a test"`)
  out.line(`  ${command} threads list      # your Codex threads are there too`)
  out.line()
  out.line(`The thread of this demo: ${rolloutPath}`)
  out.line(`Real Codex opens it too: CODEX_HOME=${home} codex resume --all`)
}
