/**
 * Bobbin by its command line only: `exec --json`, `threads list --json`, `threads show --json`.
 * `BOBBIN_BIN` puts another program in its place, for instance an installed package.
 */
import { join } from 'node:path'

import { arrayAt, isObject, type JsonObject, objectAt } from '../../src/base/index.ts'
import { type ChildResult, runChild } from './child.ts'
import { type ExecProgram, type Program, runExec } from './exec-run.ts'
import type { Scratch } from './scratch.ts'

export const bobbinBin =
  process.env.BOBBIN_BIN ?? join(import.meta.dirname, '..', '..', 'bin', 'bobbin.cjs')

export const bobbin: Program = /\.[cm]?js$/.test(bobbinBin)
  ? { command: process.execPath, args: [bobbinBin] }
  : { command: bobbinBin, args: [] }

export const bobbinExec: ExecProgram = (scratch, options) => runExec(bobbin, scratch, options)

export async function listBobbinThreads(scratch: Scratch): Promise<JsonObject[]> {
  const answer = await runBobbinJson(scratch, ['threads', 'list', '--json'])
  return (arrayAt(answer, 'threads') ?? []).filter(isObject)
}

export interface ShownThread {
  readonly thread: JsonObject
  readonly turns: readonly JsonObject[]
}

export async function showBobbinThread(scratch: Scratch, threadId: string): Promise<ShownThread> {
  const answer = await runBobbinJson(scratch, ['threads', 'show', threadId, '--json'])
  const thread = objectAt(answer, 'thread')
  if (!thread) throw new Error(`bobbin threads show has no thread: ${JSON.stringify(answer)}`)
  return { thread, turns: (arrayAt(answer, 'turns') ?? []).filter(isObject) }
}

/** Runs a command; throws unless it succeeds. */
export async function runBobbin(scratch: Scratch, args: readonly string[]): Promise<ChildResult> {
  const child = { cwd: scratch.project, env: { ...scratch.env, TMPDIR: scratch.root } }
  const result = await runChild(bobbin.command, [...bobbin.args, ...args], child)
  if (result.code === 0) return result
  throw new Error(`bobbin ${args.join(' ')} exited with ${result.code}: ${result.stderr}`)
}

/** Runs a command with `--json`; throws unless it succeeds. */
export async function runBobbinJson(
  scratch: Scratch,
  args: readonly string[],
): Promise<JsonObject> {
  const { stdout } = await runBobbin(scratch, args)
  const answer: unknown = JSON.parse(stdout)
  if (!isObject(answer)) throw new Error(`bobbin ${args.join(' ')} printed no object: ${stdout}`)
  if (answer.schemaVersion !== 1) throw new Error(`schemaVersion is not 1: ${stdout}`)
  return answer
}
