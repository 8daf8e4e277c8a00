import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FaultPlan } from './faulty-file-system.ts'

/** Bytes of all files below a folder. */
function usedBytes(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return files.reduce((sum, { parentPath, name }) => {
    const stat = statSync(join(parentPath, name), { throwIfNoEntry: false })
    return sum + (stat?.size ?? 0)
  }, 0)
}

/** Writes to a folder end as on a disk that has only so much room: in part first, then not. */
export function fullAt(folder: string, capacityBytes: number): FaultPlan {
  return ({ method, sizeBytes = 0 }) => {
    if (method !== 'file.write') return undefined
    const left = Math.max(0, capacityBytes - usedBytes(folder))
    return sizeBytes > left ? { kind: 'cut', bytes: left, code: 'ENOSPC' } : undefined
  }
}

/** A file system of its own at a folder, for whoever may mount one. */
export class MountedDisk implements Disposable {
  readonly #folder: string
  readonly #sizeKiB: number
  readonly #ballast: string

  private constructor(folder: string, sizeKiB: number) {
    this.#folder = folder
    this.#sizeKiB = sizeKiB
    this.#ballast = join(folder, 'ballast')
  }

  /** Undefined where nothing can be mounted: no right to, or no Linux. */
  static mount(folder: string, sizeKiB: number): MountedDisk | undefined {
    try {
      const options = `size=${sizeKiB}k,mode=700`
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' })
      return new MountedDisk(folder, sizeKiB)
    } catch {
      return undefined
    }
  }

  /** Takes room away, until it is freed. */
  fill(sizeBytes: number): void {
    writeFileSync(this.#ballast, Buffer.alloc(sizeBytes))
  }

  /** Takes all the room there is. */
  fillUp(): void {
    for (let sizeBytes = this.#sizeKiB * 1024; sizeBytes > 0; sizeBytes -= 4096) {
      try {
        this.fill(sizeBytes)
        return
      } catch {
        // It takes less than that.
      }
    }
  }

  free(): void {
    rmSync(this.#ballast)
  }

  makeReadOnly(): void {
    execFileSync('mount', ['-o', 'remount,ro', this.#folder])
  }

  [Symbol.dispose](): void {
    // Lazily: whatever is still open in it goes with the process.
    execFileSync('umount', ['-l', this.#folder])
  }
}
