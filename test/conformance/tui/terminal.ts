/**
 * A terminal without a window: a program in a PTY, what it draws, and keys for it. Everything
 * waits for the screen and for nothing else.
 */
import { type IPty, spawn } from '@lydell/node-pty'
import xterm from '@xterm/headless'

/** So many rows that nothing scrolls off: what has is redrawn or not as the timing has it. */
const SIZE = { cols: 100, rows: 120 }
const WAIT_LIMIT_MS = 20_000

/** What a key sends. */
export const KEY = {
  enter: '\r',
  escape: '\x1b',
  down: '\x1b[B',
  up: '\x1b[A',
  backspace: '\x7f',
  ctrlC: '\x03',
} as const

export interface TerminalOptions {
  readonly cwd: string
  /** The whole environment. */
  readonly env: { readonly [name: string]: string }
}

export class Terminal implements AsyncDisposable {
  /** The exit code of the program. */
  readonly exited: Promise<number>
  readonly #screen = new xterm.Terminal({ ...SIZE, scrollback: 2000, allowProposedApi: true })
  readonly #pty: IPty
  readonly #watchers = new Set<() => void>()
  #noticeCount = 0
  #hasExited = false

  constructor(program: string, args: readonly string[], { cwd, env }: TerminalOptions) {
    const size = { ...SIZE, name: 'xterm-256color' }
    this.#pty = spawn(program, [...args], { ...size, cwd, env: { ...env, TERM: size.name } })
    this.#pty.onData((text) => {
      this.#screen.write(text, () => this.#changed())
    })
    this.#screen.parser.registerOscHandler(9, () => {
      this.#noticeCount += 1
      return true
    })
    // Programs ask the terminal what it is, and where the cursor stands.
    this.#screen.onData((answer) => this.type(answer))
    const { promise, resolve } = Promise.withResolvers<number>()
    this.exited = promise
    this.#pty.onExit(({ exitCode }) => {
      this.#hasExited = true
      resolve(exitCode)
      this.#changed()
    })
  }

  get hasExited(): boolean {
    return this.#hasExited
  }

  /** All lines there are, those that have scrolled off included; the last ones are not blank. */
  get screen(): string {
    const { active } = this.#screen.buffer
    const lines: string[] = []
    for (let at = 0; at < active.length; at += 1) {
      const line = active.getLine(at)
      const text = line?.translateToString(true) ?? ''
      // What is dim behind the prompt is an example, drawn by lot.
      const isExample = text.startsWith('› ') && line?.getCell(2)?.isDim()
      lines.push(isExample ? '› <example>' : text)
    }
    return lines.join('\n').trimEnd()
  }

  /** How often the program has asked to have the person called. */
  get noticeCount(): number {
    return this.#noticeCount
  }

  type(text: string): void {
    if (!this.#hasExited) this.#pty.write(text)
  }

  /** Calls `listener` whenever something was drawn, until the answer is called. */
  watch(listener: () => void): () => void {
    this.#watchers.add(listener)
    return () => this.#watchers.delete(listener)
  }

  /** Ends the program, if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasExited) this.#pty.kill('SIGKILL')
    await this.exited
    this.#screen.dispose()
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }
}

/**
 * Resolves as soon as `isSo` holds, which is asked whenever one of the terminals has drawn.
 * After a while it rejects with `failure`.
 */
export function until(
  terminals: readonly Terminal[],
  isSo: () => boolean,
  failure: () => Error,
  limitMs = WAIT_LIMIT_MS,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const check = () => {
    if (isSo()) resolve()
  }
  const ends = terminals.map((terminal) => terminal.watch(check))
  const timer = setTimeout(() => reject(failure()), limitMs)
  check()
  return promise.finally(() => {
    clearTimeout(timer)
    for (const end of ends) end()
  })
}

export function framed(screen: string): string {
  return screen
    .split('\n')
    .map((line) => `  | ${line}`)
    .join('\n')
}
