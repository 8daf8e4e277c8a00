import { createRequire } from 'node:module'
import { constants } from 'node:os'

/** `LOCK_EX | LOCK_NB`. Source: `sys/file.h`, the same on Linux, macOS and the BSDs. */
const EXCLUSIVE_AT_ONCE = 2 | 4

/** Takes the exclusive lock of an open file, or says at once why it does not. */
export type TryLock = (fd: number) => 'locked' | 'busy' | { readonly failure: string }

interface Koffi {
  load(path: null): { func(definition: string): (fd: number, operation: number) => number }
  errno(): number
}

const load = createRequire(import.meta.url)
let call: TryLock | undefined | null = null

/**
 * `flock(2)` itself, which Node cannot call. The lock belongs to the open file, so it ends when
 * that is closed or the process dies. Undefined where there is no library for this machine.
 */
export function systemFlock(): TryLock | undefined {
  if (call === null) call = bind()
  return call
}

function bind(): TryLock | undefined {
  if (process.platform === 'win32') return undefined
  try {
    const koffi = load('koffi') as Koffi
    const flock = koffi.load(null).func('int flock(int fd, int operation)')
    return (fd) => {
      for (;;) {
        if (flock(fd, EXCLUSIVE_AT_ONCE) === 0) return 'locked'
        const number = koffi.errno()
        if (number === constants.errno.EWOULDBLOCK) return 'busy'
        if (number !== constants.errno.EINTR) return { failure: `flock: ${nameOf(number)}` }
      }
    }
  } catch {
    // No binary for this machine, or it does not load: there is a slower way.
    return undefined
  }
}

function nameOf(number: number): string {
  const known = Object.entries(constants.errno).find((entry) => entry[1] === number)
  return known?.[0] ?? `error ${number}`
}
