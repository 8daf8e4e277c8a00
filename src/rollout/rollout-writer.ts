import { dirname } from 'node:path'
import { type Clock, errorText, type FileSystem, type OpenFile } from '../base/index.ts'
import type { RolloutItem } from '../protocol/index.ts'
import { RolloutError } from './errors.ts'
import { encodeLine } from './rollout-codec.ts'

/**
 * When appended bytes reach the device. They are with the kernel before any append returns, so
 * these levels differ only in what a power cut may take: `turn`: nothing that was flushed, and
 * 200 ms of the rest; `power`: nothing that was appended; `process`: one second.
 */
export const DURABILITY_LEVELS = ['process', 'turn', 'power'] as const
export type Durability = (typeof DURABILITY_LEVELS)[number]

const SYNC_DELAY_MS: { readonly [level in Durability]: number } = {
  process: 1000,
  turn: 200,
  power: 0,
}

/** Something about the file that its reader should be told. */
export type RolloutNotice =
  | { readonly kind: 'torn_tail'; readonly path: string; readonly sizeBytes: number }
  | { readonly kind: 'changed_by_another'; readonly path: string }

export interface RolloutWriterOptions {
  readonly path: string
  readonly files: FileSystem
  readonly clock: Clock
  readonly durability: Durability
  readonly onNotice: (notice: RolloutNotice) => void
}

interface Attempt {
  readonly bytes: Buffer
  readonly lineCount: number
}

const NEWLINE = 0x0a

/**
 * One thread's file, open for appending. Appends keep their order; after a failed one the items
 * stay queued, a half-written line is cut back, and the next call tries again.
 */
export class RolloutWriter implements AsyncDisposable {
  readonly path: string
  readonly #options: RolloutWriterOptions
  #pending: RolloutItem[] = []
  #file: OpenFile | undefined
  /** Makes the first line of a file that is not there yet. */
  #header: (() => Promise<RolloutItem>) | undefined
  #isCreated: boolean
  #expectedSize: number | undefined
  #failed: Attempt | undefined
  #needsDirectorySync = false
  #isDirty = false
  #syncTimer: NodeJS.Timeout | undefined
  #syncFailure: unknown
  #turn: Promise<void> = Promise.resolve()
  #isClosed = false

  private constructor(options: RolloutWriterOptions, header?: () => Promise<RolloutItem>) {
    this.path = options.path
    this.#options = options
    this.#header = header
    this.#isCreated = header === undefined
  }

  /** Of a new file. Nothing is on disk until the first append, which asks for the header. */
  static create(options: RolloutWriterOptions, header: () => Promise<RolloutItem>): RolloutWriter {
    return new RolloutWriter(options, header)
  }

