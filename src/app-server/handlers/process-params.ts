import * as z from 'zod/mini'
import { Base64Error, decodeBase64 } from '../protocol/base64.ts'
import { invalid, RpcError } from '../protocol/jsonrpc.ts'
import { count, optional } from '../protocol/schema.ts'

/** Of a process whose client names none. Source: observed, 0.133.0. */
export const OUTPUT_CAP_BYTES = 1024 * 1024
export const TIMEOUT_MS = 10_000
export const TERMINAL = { rows: 24, cols: 80 }

const MOST_TIMEOUT_MS = 2 ** 31 - 1
const MOST_ARGUMENTS = 10_000
const MOST_COMMAND_CHARS = 1024 * 1024

export const terminalSize = z.object({ rows: count, cols: count })

/** What `command/exec` and `process/spawn` both take. */
export const processParams = {
  command: z.array(z.string()),
  env: optional(z.record(z.string(), z.nullable(z.string()))),
  tty: optional(z.boolean()),
  streamStdin: optional(z.boolean()),
  streamStdoutStderr: optional(z.boolean()),
  outputBytesCap: z.nullish(z.number().check(z.int(), z.minimum(0))),
  timeoutMs: z.nullish(z.number().check(z.int())),
  size: optional(terminalSize),
}

const shape = z.object(processParams)
type ProcessParams = z.output<typeof shape>

export function checkCommand(command: readonly string[]): void {
  if (command.length === 0) throw invalid('command must not be empty')
  const chars = command.reduce((sum, each) => sum + each.length, 0)
  if (command.length > MOST_ARGUMENTS || chars > MOST_COMMAND_CHARS) {
    throw invalid('command is too long')
  }
}

export function checkSize(
  method: string,
  { tty, size }: Pick<ProcessParams, 'tty' | 'size'>,
): void {
  if (!size) return
  if (!tty) throw new RpcError('invalidParams', `${method} size requires tty: true`)
  checkTerminalSize(method, size)
}

export function checkTerminalSize(method: string, { rows, cols }: z.output<typeof terminalSize>) {
  if (rows > 0 && cols > 0) return
  const reason = 'size rows and cols must be greater than 0'
  throw new RpcError('invalidParams', `${method} ${reason}`)
}

export function timeoutOf(
  method: string,
  timeoutMs: number | null | undefined,
): number | undefined {
  if (timeoutMs === null || timeoutMs === undefined) return undefined
  if (timeoutMs >= 0) return Math.min(timeoutMs, MOST_TIMEOUT_MS)
  const reason = `timeoutMs must be non-negative, got ${timeoutMs}`
  throw new RpcError('invalidParams', `${method} ${reason}`)
}

/** The environment of this process, changed as asked: null takes a variable away. */
export function environmentWith(
  base: NodeJS.ProcessEnv,
  changes: { readonly [name: string]: string | null } | undefined,
): { [name: string]: string } {
  const entries = Object.entries({ ...base, ...changes })
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** What `…/write` sends to a process. */
export function inputOf(
  method: string,
  {
    deltaBase64,
    closeStdin = false,
  }: { deltaBase64?: string | undefined; closeStdin?: boolean | undefined },
): { readonly bytes: Buffer; readonly isLast: boolean } {
  if (deltaBase64 === undefined && !closeStdin) {
    throw new RpcError('invalidParams', `${method} requires deltaBase64 or closeStdin`)
  }
  try {
    return { bytes: decodeBase64(deltaBase64 ?? ''), isLast: closeStdin }
  } catch (error) {
    if (!(error instanceof Base64Error)) throw error
    throw new RpcError('invalidParams', `invalid deltaBase64: ${error.message}`)
  }
}
