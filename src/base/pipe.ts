import { bindLibc, type LibcCall } from './libc.ts'

/** Two descriptors that children do not inherit; whoever has them closes them. */
export interface PipeEnds {
  readonly readFd: number
  readonly writeFd: number
}

/** Of Linux on every machine that Node runs on. Source: `asm-generic/fcntl.h`. */
const O_CLOEXEC = 0o2000000

let pipe2: LibcCall | undefined | null = null

/** `pipe2(2)`, which Node cannot call; undefined where it cannot be had. */
export function openSystemPipe(): PipeEnds | undefined {
  if (process.platform !== 'linux') return undefined
  if (pipe2 === null) pipe2 = bindLibc('int pipe2(_Out_ int *ends, int flags)')
  const ends: number[] = [-1, -1]
  if (pipe2?.(ends, O_CLOEXEC) !== 0) return undefined
  const [readFd = -1, writeFd = -1] = ends
  return { readFd, writeFd }
}
