import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import * as z from 'zod/mini'
import { type JsonObject, quoteRustString } from '../../base/index.ts'
import {
  type Confined,
  findSandbox,
  isConfining,
  networkEnvironment,
  SandboxError,
} from '../../core/index.ts'
import type { SandboxPolicy } from '../../protocol/index.ts'
import { ClientProcesses, type ProcessRequest } from '../client-processes.ts'
import type { Connection } from '../connection.ts'
import { profilePolicy, sandboxOf } from '../projection/settings.ts'
import { invalid, RpcError } from '../protocol/jsonrpc.ts'
import { method, whenGiven } from '../protocol/method.ts'
import { optional } from '../protocol/schema.ts'
import { sandboxPolicy } from '../protocol/thread-params.ts'
import { type Route, route } from '../router.ts'
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
import { permissionsFor } from './thread-settings.ts'

const execParams = z.object({
  ...processParams,
  cwd: optional(z.string()),
  processId: optional(z.string()),
  disableOutputCap: optional(z.boolean()),
  disableTimeout: optional(z.boolean()),
  sandboxPolicy: optional(sandboxPolicy),
  permissionProfile: optional(z.string()),
})
type ExecParams = z.output<typeof execParams>

const exec = method('command/exec', () => execParams, {
  experimental: { permissionProfile: whenGiven },
})

const CONTROL = {
  id: 'processId',
  write: 'command/exec/write',
  kill: 'command/exec/terminate',
  resize: 'command/exec/resize',
  size: 'command/exec',
} as const

/** Commands that a client runs and whose end it waits for. Source: `app-server.md` 18.3. */
export function commandExecRoutes(context: ServerContext): Route[] {
  const processes = new ClientProcesses(context.clock, {
    duplicate: (id) => `duplicate active command/exec process id: ${quoteRustString(id)}`,
    unknown: (id) => `no active command/exec for process id ${quoteRustString(id)}`,
    noInput: 'stdin streaming is not enabled for this command/exec',
    spawnFailed: 'failed to spawn command',
  })
  return [
    route(exec, (params, { connection }) => run(context, processes, params, connection)),
    ...processControlRoutes(processes, CONTROL),
  ]
}

async function run(
  context: ServerContext,
  processes: ClientProcesses,
  params: ExecParams,
  connection: Connection,
): Promise<JsonObject> {
  check(params)
  using walls = new DisposableStack()
  const id = params.processId ?? randomUUID()
  const { ended } = await processes.start(connection, id, () => {
    return requestOf(
      context,
      params,
      walls,
      isStreamed(params) ? deltasOf(connection, id) : undefined,
    )
  })
  const { exitCode, stdout, stderr } = await ended
  return { exitCode, stdout, stderr }
}

/** Inside of the walls that its policy wants; they stand until `walls` is disposed. */
async function requestOf(
  context: ServerContext,
  params: ExecParams,
  walls: DisposableStack,
  onOutput: ProcessRequest['onOutput'],
): Promise<ProcessRequest> {
  const { command, disableTimeout, disableOutputCap } = params
  const cwd = params.cwd === undefined ? context.cwd : resolve(context.cwd, params.cwd)
  const { policy, folder } = wallsOf(context, params, cwd)
  const base = environmentWith(context.environment ?? process.env, params.env)
  const terminal = params.tty ? (params.size ?? TERMINAL) : undefined
  const isTty = terminal !== undefined
  const confined = await confine(walls, base.PATH, { policy, cwd: folder, command, isTty })
  const timeoutMs = timeoutOf('command/exec', params.timeoutMs) ?? TIMEOUT_MS
  return {
    command: confined?.command ?? command,
    cwd,
    env: { ...base, ...networkEnvironment(policy), ...confined?.env },
    terminal,
    hasInput: params.streamStdin ?? false,
    timeoutMs: disableTimeout ? undefined : timeoutMs,
    outputBytesCap: disableOutputCap ? undefined : (params.outputBytesCap ?? OUTPUT_CAP_BYTES),
    onOutput,
  }
}

function isStreamed({ tty = false, streamStdoutStderr = false }: ExecParams): boolean {
  return tty || streamStdoutStderr
}

function deltasOf(connection: Connection, processId: string): ProcessRequest['onOutput'] {
  return (stream, bytes, capReached) => {
    const deltaBase64 = bytes.toString('base64')
    connection.notify('command/exec/outputDelta', { processId, stream, deltaBase64, capReached })
  }
}

function check(params: ExecParams): void {
  checkCommand(params.command)
  const given = (value: unknown) => value !== null && value !== undefined
  if (params.sandboxPolicy && params.permissionProfile !== undefined) {
    throw invalid('`permissionProfile` cannot be combined with `sandboxPolicy`')
  }
  checkSize('command/exec', params)
  if (given(params.timeoutMs) && params.disableTimeout) {
    const reason = 'cannot set both timeoutMs and disableTimeout'
    throw new RpcError('invalidParams', `command/exec ${reason}`)
  }
  if (given(params.outputBytesCap) && params.disableOutputCap) {
    const reason = 'cannot set both outputBytesCap and disableOutputCap'
    throw new RpcError('invalidParams', `command/exec ${reason}`)
  }
  timeoutOf('command/exec', params.timeoutMs)
  if ((isStreamed(params) || params.streamStdin) && params.processId === undefined) {
    throw invalid('command/exec tty or streaming requires a client-supplied processId')
  }
}

/**
 * The policy, and the folder that it is about: the server's own, wherever the command runs, unless
 * a profile is named. Source: observed, 0.133.0.
 */
function wallsOf(
  context: ServerContext,
  { sandboxPolicy, permissionProfile }: ExecParams,
  cwd: string,
): { readonly policy: SandboxPolicy; readonly folder: string } {
  const folder = context.cwd
  if (sandboxPolicy) return { policy: sandboxOf(sandboxPolicy), folder }
  if (permissionProfile === undefined) {
    return { policy: permissionsFor(context.loadConfig([]), {}, folder).sandboxPolicy, folder }
  }
  const policy = profilePolicy(permissionProfile)
  if (policy) return { policy, folder: cwd }
  const reason = `default_permissions refers to unknown built-in profile \`${permissionProfile}\``
  throw invalid(`invalid permission profile: ${reason}`)
}

interface Unconfined {
  readonly policy: SandboxPolicy
  readonly cwd: string
  readonly command: readonly string[]
  readonly isTty: boolean
}

/** Undefined where the policy wants no walls; what has been built is taken down with `walls`. */
async function confine(
  walls: DisposableStack,
  searchPath: string | undefined,
  { policy, ...about }: Unconfined,
): Promise<Confined | undefined> {
  if (!isConfining(policy)) return undefined
  const found = walls.use(await findSandbox({ searchPath }))
  if (!found.isThere) {
    throw new RpcError('internal', `failed to confine command: ${found.reason}`)
  }
  try {
    const confined = await found.sandbox.confine({ ...about, policy })
    walls.defer(() => confined.release())
    return confined
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error
    throw new RpcError('internal', `failed to confine command: ${error.message}`, undefined, error)
  }
}
