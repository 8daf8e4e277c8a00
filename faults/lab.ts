/** What the suite is run on: Bobbin as it is, or one that was broken to see whether that shows. */
import { type FileSystem, type JsonObject, nodeFileSystem } from '../src/base/index.ts'
import { Workplace } from '../test/support/bobbin.ts'
import { ServerProcess } from '../test/support/server-process.ts'

export interface LabOptions {
  /** The program; that of the source tree unless told. */
  readonly bin?: string
  /** More variables for every process. */
  readonly environment?: { readonly [name: string]: string }
  /** Put between Bobbin and the disk where it runs in this process. */
  readonly disk?: (inner: FileSystem) => FileSystem
}

/** Longer than any step needs its server. */
const LIFE_LIMIT_MS = 300_000

export class Lab {
  readonly #options: LabOptions

  constructor(options: LabOptions = {}) {
    this.#options = options
  }

  /** What Bobbin takes for its disk, above `inner`. */
  disk(inner: FileSystem = nodeFileSystem): FileSystem {
    return this.#options.disk?.(inner) ?? inner
  }

  /** A home and a project; disposed by the caller. */
  place(): Promise<Workplace> {
    const { bin, environment } = this.#options
    return Workplace.create({ ...(bin ? { bin } : {}), ...(environment ? { environment } : {}) })
  }

  /** A server over stdio which a client has shaken hands with; disposed by the caller. */
  async server(place: Workplace, args: readonly string[] = []): Promise<ServerProcess> {
    const server = new ServerProcess(place, args, LIFE_LIMIT_MS)
    try {
      await Promise.race([server.stdio.request('initialize', HANDSHAKE), ended(server)])
      return server
    } catch (error) {
      await server[Symbol.asyncDispose]()
      throw error
    }
  }
}

export const HANDSHAKE: JsonObject = {
  clientInfo: { name: 'faults', version: '0' },
  capabilities: { experimentalApi: true },
}

/** Rejects when the server is gone: what it was asked is never answered. */
export async function ended(server: ServerProcess): Promise<never> {
  const { code, signal } = await server.exited
  throw new Error(`the server has ended (${code ?? signal}): ${server.stderr.slice(-500)}`)
}
