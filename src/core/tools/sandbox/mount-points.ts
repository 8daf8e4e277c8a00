import { lstatSync, readdirSync, readFileSync, readlinkSync, rmdirSync } from 'node:fs'

/**
 * Folders that have to be there, empty, while something is mounted over them, so that nobody can
 * make them. They are removed when no command of ours needs them any more. All of it happens at
 * once: nothing else of this process can come in between.
 */
export class MountPoints implements Disposable {
  readonly #uses = new Map<string, number>()
  /** Ours, unused, and still mounted over: a killed sandbox takes a moment, others use them too. */
  readonly #left = new Set<string>()

  /** Those of the paths that are not there but for us; they count as used from now on. */
  take(paths: readonly string[]): string[] {
    const taken = paths.filter((path) => this.has(path) || isMissing(path))
    for (const path of taken) {
      this.#left.delete(path)
      this.#uses.set(path, (this.#uses.get(path) ?? 0) + 1)
    }
    return taken
  }

  release(paths: readonly string[]): void {
    for (const path of paths) {
      const uses = (this.#uses.get(path) ?? 1) - 1
      if (uses > 0) this.#uses.set(path, uses)
      else {
        this.#uses.delete(path)
        this.#left.add(path)
      }
    }
    this.#removeLeft()
  }

  /** Whether a path is there only for a mount. */
  has(path: string): boolean {
    return this.#uses.has(path) || this.#left.has(path)
  }

  [Symbol.dispose](): void {
    this.#removeLeft()
  }

  #removeLeft(): void {
    for (const path of this.#left) if (isMissing(path)) this.#left.delete(path)
    if (this.#left.size === 0) return
    // Removed here, it would also be unmounted where another process has mounted over it.
    const mounted = mountedAnywhere()
    for (const path of this.#left) {
      if (mounted.has(path)) continue
      removeEmpty(path)
      this.#left.delete(path)
    }
  }
}

function isMissing(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) === undefined
}

function removeEmpty(path: string): void {
  try {
    rmdirSync(path)
  } catch {
    // Somebody uses it by now, or was faster. An empty folder that stays does no harm either.
  }
}

/** What is mounted in the namespaces of others; the first process of each lives longest. */
function mountedAnywhere(): Set<string> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const byNamespace = new Map(pids.reverse().map((pid) => [namespaceOf(pid), pid]))
  for (const other of [namespaceOf('self'), undefined]) byNamespace.delete(other)
  return new Set([...byNamespace.values()].flatMap(mountsOf))
}

/** Undefined for what has ended, or is another user's, who cannot mount over our folders. */
function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/mnt`)
  } catch {
    return undefined
  }
}

function mountsOf(pid: string): string[] {
  try {
    const lines = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').split('\n')
    return lines.map((line) => unescaped(line.split(' ')[4] ?? ''))
  } catch {
    // The first process of a sandbox has ended, and so has the sandbox.
    return []
  }
}

function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)))
}
