/**
 * Child processes of the suite: each has a time limit, runs as a group of its own, and dies with
 * the test process, whatever way that ends.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface ChildOptions {
  readonly cwd: string
  /** The whole environment: nothing is inherited. */
  readonly env: { readonly [name: string]: string }
  /** Text for stdin; without it stdin is empty. */
  readonly input?: string
  readonly limitMs?: number
}

export interface ChildResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

const DEFAULT_LIMIT_MS = 60_000
const live = new Set<ChildProcess>()

process.once('exit', killAll)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    killAll()
    process.kill(process.pid, signal)
  })
}

function killAll(): void {
  for (const child of live) killGroup(child)
}

export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // The group is gone already.
  }
}

/** Starts a program in a group of its own, with pipes on all three streams. */
export function startChild(command: string, args: readonly string[], options: ChildOptions) {
  const { cwd, env } = options
  const child = spawn(command, args, { cwd, env: { ...env }, stdio: 'pipe', detached: true })
  live.add(child)
  child.once('close', () => live.delete(child))
  child.stdin.on('error', () => {}) // A child that never reads closes its end: not our failure.
  child.stdout.setEncoding('utf8')
  child.stderr.setEncoding('utf8')
  return child
}

/** Runs a program to its end. Over the time limit it is killed, and what it had said is thrown. */
export async function runChild(
  command: string,
  args: readonly string[],
  options: ChildOptions,
): Promise<ChildResult> {
  const child = startChild(command, args, options)
  let stdout = ''
  let stderr = ''
  let isOverdue = false
  child.stdout.on('data', (text: string) => {
    stdout += text
  })
  child.stderr.on('data', (text: string) => {
    stderr += text
  })
  const limitMs = options.limitMs ?? DEFAULT_LIMIT_MS
  const timer = setTimeout(() => {
    isOverdue = true
    killGroup(child)
  }, limitMs)
  try {
    child.stdin.end(options.input ?? '')
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    if (!isOverdue) return { code, signal, stdout, stderr }
  } finally {
    clearTimeout(timer)
  }
  const said = `stdout: ${stdout.slice(-2000)}\nstderr: ${stderr.slice(-2000)}`
  throw new Error(`${command} ${args.join(' ')} took longer than ${limitMs} ms\n${said}`)
}
