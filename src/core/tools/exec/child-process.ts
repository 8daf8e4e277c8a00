import { type ChildProcess, execFile, type StdioOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { StringDecoder } from 'node:string_decoder'
import { getSystemErrorMessage, promisify } from 'node:util'
import { type Clock, errorText, openSystemPipe } from '../../../base/index.ts'
import { ExecError } from './exec-error.ts'
import { killGroup, killTrees } from './process-tree.ts'

const DRAIN_GRACE_MS = 50
const KILLED_EXIT_CODE = -1
const KILLED_TERMINAL_EXIT_CODE = 1

export interface ChildSpec {
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: { readonly [name: string]: string }
  /** Whole characters, in the order in which they arrived; never after `exitCode` resolved. */
  readonly onOutput: (text: string) => void
}

/** A started process that leads its own session and group. */
export interface Child {
  readonly pid: number
  /**
   * Resolves once, after the last output: -1 when a signal ended it, 1 with a terminal. What the
   * process left in its group has been killed by then.
   */
  readonly exitCode: Promise<number>
  /** Undefined when its input is closed. */
  readonly write: ((chars: string) => void) | undefined
}

/** The part of node-pty that is used, so that a test can be without it. */
export type TerminalLoader = () => Promise<Pick<typeof import('@lydell/node-pty'), 'spawn'>>

export const loadNodePty: TerminalLoader = () => import('@lydell/node-pty')

/**
 * Starts a process without input, its two outputs merged. Throws `ExecError`. Background processes
 * may hold the output open after its exit: they are waited for 50 ms, then killed.
 */
export async function spawnPiped(spec: ChildSpec, clock: Clock): Promise<Child> {
  refuseNul(spec)
  const pipe = await openPipe()
  const child = await startPiped(spec, pipe)
  const streams = pipe ? [pipe.reader] : [child.stdout, child.stderr]
  const readers = streams.flatMap((stream) => (stream ? [forwardText(stream, spec.onOutput)] : []))
  const exit = new Promise<number>((resolve) => {
    child.once('exit', (code) => resolve(code ?? KILLED_EXIT_CODE))
  })
  const pid = child.pid ?? 0
  const finish = async (): Promise<number> => {
    const code = await exit
    await drain(Promise.all(readers.map((reader) => reader.ended)), clock)
    killGroup(pid)
    for (const reader of readers) reader.stop()
    return code
  }
  return { pid, exitCode: finish(), write: undefined }
}

/** Starts a process on a new terminal of 80 columns. Throws `ExecError`. */
export async function spawnTerminal(spec: ChildSpec, load: TerminalLoader): Promise<Child> {
  refuseNul(spec)
  const pty = await loadTerminal(load)
  try {
    await stat(spec.cwd)
    const [file = '', ...args] = spec.command
    const { cwd, env } = spec
    const terminal = pty.spawn(file, args, {
      cwd,
      env,
      cols: 80,
      rows: 24,
      name: env.TERM ?? 'dumb',
    })
    terminal.onData(spec.onOutput)
    const exitCode = new Promise<number>((resolve) => {
      terminal.onExit(({ exitCode: code, signal }) => {
        killTrees([terminal.pid])
        resolve(signal ? KILLED_TERMINAL_EXIT_CODE : code)
      })
    })
    return { pid: terminal.pid, exitCode, write: (chars) => terminal.write(chars) }
  } catch (error) {
    throw spawnFailed(error)
  }
}

/** Throws `ExecError` where the optional package is missing. */
export async function loadTerminal(load: TerminalLoader): ReturnType<TerminalLoader> {
  try {
    return await load()
  } catch (error) {
    const reason = `tty=true needs the optional package @lydell/node-pty: ${errorText(error)}`
    throw new ExecError({ code: 'spawn_failed', reason }, { cause: error })
  }
}

interface Pipe {
  readonly reader: Socket
  readonly writeFd: number
}

/**
 * One real pipe for both outputs. Node would give each a socket of its own: their order is lost,
 * and `> /dev/stderr` fails on a socket (ENXIO). Undefined where no pipe can be made.
 */
async function openPipe(): Promise<Pipe | undefined> {
  const ends = openSystemPipe()
  if (ends) return { reader: readerOf(ends.readFd), writeFd: ends.writeFd }
  let folder: string | undefined
  try {
    folder = await mkdtemp(join(tmpdir(), 'bobbin-pipe-'))
    const path = join(folder, 'output')
    await promisify(execFile)('mkfifo', ['-m', '600', path])
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    // The reader must not look before there is a writer: it would see the end.
    const writeFd = openSync(path, constants.O_WRONLY)
    return { reader: readerOf(fd), writeFd }
  } catch {
    // Two sockets are worse, but they work.
    return undefined
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  }
}

function readerOf(fd: number): Socket {
  return new Socket({ fd, writable: false })
}

async function startPiped(spec: ChildSpec, pipe: Pipe | undefined): Promise<ChildProcess> {
  const [file = '', ...args] = spec.command
  const { cwd, env } = spec
  const stdio: StdioOptions = pipe
    ? ['ignore', pipe.writeFd, pipe.writeFd]
    : ['ignore', 'pipe', 'pipe']
  try {
    const child = spawn(file, args, { cwd, env, detached: true, stdio })
    await once(child, 'spawn')
    return child
  } catch (error) {
    pipe?.reader.destroy()
    throw spawnFailed(error)
  } finally {
    if (pipe) closeSync(pipe.writeFd)
  }
}

interface TextReader {
  readonly ended: Promise<void>
  readonly stop: () => void
}

function forwardText(stream: Readable, onOutput: (text: string) => void): TextReader {
  const decoder = new StringDecoder('utf8')
  const forward = (text: string): void => {
    if (text !== '') onOutput(text)
  }
  stream.on('data', (chunk: Buffer) => forward(decoder.write(chunk)))
  stream.once('end', () => forward(decoder.end()))
  // A broken stream has ended as well: there is nothing more to read.
  const ended = finished(stream).catch(() => undefined)
  return { ended, stop: () => stream.destroy() }
}

async function drain(ended: Promise<unknown>, clock: Clock): Promise<void> {
  const grace = new AbortController()
  try {
    await Promise.race([ended, clock.sleep(DRAIN_GRACE_MS, grace.signal)])
    // A late timer runs before the read that is due; lets the read come first.
    await new Promise<void>((resolve) => setImmediate(resolve))
  } finally {
    grace.abort()
  }
}

/** Throws `ExecError`. */
export function refuseNul(spec: Pick<ChildSpec, 'command' | 'cwd'>): void {
  if (![...spec.command, spec.cwd].some((text) => text.includes('\0'))) return
  throw new ExecError({ code: 'spawn_failed', reason: 'nul byte found in provided data' })
}

/** Names a system error as Rust does: `No such file or directory (os error 2)`. */
export function spawnFailed(error: unknown): ExecError {
  const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : 0
  const text = errno < 0 ? getSystemErrorMessage(errno) : errorText(error)
  const reason =
    errno < 0 ? `${text.charAt(0).toUpperCase()}${text.slice(1)} (os error ${-errno})` : text
  return new ExecError({ code: 'spawn_failed', reason }, { cause: error })
}
