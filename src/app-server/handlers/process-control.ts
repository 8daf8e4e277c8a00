import * as z from 'zod/mini'
import type { ClientProcesses } from '../client-processes.ts'
import { type Method, method } from '../protocol/method.ts'
import { optional } from '../protocol/schema.ts'
import { type Route, route } from '../router.ts'
import { checkTerminalSize, inputOf, terminalSize } from './process-params.ts'

/** How the methods of a kind of process are called. */
interface ControlNames {
  /** The member that names the process. */
  readonly id: 'processId' | 'processHandle'
  readonly write: string
  readonly kill: string
  readonly resize: string
  /** What a size that is none is complained of as. */
  readonly size: string
}

/** What a client does with a process that runs. */
export function processControlRoutes(
  processes: ClientProcesses,
  names: ControlNames,
  options: Pick<Method, 'experimental'> = {},
): Route[] {
  const ofProcess = { [names.id]: z.string() }
  const write = method(
    names.write,
    () =>
      z.object({
        ...ofProcess,
        deltaBase64: optional(z.string()),
        closeStdin: optional(z.boolean()),
      }),
    options,
  )
  const kill = method(names.kill, () => z.object(ofProcess), options)
  const resize = method(names.resize, () => z.object({ ...ofProcess, size: terminalSize }), options)
  const idOf = (params: { readonly [name: string]: unknown }) => String(params[names.id])
  return [
    route(write, async (params, { connection }) => {
      const { bytes, isLast } = inputOf(names.write, params)
      await processes.write(connection, idOf(params), bytes, isLast)
      return {}
    }),
    route(kill, async (params, { connection }) => {
      await processes.kill(connection, idOf(params))
      return {}
    }),
    route(resize, async (params, { connection }) => {
      checkTerminalSize(names.size, params.size)
      await processes.resize(connection, idOf(params), params.size)
      return {}
    }),
  ]
}
