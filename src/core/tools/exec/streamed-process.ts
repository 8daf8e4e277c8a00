import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { type Clock, systemClock } from '../../../base/index.ts'
import {
  loadNodePty,
  loadTerminal,
  refuseNul,
  spawnFailed,
  type TerminalLoader,
} from './child-process.ts'
import { killGroup, killTrees } from './process-tree.ts'

/** What is still in the pipes when the process has ended is waited for that long. */
const DRAIN_GRACE_MS = 50
const KILLED_EXIT_CODE = -1
const KILLED_TERMINAL_EXIT_CODE = 1
/** What a process may leave unread of its input before more of it is refused. */
const MOST_UNREAD_BYTES = 8 * 1024 * 1024

export interface TerminalSize {
  readonly rows: number
  readonly cols: number
}

export interface StreamedSpec {
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: { readonly [name: string]: string }
  /** Given: the process gets a terminal, whose output is all `stdout`. */
  readonly terminal?: TerminalSize
  /** Whether its input stays open for `write`; a terminal's always does. */
  readonly hasInput: boolean
  /** Bytes as they come; never after `exitCode` has resolved. */
  readonly onOutput: (stream: 'stdout' | 'stderr', bytes: Buffer) => void
}

/** A process whose streams are somebody else's business; whoever starts it kills it. */
export interface StreamedProcess {
  readonly pid: number
  /**
   * Resolves once, after the last output: -1 when a signal has ended it, 1 with a terminal. What
   * it has left in its group has been killed by then.
   */
  readonly exitCode: Promise<number>
  /** False: it does not read, and too much is waiting for it already. */
  write(bytes: Buffer): boolean
  closeInput(): void
  /** False without a terminal. */
  resize(size: TerminalSize): boolean
  /** With all its children. */
  kill(): void
}

/** Throws `ExecError` when it cannot be started. */
export function startStreamed(
  spec: StreamedSpec,
  clock: Clock = systemClock,
  load: TerminalLoader = loadNodePty,
): Promise<StreamedProcess> {
  refuseNul(spec)
  return spec.terminal ? onTerminal(spec, spec.terminal, load) : onPipes(spec, clock)
}

async function onPipes(spec: StreamedSpec, clock: Clock): Promise<StreamedProcess> {
  const child = await spawnChild(spec)
  const streams = (['stdout', 'stderr'] as const).flatMap((name) => {
    const stream = child[name]
    stream?.on('data', (bytes: Buffer) => spec.onOutput(name, bytes))
    return stream ? [stream] : []
  })
  // A broken stream has ended as well: there is nothing more to read.
  const ended = Promise.all(streams.map((stream) => finished(stream).catch(() => undefined)))
  // Whoever does not read its input closes it: no failure of ours.
  child.stdin?.on('error', () => undefined)
  const pid = child.pid ?? 0
  let isOver = false
  const finish = async (): Promise<number> => {
    const code = await exitOf(child)
    isOver = true
    const grace = new AbortController()
    await Promise.race([ended, clock.sleep(DRAIN_GRACE_MS, grace.signal)]).finally(() => {
      grace.abort()
    })
    killGroup(pid)
    for (const stream of streams) stream.destroy()
    child.stdin?.destroy()
    return code
  }
  return {
    pid,
    exitCode: finish(),
    write: (bytes) => {
      if (!child.stdin || child.stdin.writableLength > MOST_UNREAD_BYTES) return false
      if (child.stdin.writable) child.stdin.write(bytes)
      return true
    },
    closeInput: () => void child.stdin?.end(),
    resize: () => false,
    kill: () => {
      if (!isOver) killTrees([pid])
    },
  }
}

async function spawnChild({ command, cwd, env, hasInput }: StreamedSpec): Promise<ChildProcess> {
  const [file = '', ...args] = command
  try {
    const stdio = [hasInput ? 'pipe' : 'ignore', 'pipe', 'pipe'] as const
    const child = spawn(file, args, { cwd, env, detached: true, stdio: [...stdio] })
    await once(child, 'spawn')
    return child
  } catch (error) {
    throw spawnFailed(error)
  }
}

function exitOf(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode)
  if (child.signalCode !== null) return Promise.resolve(KILLED_EXIT_CODE)
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code ?? KILLED_EXIT_CODE))
  })
}

async function onTerminal(
  spec: StreamedSpec,
  { rows, cols }: TerminalSize,
  load: TerminalLoader,
): Promise<StreamedProcess> {
  const pty = await loadTerminal(load)
  try {
    await stat(spec.cwd)
    const [file = '', ...args] = spec.command
    const { cwd, env } = spec
    const name = env.TERM ?? 'dumb'
    const terminal = pty.spawn(file, args, { cwd, env, cols, rows, name, encoding: null })
    let isOver = false
    // Without an encoding the terminal gives bytes, whatever its types say.
    terminal.onData((bytes) => spec.onOutput('stdout', Buffer.from(bytes)))
    const exitCode = new Promise<number>((resolve) => {
      terminal.onExit(({ exitCode: code, signal }) => {
        isOver = true
        killTrees([terminal.pid])
        resolve(signal ? KILLED_TERMINAL_EXIT_CODE : code)
      })
    })
    return {
      pid: terminal.pid,
      exitCode,
      write: (bytes) => {
        // Takes bytes as well, whatever its types say.
        if (!isOver) terminal.write(bytes as unknown as string)
        return true
      },
      // What a terminal takes for the end of its input.
      closeInput: () => {
        if (!isOver) terminal.write('\x04')
      },
      resize: (size) => {
        if (!isOver) terminal.resize(size.cols, size.rows)
        return true
      },
      kill: () => {
        if (!isOver) killTrees([terminal.pid])
      },
    }
  } catch (error) {
    throw spawnFailed(error)
  }
}
