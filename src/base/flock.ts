import { constants } from 'node:os'
import { bindLibc } from './libc.ts'

/** `LOCK_EX | LOCK_NB`. Source: `sys/file.h`, the same on Linux, macOS and the BSDs. */
const EXCLUSIVE_AT_ONCE = 2 | 4

/** Takes the exclusive lock of an open file, or says at once why it does not. */
export type TryLock = (fd: number) => 'locked' | 'busy' | { readonly failure: string }

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
  const flock = bindLibc('int flock(int fd, int operation)')
  if (!flock) return undefined
  return (fd) => {
    for (;;) {
      if (flock(fd, EXCLUSIVE_AT_ONCE) === 0) return 'locked'
      const number = flock.errno()
      if (number === constants.errno.EWOULDBLOCK) return 'busy'
      if (number !== constants.errno.EINTR) return { failure: `flock: ${nameOf(number)}` }
    }
  }
}

function nameOf(number: number): string {
  const known = Object.entries(constants.errno).find((entry) => entry[1] === number)
  return known?.[0] ?? `error ${number}`
}
