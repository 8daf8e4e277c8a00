import { closeSync, mkdtempSync, openSync, realpathSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorCode, errorText } from '../../../base/index.ts'
import { writableRoots } from '../../context/permissions.ts'
import { bwrapArguments, type Walls } from './bwrap-arguments.ts'
import { MountPoints } from './mount-points.ts'
import { networkFilter } from './network-filter.ts'
import { protectedPaths } from './protected-paths.ts'
import {
  type Architecture,
  type Confined,
  type ConfineRequest,
  hasNetwork,
  LINUX_SANDBOX,
  networkEnvironment,
  type Sandbox,
  SandboxError,
} from './sandbox.ts'

const FILTER_FD = 3

/** Opens the filter for bwrap, whoever starts it and with whatever descriptors. */
const WITH_FILTER = ['/bin/sh', '-c', `exec "$@" ${FILTER_FD}<"$0"`] as const

/** Commands behind the walls that bubblewrap builds out of the kernel's namespaces. */
export class BwrapSandbox implements Sandbox, Disposable {
  readonly name = LINUX_SANDBOX
  readonly #program: string
  readonly #mountPoints = new MountPoints()
  #filterFd: number | undefined

  constructor(program: string, architecture: Architecture) {
    this.#program = program
    this.#filterFd = openFilter(networkFilter(architecture))
  }

  async confine(request: ConfineRequest): Promise<Confined> {
    try {
      return this.#confine(request)
    } catch (error) {
      if (error instanceof SandboxError) throw error
      const message = `the sandbox could not be built: ${errorText(error)}`
      throw new SandboxError(message, { cause: error })
    }
  }

  #confine({ policy, cwd, command, isTty }: ConfineRequest): Confined {
    const roots = realPaths(writableRoots(policy, cwd) ?? [])
    const kept = roots.map(protectedPaths)
    const missing = [...new Set(kept.flatMap((paths) => paths.missing))]
    const existing = [...new Set(kept.flatMap((paths) => paths.existing))]
    const held = existing.filter((path) => this.#mountPoints.has(path))
    const masked = this.#mountPoints.take([...missing, ...held])
    const walls = {
      roots,
      readOnly: existing.filter((path) => !masked.includes(path)),
      masked,
      hasNetwork: hasNetwork(policy),
      isTty,
    }
    let isReleased = false
    return {
      command: this.#wrap(walls, command),
      env: networkEnvironment(policy),
      release: () => {
        if (!isReleased) this.#mountPoints.release(masked)
        isReleased = true
      },
    }
  }

  [Symbol.dispose](): void {
    this.#mountPoints[Symbol.dispose]()
    if (this.#filterFd !== undefined) closeSync(this.#filterFd)
    this.#filterFd = undefined
  }

  #wrap(walls: Omit<Walls, 'filterFd'>, command: readonly string[]): string[] {
    const { hasNetwork: isOnline } = walls
    const filterFd = isOnline ? undefined : FILTER_FD
    const argv = [this.#program, ...bwrapArguments({ ...walls, filterFd }), ...command]
    return isOnline ? argv : [...WITH_FILTER, `/proc/${process.pid}/fd/${this.#filterFd}`, ...argv]
  }
}

/** Roots that are not there cannot be written either: what is above them is read-only. */
function realPaths(roots: readonly string[]): string[] {
  return [...new Set(roots.flatMap((root) => realPath(root) ?? []))]
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return undefined
    throw error
  }
}

/** A file without a name: no command can put another filter in its place. */
function openFilter(filter: Buffer): number {
  const folder = mkdtempSync(join(tmpdir(), 'bobbin-filter-'))
  try {
    const fd = openSync(join(folder, 'filter'), 'wx+', 0o600)
    writeSync(fd, filter)
    return fd
  } finally {
    rmSync(folder, { recursive: true })
  }
}
