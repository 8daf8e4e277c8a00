import type { Architecture } from './sandbox.ts'

// Without a network of its own a command could still reach the sockets of programs outside, by
// their paths: a container daemon, the user's session bus. So it gets no sockets but pairs.

const LOAD = 0x20
const JUMP_IF_EQUAL = 0x15
const JUMP_IF_AT_LEAST = 0x35
const RETURN = 0x06

const ALLOW = 0x7fff0000
const EPERM = 0x00050001

/** Offsets in what the kernel shows a filter. */
const CALL = 0
const ARCHITECTURE = 4
const FIRST_ARGUMENT = 16

const AF_UNIX = 1

interface Calls {
  readonly audit: number
  readonly socketpair: number
  readonly refused: readonly number[]
  /** From here on calls are those of another way to count them. */
  readonly otherFrom: number | undefined
}

/** `socket`, `ptrace`, reading and writing other processes, and io_uring, which makes sockets. */
const CALLS: { readonly [architecture in Architecture]: Calls } = {
  x64: {
    audit: 0xc000003e,
    socketpair: 53,
    refused: [41, 101, 310, 311, 425, 426, 427],
    otherFrom: 0x40000000,
  },
  arm64: {
    audit: 0xc00000b7,
    socketpair: 199,
    refused: [198, 117, 270, 271, 425, 426, 427],
    otherFrom: undefined,
  },
}

type Step = readonly [code: number, value: number, ifTrue: number, ifFalse: number]

/** A seccomp program that refuses (EPERM) whatever leads to somebody outside. */
export function networkFilter(architecture: Architecture): Buffer {
  const { audit, socketpair, refused, otherFrom } = CALLS[architecture]
  const other = otherFrom === undefined ? [] : [otherFrom]
  // Behind these come: the look at a pair's family (2 steps), ALLOW, EPERM.
  const checks = other.length + refused.length + 1
  const toRefusal = (left: number) => left + 3
  const steps: Step[] = [
    [LOAD, ARCHITECTURE, 0, 0],
    [JUMP_IF_EQUAL, audit, 0, toRefusal(checks + 1)],
    [LOAD, CALL, 0, 0],
    ...other.map((from): Step => [JUMP_IF_AT_LEAST, from, toRefusal(refused.length + 1), 0]),
    ...refused.map((call, at): Step => [JUMP_IF_EQUAL, call, toRefusal(refused.length - at), 0]),
    [JUMP_IF_EQUAL, socketpair, 0, 2],
    [LOAD, FIRST_ARGUMENT, 0, 0],
    [JUMP_IF_EQUAL, AF_UNIX, 0, 1],
    [RETURN, ALLOW, 0, 0],
    [RETURN, EPERM, 0, 0],
  ]
  return Buffer.concat(steps.map(encode))
}

function encode([code, value, ifTrue, ifFalse]: Step): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt16LE(code, 0)
  bytes.writeUInt8(ifTrue, 2)
  bytes.writeUInt8(ifFalse, 3)
  bytes.writeUInt32LE(value >>> 0, 4)
  return bytes
}
