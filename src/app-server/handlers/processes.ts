import * as z from 'zod/mini'
import { quoteRustString } from '../../base/index.ts'
import { ClientProcesses, type ProcessEnd } from '../client-processes.ts'
import type { Connection } from '../connection.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { method } from '../protocol/method.ts'
import { absolutePath } from '../protocol/paths.ts'
import { type RequestContext, type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { processControlRoutes } from './process-control.ts'
import {
  checkCommand,
  checkSize,
  environmentWith,
  OUTPUT_CAP_BYTES,
  processParams,
  TERMINAL,
  TIMEOUT_MS,
  timeoutOf,
} from './process-params.ts'

const experimental = true
const spawnParams = z.object({
  ...processParams,
  processHandle: z.string(),
  cwd: absolutePath('cwd'),
})
type SpawnParams = z.output<typeof spawnParams>

const spawn = method('process/spawn', () => spawnParams, { experimental })

const CONTROL = {
  id: 'processHandle',
  write: 'process/writeStdin',
  kill: 'process/kill',
  resize: 'process/resizePty',
  size: 'process',
} as const

/** Processes that a client starts and is told of when they end. Source: `app-server.md` 18.3. */
export function processRoutes(context: ServerContext): Route[] {
  const processes = new ClientProcesses(context.clock, {
    duplicate: (id) => `duplicate active process handle: ${quoteRustString(id)}`,
    unknown: (id) => `no active process for process handle ${quoteRustString(id)}`,
    noInput: 'stdin streaming is not enabled for this process',
    spawnFailed: 'failed to spawn process',
  })
  return [
    route(spawn, (params, request) => start(context, processes, params, request)),
    ...processControlRoutes(processes, CONTROL, { experimental }),
  ]
}

async function start(
  context: ServerContext,
  processes: ClientProcesses,
  params: SpawnParams,
  { connection, after }: RequestContext,
) {
  const { command, processHandle, cwd, env, tty = false, streamStdoutStderr = false } = params
  checkCommand(command)
  if (processHandle === '') throw invalid('processHandle must not be empty')
  checkSize('process/spawn', params)
  const timeoutMs = timeoutOf('process/spawn', params.timeoutMs)
  // What it says must not be told before the client knows that it runs.
  const answered = Promise.withResolvers<void>()
  const waiting: (() => void)[] = []
  let isAnswered = false
  const tell = (work: () => void) => {
    if (isAnswered) work()
    else waiting.push(work)
  }
  const { ended } = await processes.start(connection, processHandle, async () => ({
    command,
    cwd,
    env: environmentWith(context.environment ?? process.env, env),
    terminal: tty ? (params.size ?? TERMINAL) : undefined,
    hasInput: params.streamStdin ?? false,
    timeoutMs: params.timeoutMs === null ? undefined : (timeoutMs ?? TIMEOUT_MS),
    outputBytesCap:
      params.outputBytesCap === null ? undefined : (params.outputBytesCap ?? OUTPUT_CAP_BYTES),
    onOutput:
      tty || streamStdoutStderr
        ? (stream, bytes, capReached) => {
            const deltaBase64 = bytes.toString('base64')
            tell(() => {
              const delta = { processHandle, stream, deltaBase64, capReached }
              connection.notify('process/outputDelta', delta)
            })
          }
        : undefined,
  }))
  after(() => {
    isAnswered = true
    for (const work of waiting) work()
    answered.resolve()
  })
  void Promise.all([ended, answered.promise]).then(([end]) =>
    tellExit(connection, processHandle, end),
  )
  return {}
}

function tellExit(connection: Connection, processHandle: string, end: ProcessEnd): void {
  connection.notify('process/exited', {
    processHandle,
    exitCode: end.exitCode,
    stdout: end.stdout,
    stdoutCapReached: end.isStdoutCapped,
    stderr: end.stderr,
    stderrCapReached: end.isStderrCapped,
  })
}
