import { lstatSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { errorCode } from '../../../base/index.ts'

/**
 * Folders that have to be there, empty, while something is mounted over them, so that nobody can
 * make them. They are removed when no command of ours needs them any more. All of it happens at
 * once: nothing else of this process can come in between.
 */
export class MountPoints {
  readonly #uses = new Map<string, number>()

  /** Those of the paths that are not there but for us; they count as used from now on. */
  take(paths: readonly string[]): string[] {
    const taken = paths.filter((path) => this.#uses.has(path) || isMissing(path))
    for (const path of taken) this.#uses.set(path, (this.#uses.get(path) ?? 0) + 1)
    return taken
  }

  release(paths: readonly string[]): void {
    const unused = paths.filter((path) => {
      const uses = (this.#uses.get(path) ?? 1) - 1
      if (uses > 0) this.#uses.set(path, uses)
      else this.#uses.delete(path)
      return uses === 0
    })
    const left = unused.filter((path) => !isMissing(path))
    if (left.length === 0) return
    // Removed here, it would also be unmounted where another process has mounted over it.
    const mounted = mountedAnywhere()
    for (const path of left) if (!mounted.has(path)) removeEmpty(path)
  }

  /** Whether a path is there only for a mount. */
  has(path: string): boolean {
    return this.#uses.has(path)
  }
}

function isMissing(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) === undefined
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path)
  } catch (error) {
    // Somebody uses it by now, or was faster.
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR', 'EBUSY'].includes(errorCode(error) ?? '')) {
      throw error
    }
  }
}

function mountedAnywhere(): Set<string> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return new Set(pids.flatMap((pid) => mountsOf(pid)))
}

function mountsOf(pid: string): string[] {
  try {
    const lines = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').split('\n')
    return lines.map((line) => unescaped(line.split(' ')[4] ?? ''))
  } catch {
    // It has ended, or is another user's, who cannot have mounted over our folders.
    return []
  }
}

function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)))
}
