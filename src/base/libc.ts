import { createRequire } from 'node:module'

/** A call of the C library that Node has no way to. */
export interface LibcCall {
  (...values: unknown[]): number
  /** Why the last call has failed. */
  readonly errno: () => number
}

interface Koffi {
  load(path: null): { func(definition: string): (...values: unknown[]) => number }
  errno(): number
}

const load = createRequire(import.meta.url)

/** Undefined where `koffi`, which is optional, or the call is not there for this machine. */
export function bindLibc(definition: string): LibcCall | undefined {
  if (process.platform === 'win32') return undefined
  try {
    const koffi = load('koffi') as Koffi
    return Object.assign(koffi.load(null).func(definition), { errno: () => koffi.errno() })
  } catch {
    // Whoever asks has a slower way.
    return undefined
  }
}
