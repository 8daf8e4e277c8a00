/**
 * The real TUI, twice: before the real app server of its own version and before Bobbin's. Both get
 * the same keys, and after each step both screens have to come to be the same.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { codexVersions } from '../programs.ts'
import type { ModelScript } from '../session/model-server.ts'
import { withoutDifferences } from './differences.ts'
import { screenForm } from './screen-form.ts'
import { type ServerProgram, Side } from './side.ts'
import { framed, KEY, type Terminal, until } from './terminal.ts'

export type Version = (typeof codexVersions)[number]

/** One that each version has heard of, so that it gives it the tools of the scripts. */
const MODELS = { '0.133.0': 'gpt-5.4', '0.169.0': 'gpt-5.5' } as const

/** As the real server is by default. */
const OPEN = ['--ws-auth', 'none']

const bobbin: ServerProgram = {
  command: process.execPath,
  args: [new URL('../../../bin/bobbin.cjs', import.meta.url).pathname],
}

/** How often, and how long each time, a prompt is given its answer. */
const MAX_TRIES = 6
const TRY_MS = 2500

export class BothWorlds implements AsyncDisposable {
  readonly version: Version
  readonly #sides: readonly [Side, Side]

  private constructor(version: Version, sides: readonly [Side, Side]) {
    this.version = version
    this.#sides = sides
  }

  static async start(
    version: Version,
    script: ModelScript,
    needsToken = false,
  ): Promise<BothWorlds> {
    const tui = version.binary
    const flags = needsToken ? [] : OPEN
    const shared = { tui, script, modelName: MODELS[version.version] }
    const real = { ...shared, name: 'codex', program: { command: tui, args: [] } } as const
    const ours = { ...shared, name: 'bobbin', program: bobbin, flags } as const
    return new BothWorlds(version, await Promise.all([Side.start(real), Side.start(ours)]))
  }

  /** A TUI in each world: `codex [command] --remote … [flags]`. */
  open(command: readonly string[] = [], flags: readonly string[] = []): Screens {
    const [real, ours] = this.#sides
    const opened = [real, ours].map((side) => ({ side, terminal: side.open(command, flags) }))
    return new Screens(this.version.version, opened)
  }

  /** Resolves once both models wait at the gate. */
  async reached(gate: string): Promise<void> {
    await Promise.all(this.#sides.map(({ model }) => model.reached(gate)))
  }

  /** Lets both models go on. */
  go(gate: string): void {
    for (const { model } of this.#sides) model.open(gate)
  }

  /** Makes an empty file in both projects. */
  async write(name: string): Promise<void> {
    await Promise.all(this.#sides.map(({ scratch }) => writeFile(join(scratch.project, name), '')))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sides.map((side) => side[Symbol.asyncDispose]()))
  }
}

interface Opened {
  readonly side: Side
  readonly terminal: Terminal
}

/** Two terminals that are driven as one. */
export class Screens {
  readonly #version: Version['version']
  readonly #opened: readonly Opened[]
  /** As they were when something was sent last. */
  #noticeCounts: readonly number[] = []

  constructor(version: Version['version'], opened: readonly Opened[]) {
    this.#version = version
    this.#opened = opened
  }

  press(key: keyof typeof KEY): void {
    for (const { terminal } of this.#opened) terminal.type(KEY[key])
  }

  type(text: string): void {
    for (const { terminal } of this.#opened) terminal.type(text)
  }

  /** Types a line, sees it in the composer, and sends it. */
  async send(text: string): Promise<void> {
    this.type(text)
    const shown = text.startsWith('!') ? `! ${text.slice(1)}` : `› ${text}`
    await this.#until((screen) => screen.includes(shown), shown)
    this.#noticeCounts = this.#opened.map(({ terminal }) => terminal.noticeCount)
    this.press('enter')
  }

  /** Both turns that the last message began have ended, and the screens are the same. */
  async done(pattern: RegExp): Promise<void> {
    const terminals = this.#opened.map(({ terminal }) => terminal)
    const before = this.#noticeCounts
    const haveEnded = () => terminals.every((each, at) => each.noticeCount > (before[at] ?? 0))
    await until(terminals, haveEnded, () => this.#failure('the end of the turn'))
    await this.same(pattern)
  }

  /** Both show it, each in its own time; the rest of the screens may differ. */
  async see(pattern: RegExp): Promise<void> {
    await this.#until((screen) => pattern.test(screen), String(pattern))
  }

  /** Both show it, and nothing else is different. */
  async same(pattern: RegExp): Promise<void> {
    const terminals = this.#opened.map(({ terminal }) => terminal)
    const areSame = () => {
      if (!terminals.every(({ screen }) => pattern.test(screen))) return false
      const [real, ours] = this.#forms()
      return real?.join('\n') === ours?.join('\n')
    }
    await until(terminals, areSame, () => this.#failure(`the same, with ${pattern}`))
  }

  /**
   * Answers a prompt: sends the key until the prompt has gone. Just drawn, a prompt takes no key
   * for a while, as whoever types could not yet have read it.
   */
  async answer(key: string, prompt: RegExp): Promise<void> {
    const answers = this.#opened.map(async ({ terminal }) => {
      const isGone = () => !prompt.test(terminal.screen)
      for (let tries = 0; tries < MAX_TRIES && !isGone(); tries += 1) {
        terminal.type(key)
        await until([terminal], isGone, () => new Error('still there'), TRY_MS).catch(() => {
          // The prompt was too new: once more.
        })
      }
    })
    await Promise.all(answers)
    await this.#until((screen) => !prompt.test(screen), `no more ${prompt}`)
  }

  /** Both programs end, with the same screens and codes. */
  async exit(): Promise<void> {
    const terminals = this.#opened.map(({ terminal }) => terminal)
    const haveExited = () => terminals.every(({ hasExited }) => hasExited)
    await until(terminals, haveExited, () => this.#failure('the end'))
    await this.same(/./)
  }

  async #until(isSo: (screen: string) => boolean, what: string): Promise<void> {
    const terminals = this.#opened.map(({ terminal }) => terminal)
    const areSo = () => terminals.every(({ screen }) => isSo(screen))
    await until(terminals, areSo, () => this.#failure(what))
  }

  #forms(): string[][] {
    return this.#opened.map(({ side, terminal: { screen } }) => {
      const shared = withoutDifferences(screen, this.#version, side.name)
      return screenForm(shared, side.names)
    })
  }

  #failure(awaited: string): Error {
    const [real = [], ours = []] = this.#forms()
    const missing = real.filter((line) => !ours.includes(line))
    const added = ours.filter((line) => !real.includes(line))
    const differences = [...missing.map((line) => `- ${line}`), ...added.map((line) => `+ ${line}`)]
    const screens = this.#opened.map(({ side, terminal }) => {
      const drawn = framed(terminal.screen.replace(/\n\s*\n/g, '\n'))
      return `${side.name}:\n${drawn}\n${side.server.log.slice(-1500)}`
    })
    return new Error(`not shown: ${awaited}\n${differences.join('\n')}\n${screens.join('\n')}`)
  }
}
