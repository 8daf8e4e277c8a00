/**
 * A home and a project that live for one test. Both programs read the same `config.toml`: a Bobbin
 * home is a Codex home. The environment names no network, no key and nothing of the machine's own
 * homes, and what calls home in real Codex is switched off.
 */
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

import type { JsonObject } from '../../src/base/index.ts'
import { runChild } from './child.ts'

export const MODEL = 'gpt-5.4'
export const PROVIDER = 'mock'

/** Fixed, so that every scratch project has the same commit hash. */
const COMMIT_DATE = '2026-01-01T00:00:00Z'

export interface RolloutFile {
  readonly path: string
  readonly text: string
  readonly lines: readonly JsonObject[]
}

export class Scratch implements AsyncDisposable {
  readonly root: string

  private constructor(root: string) {
    this.root = root
  }

  static async create(): Promise<Scratch> {
    const scratch = new Scratch(await realpath(await mkdtemp(join(tmpdir(), 'bobbin-conf-'))))
    await Promise.all([mkdir(scratch.home), mkdir(scratch.user), mkdir(scratch.project)])
    await writeFile(join(scratch.project, 'AGENTS.md'), 'Keep lines short.\n')
    await writeFile(join(scratch.project, 'a.txt'), 'one\ntwo\nthree\n')
    const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.invalid']
    await scratch.#git('init', '--quiet', '--initial-branch=main')
    await scratch.#git('add', '.')
    await scratch.#git(...identity, 'commit', '--quiet', '--message=start')
    return scratch
  }

  /** Becomes `CODEX_HOME`. */
  get home(): string {
    return join(this.root, 'home')
  }

  /** Becomes `HOME`. */
  get user(): string {
    return join(this.root, 'user')
  }

  /** A git work tree with one commit, an `AGENTS.md` and an `a.txt`. */
  get project(): string {
    return join(this.root, 'project')
  }

  get env(): { [name: string]: string } {
    return { ...systemEnv(), HOME: this.user, CODEX_HOME: this.home }
  }

  /** Writes `config.toml`: from now on turns in this home ask the server at `baseUrl`. */
  async useModelServer(baseUrl: string, model = MODEL): Promise<void> {
    const config = `model = "${model}"
model_provider = "${PROVIDER}"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false

[model_providers.${PROVIDER}]
name = "${PROVIDER}"
base_url = "${baseUrl}"
wire_api = "responses"

[analytics]
enabled = false

[features]
apps = false
plugins = false
remote_plugin = false
shell_snapshot = false

[skills.bundled]
enabled = false

[projects."${this.project}"]
trust_level = "trusted"
`
    await writeFile(join(this.home, 'config.toml'), config)
  }

  /** All rollouts of the home, oldest first. */
  async rollouts(): Promise<RolloutFile[]> {
    const names = await readdir(this.home, { recursive: true }).catch(() => [])
    const paths = names.filter((name) => /^rollout-.*\.jsonl$/.test(basename(name))).sort()
    return Promise.all(paths.map((path) => readRollout(join(this.home, path))))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }

  async #git(...args: string[]): Promise<void> {
    const env = { ...this.env, GIT_AUTHOR_DATE: COMMIT_DATE, GIT_COMMITTER_DATE: COMMIT_DATE }
    const { code, stderr } = await runChild('git', args, { cwd: this.project, env })
    if (code !== 0) throw new Error(`git ${args.join(' ')} failed: ${stderr}`)
  }
}

/** What a program needs to run at all; no proxy, key or home of the machine. */
function systemEnv(): { [name: string]: string } {
  const env: { [name: string]: string } = { LANG: 'C.UTF-8', TERM: 'dumb' }
  for (const name of ['PATH', 'TMPDIR', 'SHELL', 'TZ', 'SystemRoot']) {
    const value = process.env[name]
    if (value !== undefined) env[name] = value
  }
  return env
}

async function readRollout(path: string): Promise<RolloutFile> {
  const text = await readFile(path, 'utf8')
  const lines = text.split('\n').filter((line) => line !== '')
  return { path, text, lines: lines.map((line) => JSON.parse(line) as JsonObject) }
}
