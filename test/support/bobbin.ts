import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'bobbin.cjs')
const LIMIT_MS = 30_000

export interface Outcome {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface WorkplaceOptions {
  /** The command; that of the source tree unless told. */
  readonly bin?: string
  /** More variables for every process. */
  readonly environment?: { readonly [name: string]: string }
}

/** A home and a project of one test, and the command line run in them as a process. */
export class Workplace implements AsyncDisposable {
  readonly root: string
  /** Words before the command that start it; none unless set. */
  launcher?: readonly string[]
  readonly #options: WorkplaceOptions

  private constructor(root: string, options: WorkplaceOptions) {
    this.root = root
    this.#options = options
  }

  static async create(options: WorkplaceOptions = {}): Promise<Workplace> {
    const root = await realpath(await mkdtemp(join(tmpdir(), 'bobbin-test-')))
    const place = new Workplace(root, options)
    await mkdir(place.project)
    await writeFile(join(place.project, 'a.txt'), 'one\ntwo\n')
    return place
  }

  get home(): string {
    return join(this.root, 'home')
  }

  get project(): string {
    return join(this.root, 'project')
  }

  /** Nothing of the machine's own homes, keys and colours. */
  get environment(): { [name: string]: string } {
    return {
      PATH: process.env.PATH ?? '',
      HOME: this.root,
      BOBBIN_HOME: this.home,
      LANG: 'C.UTF-8',
      ...this.#options.environment,
    }
  }

  async useModel(baseUrl: string, extra = ''): Promise<void> {
    const provider = `[model_providers.mock]\nbase_url = "${baseUrl}"\n${extra}`
    await this.writeConfig(`model = "gpt-5.4"\nmodel_provider = "mock"\n${provider}`)
  }

  async writeConfig(text: string): Promise<void> {
    await mkdir(this.home, { recursive: true })
    await writeFile(join(this.home, 'config.toml'), text)
  }

  start(args: readonly string[], environment: { [name: string]: string } = {}): ChildProcess {
    const words = [...(this.launcher ?? []), process.execPath, this.#options.bin ?? BIN, ...args]
    return spawn(words[0] ?? '', words.slice(1), {
      cwd: this.project,
      env: { ...this.environment, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  }

  /** Runs the command to its end; killed, and a failure, after half a minute. */
  async run(
    args: readonly string[],
    options: { input?: string; environment?: { [name: string]: string } } = {},
  ): Promise<Outcome> {
    const child = this.start(args, options.environment)
    const stdout = collect(child.stdout)
    const stderr = collect(child.stderr)
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(options.input ?? '')
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
    const [exitCode] = (await once(child, 'close')) as [number | null]
    clearTimeout(timer)
    return { exitCode, stdout: await stdout, stderr: await stderr }
  }

  /** `exec` in a project that is no git repository, allowed to do everything. */
  exec(args: readonly string[], environment: { [name: string]: string } = {}): Promise<Outcome> {
    const flags = ['exec', '--dangerously-bypass-approvals-and-sandbox']
    return this.run([...flags, ...args], { environment })
  }

  /** Every file below the home, by its path from there. */
  async homeFiles(): Promise<string[]> {
    const entries = await readdir(this.home, { recursive: true, withFileTypes: true }).catch(
      () => [],
    )
    const files = entries.filter((entry) => entry.isFile())
    return files
      .map((entry) => join(entry.parentPath, entry.name).slice(this.home.length + 1))
      .sort()
  }

  /** The lines of the only rollout. */
  async rolloutLines(): Promise<{ type: string; payload: { [key: string]: unknown } }[]> {
    const names = (await this.homeFiles()).filter((name) => name.endsWith('.jsonl'))
    const text = await readFile(join(this.home, names[0] ?? ''), 'utf8')
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true })
  }
}

async function collect(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = ''
  for await (const chunk of stream ?? []) text += String(chunk)
  return text
}

/** The objects of JSON lines. */
export function jsonLines(text: string): { type: string; [key: string]: unknown }[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}