  /** Of an existing file. Nothing is written until the first append. */
  static async resume(options: RolloutWriterOptions): Promise<RolloutWriter> {
    const writer = new RolloutWriter(options)
    await writer.#inTurn(async () => {
      await writer.#open()
    })
    return writer
  }

  /** Whether the file is there. */
  get isMaterialised(): boolean {
    return this.#isCreated
  }

  /** Returns when the items are with the kernel. Throws `RolloutError`; the items stay queued. */
  append(items: readonly RolloutItem[]): Promise<void> {
    this.#pending.push(...items)
    return this.#inTurn(() => this.#drain())
  }

  /** Returns when all that was appended has the durability of the writer's level. */
  flush(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#pending.length > 0) await this.#drain()
      if (this.#options.durability !== 'process') await this.#sync()
    })
  }

  /** Writes what is queued, syncs and closes. A writer that could not write stays open. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#isClosed) return
      if (this.#pending.length > 0) await this.#drain()
      await this.#sync()
      await this.#release()
    })
  }

  /** Closes without writing what is queued. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inTurn(() => this.#release())
  }

  /** Runs one call after the other, whatever became of the one before. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  async #drain(): Promise<void> {
    if (this.#isClosed) throw this.#error('the rollout is closed')
    if (this.#syncFailure !== undefined) await this.#reportSyncFailure()
    const file = this.#file ?? (await this.#open())
    await this.#checkUnchanged(file)
    if (this.#pending.length === 0 && !this.#header) return
    const attempt = await this.#encodePending()
    try {
      let written = 0
      while (written < attempt.bytes.length) {
        const count = await file.write(attempt.bytes.subarray(written))
        if (count === 0) throw new Error('the file took no bytes')
        written += count
      }
    } catch (error) {
      this.#failed = attempt
      await this.#dropFile()
      throw this.#error(`cannot write to the rollout (${errorText(error)})`, error)
    }
    this.#wrote(attempt)
    if (this.#options.durability === 'power') await this.#sync()
    else this.#scheduleSync()
  }

  async #encodePending(): Promise<Attempt> {
    const timestamp = new Date(this.#options.clock.nowMs()).toISOString()
    const items = this.#header ? [await this.#header(), ...this.#pending] : this.#pending
    const text = items.map((item) => encodeLine({ timestamp, item })).join('')
    return { bytes: Buffer.from(text), lineCount: this.#pending.length }
  }

  #wrote(attempt: Attempt): void {
    this.#failed = undefined
    this.#header = undefined
    this.#pending.splice(0, attempt.lineCount)
    this.#expectedSize = (this.#expectedSize ?? 0) + attempt.bytes.length
    this.#isDirty = true
  }

  async #open(): Promise<OpenFile> {
    const { files } = this.#options
    try {
      if (this.#isCreated) {
        this.#file = await files.openForAppend(this.path, 'existing')
      } else {
        await files.makeDirectory(dirname(this.path))
        this.#file = await files.openForAppend(this.path, 'create')
        this.#isCreated = true
        this.#expectedSize = 0
        this.#needsDirectorySync = true
      }
    } catch (error) {
      throw this.#error(`cannot open the rollout for writing (${errorText(error)})`, error)
    }
    const facts = await this.#file.facts()
    if (facts.kind !== 'file') {
      await this.#dropFile()
      throw new RolloutError('not_a_rollout', this.path, 'not a regular file')
    }
    await this.#settleFailedAttempt(this.#file, facts.sizeBytes)
    if (this.#expectedSize === undefined) {
      this.#expectedSize = facts.sizeBytes
      await this.#endTornLine(this.#file)
    }
    return this.#file
  }

  /** After a failed write: cuts half of it back, or finds that all of it had arrived. */
  async #settleFailedAttempt(file: OpenFile, sizeBytes: number): Promise<void> {
    const failed = this.#failed
    const expected = this.#expectedSize
    if (!failed || expected === undefined || sizeBytes <= expected) return
    const excess = Buffer.alloc(Math.min(sizeBytes - expected, failed.bytes.length))
    await file.read(excess, expected)
    const isOurs = failed.bytes.subarray(0, excess.length).equals(excess)
    if (!isOurs || sizeBytes - expected > failed.bytes.length) return
    if (excess.length === failed.bytes.length) this.#wrote(failed)
    else await file.truncate(expected)
  }

  /** Another writer may have been here since our last append; 0.133.0 takes no lock. */
  async #checkUnchanged(file: OpenFile): Promise<void> {
    const facts = await file.facts()
    if (facts.linkCount === 0) {
      throw this.#error('the rollout was deleted while the thread was open')
    }
    if (facts.sizeBytes === this.#expectedSize) return
    this.#expectedSize = facts.sizeBytes
    this.#options.onNotice({ kind: 'changed_by_another', path: this.path })
    await this.#endTornLine(file)
  }

  /** Ends a line that lost its newline, so that nothing is glued to it. */
  async #endTornLine(file: OpenFile): Promise<void> {
    const size = this.#expectedSize ?? 0
    if (size === 0) return
    const last = Buffer.alloc(1)
    await file.read(last, size - 1)
    if (last[0] === NEWLINE) return
    this.#options.onNotice({ kind: 'torn_tail', path: this.path, sizeBytes: size })
    this.#expectedSize = size + (await file.write(Buffer.of(NEWLINE)))
    this.#isDirty = true
  }

  #scheduleSync(): void {
    if (this.#syncTimer) return
    this.#syncTimer = setTimeout(() => {
      this.#syncTimer = undefined
      this.#inTurn(() => this.#sync()).catch((error: unknown) => {
        this.#syncFailure = error
      })
    }, SYNC_DELAY_MS[this.#options.durability])
  }

  async #sync(): Promise<void> {
    if (this.#syncFailure !== undefined) await this.#reportSyncFailure()
    clearTimeout(this.#syncTimer)
    this.#syncTimer = undefined
    if (!this.#isDirty || !this.#file) return
    try {
      await this.#file.sync()
      if (this.#needsDirectorySync) await this.#syncDirectories()
    } catch (error) {
      // The kernel may have dropped the pages of a failed sync: never sync this descriptor again.
      await this.#dropFile()
      throw this.#error(`cannot make the rollout durable (${errorText(error)})`, error)
    }
    this.#isDirty = false
    this.#needsDirectorySync = false
  }

  /** The day's folder and its parents up to `sessions/`, each of which may be new. */
  async #syncDirectories(): Promise<void> {
    let folder = dirname(this.path)
    for (let depth = 0; depth < 4; depth += 1) {
      await this.#options.files.syncDirectory(folder)
      folder = dirname(folder)
    }
  }

  async #reportSyncFailure(): Promise<never> {
    const failure = this.#syncFailure
    this.#syncFailure = undefined
    throw failure
  }

  async #dropFile(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    // Closing can only repeat the failure that is being reported.
    await file?.close().catch(() => undefined)
  }

  async #release(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#syncTimer)
    this.#syncTimer = undefined
    await this.#dropFile()
  }

  #error(message: string, cause?: unknown): RolloutError {
    return cause instanceof RolloutError ? cause : new RolloutError('io', this.path, message, cause)
  }
}
