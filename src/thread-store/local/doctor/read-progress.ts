import type { FileSystem } from '../../../base/index.ts'
import type { RolloutFile, SeenLine } from '../../../rollout/index.ts'
import type { Companion } from './inspect-rollout.ts'

/** Less than that is not worth a word. */
const STEP_BYTES = 1024 * 1024

interface Told {
  readonly files: FileSystem
  readonly onBytes?: (doneBytes: number) => void
}

/** How much of some files has been read, told as it goes on within them. */
export class ReadProgress {
  readonly #onBytes: Told['onBytes']
  readonly #sizes = new Map<RolloutFile, number>()
  /** Of files that are done. */
  #wholeBytes = 0
  /** Of files that are being read. */
  readonly #partBytes = new Map<RolloutFile, number>()

  constructor({ files, onBytes }: Told, rollouts: readonly RolloutFile[]) {
    this.#onBytes = onBytes
    if (!onBytes) return
    for (const file of rollouts) {
      this.#sizes.set(file, files.factsNow(file.path)?.sizeBytes ?? 0)
    }
    this.#tell()
  }

  /** Reads along with a file, and with whoever else does. */
  along(file: RolloutFile, other: Companion | undefined): Companion {
    const line = ({ offset }: SeenLine) => this.#reach(file, offset)
    if (!other) return { entry: () => undefined, line }
    const { entry, damage, end } = other
    return { entry, line, ...(damage ? { damage } : {}), ...(end ? { end } : {}) }
  }

  finish(file: RolloutFile): void {
    this.#partBytes.delete(file)
    this.#wholeBytes += this.#sizes.get(file) ?? 0
    this.#tell()
  }

  /** Of a compressed file only the end is known: its text has other places. */
  #reach(file: RolloutFile, offset: number): void {
    if (!this.#onBytes || file.isCompressed) return
    if (offset - (this.#partBytes.get(file) ?? 0) < STEP_BYTES) return
    this.#partBytes.set(file, offset)
    this.#tell()
  }

  #tell(): void {
    let doneBytes = this.#wholeBytes
    for (const partBytes of this.#partBytes.values()) doneBytes += partBytes
    this.#onBytes?.(doneBytes)
  }
}
