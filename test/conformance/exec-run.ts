/** One run of `exec --json`, of either program, and what it left. */
import { type JsonObject, stringAt } from '../../src/base/index.ts'
import { type ChildResult, runChild } from './child.ts'
import type { RolloutFile, Scratch } from './scratch.ts'

export interface ExecOptions {
  readonly prompt: string
  /** Thread id to resume. */
  readonly resume?: string
  /** `-c key=value` settings. */
  readonly config?: readonly string[]
  /** More flags, before `resume`. */
  readonly flags?: readonly string[]
  readonly limitMs?: number
}

export interface ExecRun extends ChildResult {
  readonly events: readonly JsonObject[]
  /** From `thread.started`; empty when the run did not get that far. */
  readonly threadId: string
  /** The rollouts of the home after the run. */
  readonly rollouts: readonly RolloutFile[]
}

/** A program that has the command line of `codex exec`. */
export type ExecProgram = (scratch: Scratch, options: ExecOptions) => Promise<ExecRun>

export interface Program {
  readonly command: string
  readonly args: readonly string[]
}

export async function runExec(
  program: Program,
  scratch: Scratch,
  options: ExecOptions,
): Promise<ExecRun> {
  const config = (options.config ?? []).flatMap((setting) => ['-c', setting])
  const flags = ['--skip-git-repo-check', '--cd', scratch.project, ...(options.flags ?? [])]
  const resume = options.resume === undefined ? [] : ['resume', options.resume]
  const args = ['exec', '--json', ...flags, ...config, ...resume, options.prompt]
  const limit = options.limitMs === undefined ? {} : { limitMs: options.limitMs }
  const child = { cwd: scratch.project, env: scratch.env, ...limit }
  const result = await runChild(program.command, [...program.args, ...args], child)
  const events = parseEvents(result)
  const started = events.find((event) => event.type === 'thread.started')
  const threadId = started ? (stringAt(started, 'thread_id') ?? '') : ''
  return { ...result, events, threadId, rollouts: await scratch.rollouts() }
}

function parseEvents(result: ChildResult): JsonObject[] {
  const lines = result.stdout.split('\n').filter((line) => line !== '')
  try {
    return lines.map((line) => JSON.parse(line) as JsonObject)
  } catch (cause) {
    throw new Error(`not a JSON line on stdout:\n${result.stdout}\n${result.stderr}`, { cause })
  }
}
