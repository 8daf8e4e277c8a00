/**
 * One of the two worlds that are compared: a home, a scripted model, an app server on a WebSocket,
 * and the real TUI in front of it. The TUI has a home of its own, as on another machine.
 */
import { once } from 'node:events'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { killGroup, startChild } from '../child.ts'
import { Scratch } from '../scratch.ts'
import { type ModelScript, ModelServer } from '../session/model-server.ts'
import { Terminal } from './terminal.ts'

const EXIT_LIMIT_MS = 10_000

/** Keys that come as fast as these are no pasted text. */
const KEYS = 'disable_paste_burst = true\n'

/** The end of a turn is told; nothing moves by itself, and no lot is drawn. */
const TUI = `[tui]
animations = false
show_tooltips = false
notifications = ["agent-turn-complete"]
notification_method = "osc9"
notification_condition = "always"

[notice.model_migrations]
"gpt-5.5" = "gpt-6-sol"
`

/** Where a TUI finds the token of its server, if that has one. */
export const TOKEN_VARIABLE = 'SERVER_TOKEN'

export interface ServerProgram {
  readonly command: string
  readonly args: readonly string[]
}

export interface SideOptions {
  readonly name: 'codex' | 'bobbin'
  /** Without `app-server` and what follows. */
  readonly program: ServerProgram
  /** After `app-server --listen …`. */
  readonly flags?: readonly string[]
  readonly script: ModelScript
  /** Which model the configuration names. */
  readonly modelName: string
  /** The TUI. */
  readonly tui: string
}

export class Side implements AsyncDisposable {
  readonly name: SideOptions['name']
  readonly scratch: Scratch
  readonly model: ModelServer
  readonly server: RemoteServer
  readonly #tui: string
  readonly #parts: AsyncDisposableStack

  private constructor(
    { name, tui }: SideOptions,
    parts: { scratch: Scratch; model: ModelServer; server: RemoteServer },
    stack: AsyncDisposableStack,
  ) {
    this.name = name
    this.#tui = tui
    this.scratch = parts.scratch
    this.model = parts.model
    this.server = parts.server
    this.#parts = stack
  }

  static async start(options: SideOptions): Promise<Side> {
    await using stack = new AsyncDisposableStack()
    const scratch = stack.use(await Scratch.create())
    const model = stack.use(await ModelServer.start(options.script))
    await writeHomes(scratch, model, options.modelName)
    const server = stack.use(await RemoteServer.start(options, scratch))
    return new Side(options, { scratch, model, server }, stack.move())
  }

  /** Starts the TUI: `codex [command] --remote … [flags]`. It ends with the side. */
  open(command: readonly string[], flags: readonly string[]): Terminal {
    const { project } = this.scratch
    const args = [...command, '--remote', this.server.url, '-C', project, ...flags]
    const all = {
      ...envOf(this.scratch),
      CODEX_HOME: tuiHome(this.scratch),
      [TOKEN_VARIABLE]: this.server.token,
    }
    return this.#parts.use(new Terminal(this.#tui, args, { cwd: project, env: all }))
  }

  /** What is the same in both worlds but for its name, with the name to compare by. */
  get names(): readonly (readonly [string, string])[] {
    const { project, root } = this.scratch
    return [
      [project, '<project>'],
      [root, '<root>'],
      [this.server.url, '<server>'],
    ]
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync()
  }
}

function tuiHome(scratch: Scratch): string {
  return join(scratch.root, 'tui')
}

/** The real program makes its helpers only outside the folder for temporary files. */
function envOf(scratch: Scratch): { [name: string]: string } {
  return { ...scratch.env, TMPDIR: join(scratch.root, 'tmp') }
}

async function writeHomes(scratch: Scratch, model: ModelServer, name: string): Promise<void> {
  await scratch.useModelServer(model.baseUrl, name)
  const path = join(scratch.home, 'config.toml')
  const config = await readFile(path, 'utf8')
  await writeFile(path, `${KEYS}${config.replace('"never"', '"on-request"')}\n${TUI}`)
  await mkdir(join(scratch.root, 'tmp'))
  await mkdir(tuiHome(scratch))
  await copyFile(path, join(tuiHome(scratch), 'config.toml'))
  await writeFile(join(scratch.project, 'x.txt'), 'x\n')
}

/** An app server that listens on a free port of this machine. */
class RemoteServer implements AsyncDisposable {
  readonly #child: ReturnType<typeof startChild>
  readonly #exited: Promise<unknown>
  #stderr = ''

  private constructor({ program, flags = [] }: SideOptions, scratch: Scratch) {
    const listen = ['app-server', '--listen', 'ws://127.0.0.1:0', ...flags]
    const options = { cwd: scratch.project, env: envOf(scratch) }
    this.#child = startChild(program.command, [...program.args, ...listen], options)
    this.#exited = once(this.#child, 'close')
    this.#child.stderr.on('data', (text: string) => {
      this.#stderr += text
    })
  }

  static async start(options: SideOptions, scratch: Scratch): Promise<RemoteServer> {
    const server = new RemoteServer(options, scratch)
    while (server.url === '') {
      const told = await Promise.race([
        once(server.#child.stderr, 'data').then(() => true),
        server.#exited.then(() => false),
      ])
      if (!told) throw new Error(`${options.name}: no server\n${server.#stderr}`)
    }
    return server
  }

  /** Empty as long as it does not listen. */
  get url(): string {
    return /listening on: (ws:\/\/[\d.:]+)/.exec(this.#stderr)?.[1] ?? ''
  }

  get token(): string {
    return /^ {2}token: (\S+)/m.exec(this.#stderr)?.[1] ?? 'none'
  }

  /** What it has said so far. */
  get log(): string {
    return this.#stderr
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM')
    const timer = setTimeout(() => killGroup(this.#child), EXIT_LIMIT_MS)
    await this.#exited
    clearTimeout(timer)
  }
}
