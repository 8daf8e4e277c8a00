import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { errorCode } from '../../base/index.ts'

const NAME = /^(\d{1,10})-[0-9a-f]{8}\.sock$/

/** Servers of one process that are looked at: more than one are of tests. */
const MOST_OF_A_PROCESS = 8

/** What the address of a Unix socket can hold, on Linux and on macOS. */
const MOST_PATH_BYTES = process.platform === 'linux' ? 107 : 103

/** A name that nobody else uses for where this process listens for its peers. */
export function newPeerSocket(home: string): string {
  // Chance enough among the servers of one process; `node:crypto` takes long to load.
  const chance = Math.floor(Math.random() * 2 ** 32)
  const name = `${process.pid}-${chance.toString(16).padStart(8, '0')}.sock`
  return join(peersFolder(home), name)
}

export function pidOf(socketPath: string): number {
  return Number(NAME.exec(basename(socketPath))?.[1])
}

/** Where a process of this home listens, if it does. */
export function peerSocketsOf(home: string, pid: number): string[] {
  return peerSockets(home)
    .filter((path) => pidOf(path) === pid)
    .slice(0, MOST_OF_A_PROCESS)
}

/**
 * Makes the folder of a socket, for its owner alone, and removes the sockets of the dead. Throws
 * when that cannot be, or the socket's path is too long for one.
 */
export async function preparePeerFolder(socketPath: string): Promise<void> {
  if (Buffer.byteLength(socketPath) > MOST_PATH_BYTES) {
    throw new Error(`the path of a socket has ${MOST_PATH_BYTES} bytes at most: ${socketPath}`)
  }
  const folder = dirname(socketPath)
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (!isOurFolder(folder)) throw new Error(`no folder of this user: ${folder}`)
  chmodSync(folder, 0o700)
  const dead = peerSockets(dirname(dirname(folder))).filter((path) => isDead(pidOf(path)))
  await Promise.all(dead.map(removeUnlessServed))
}

/** Removes a socket that has refused us, when the process behind it is gone. */
export function removeStalePeerSocket(path: string): void {
  if (isDead(pidOf(path))) rmSync(path, { force: true })
}

function peersFolder(home: string): string {
  return join(home, 'app-server-control', 'peers')
}

function peerSockets(home: string): string[] {
  const folder = peersFolder(home)
  try {
    if (!isOurFolder(folder)) return []
    return readdirSync(folder)
      .filter((name) => NAME.test(name))
      .map((name) => join(folder, name))
  } catch {
    // There is none, or it cannot be read: then there are no peers to be found.
    return []
  }
}

/** What another user could have put there is not connected to. */
function isOurFolder(folder: string): boolean {
  const found = lstatSync(folder)
  return found.isDirectory() && (process.getuid === undefined || found.uid === process.getuid())
}

/** A process of another container that shares the home looks dead, but listens. */
function removeUnlessServed(path: string): Promise<void> {
  return new Promise((done) => {
    const socket = createConnection(path)
    socket.once('connect', () => {
      socket.destroy()
      done()
    })
    socket.once('error', (error) => {
      if (errorCode(error) === 'ECONNREFUSED') rmSync(path, { force: true })
      done()
    })
  })
}

function isDead(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return errorCode(error) === 'ESRCH'
  }
}
