import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { dirname, join } from 'node:path'
import { errorCode, errorText, FileLock, LockUnavailable } from '../../base/index.ts'
import { controlFolder } from './kept-token.ts'
import type { Transport } from './transport.ts'
import { TransportError } from './transport-error.ts'
import { refuseHandshake } from './upgrade-gate.ts'
import type { WebSocketTransportOptions } from './websocket-transport.ts'

const LOCK_WAIT_MS = 5000

/** What the address of a Unix socket can hold, on Linux and on macOS. */
const MOST_PATH_BYTES = process.platform === 'linux' ? 107 : 103

/** Where a home's server listens unless it is told otherwise. */
export function controlSocketPath(home: string): string {
  return join(controlFolder(home), 'app-server-control.sock')
}

export type ControlSocketOptions = Omit<WebSocketTransportOptions, 'gate' | 'where'> & {
  readonly path: string
}

/**
 * Listens at a Unix socket that its owner alone can open: that is all the protection it has, and
 * needs. A socket that nobody serves any more is replaced. Throws `TransportError`.
 */
export async function openControlSocket(options: ControlSocketOptions): Promise<Transport> {
  const { path } = options
  if (Buffer.byteLength(path) > MOST_PATH_BYTES) {
    throw failed(`the path of a socket has ${MOST_PATH_BYTES} bytes at most: ${path}`)
  }
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    await using _lock = await startupLock(join(dirname(path), 'app-server-startup.lock'))
    await makeRoom(path)
    return await listen(options)
  } catch (error) {
    if (error instanceof TransportError) throw error
    throw failed(`cannot listen at ${path}: ${errorText(error)}`, error)
  }
}

async function listen({ path, ...options }: ControlSocketOptions): Promise<Transport> {
  const { WebSocketTransport } = await import('./websocket-transport.ts')
  // The file is made while `listen` is called: at no time may others open it.
  const umask = process.umask(0o177)
  const opening = WebSocketTransport.open({ ...options, gate: refuseHandshake, where: { path } })
  process.umask(umask)
  const transport = await opening
  chmodSync(path, 0o600)
  return transport
}

/** Two that start at once would both find a stale socket. Undefined where nothing can be locked. */
async function startupLock(path: string): Promise<FileLock | undefined> {
  try {
    const lock = await FileLock.take(path, { waitMs: LOCK_WAIT_MS })
    if (lock) return lock
  } catch (error) {
    if (error instanceof LockUnavailable) return undefined
    throw error
  }
  throw failed(`another app server is starting: ${path} is locked`)
}

async function makeRoom(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found) return
  if (!found.isSocket()) {
    throw failed(`app-server control socket path exists and is not a socket: ${path}`)
  }
  if (await isServed(path)) {
    throw failed(`app-server control socket is already in use at ${path}`)
  }
  rmSync(path, { force: true })
}

/** Anything but a refusal means that somebody may be there. */
function isServed(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = createConnection(path)
    socket.once('connect', () => {
      socket.destroy()
      done(true)
    })
    socket.once('error', (error) => {
      done(errorCode(error) !== 'ECONNREFUSED' && errorCode(error) !== 'ENOENT')
    })
  })
}

function failed(message: string, cause?: unknown): TransportError {
  return new TransportError('failed', message, cause)
}
