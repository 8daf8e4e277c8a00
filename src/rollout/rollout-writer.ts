import { dirname } from 'node:path'
import {
  type Clock,
  errorCode,
  errorText,
  type FileFacts,
  type FileSystem,
  type OpenFile,
  writeAll,
} from '../base/index.ts'
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

const NEWLINE = 0x0a

/** The day's folder, the month's, the year's, `sessions/` and the home: each may be new. */
const FOLDERS_TO_SYNC = 5

/**
 * One thread's file, open for appending. Appends keep their order; after a failed one the items
 * stay queued, a half-written line is cut back, and the next call tries again.
 */
export class RolloutWriter implements AsyncDisposable {
  readonly path: string
  readonly #options: RolloutWriterOptions
  /** Not known to be in the file, oldest first; the header of a new file is the first. */
  #pending: RolloutItem[] = []
  #file: OpenFile | undefined
  /** Makes the first line of a file that is not there yet. */
  #makeHeader: (() => Promise<RolloutItem>) | undefined
  #isCreated: boolean
  /** Size of the file after our last line; undefined until the file was first seen. */
  #expectedSize: number | undefined
  /** Of the file that all this is known of. */
  #inode: number | undefined
  /** The file ends in a line without newline, which the next write has to end first. */
  #isTailTorn = false
  /** Bytes handed to a write that has not succeeded: some or all of them may be in the file. */
  #attempt: Buffer | undefined
  /** The attempt counts whole or not at all: what arrived of it is to be cut off. */
  #isWithdrawn = false
  #needsDirectorySync = false
  /** Another program has appended; not told yet to whoever asks. */
  #hasForeign = false
  #isDirty = false
  #syncTimer: NodeJS.Timeout | undefined
  #syncFailure: unknown
  #turn: Promise<void> = Promise.resolve()
  #isClosed = false

  private constructor(options: RolloutWriterOptions, makeHeader?: () => Promise<RolloutItem>) {
    this.path = options.path
    this.#options = options
    this.#makeHeader = makeHeader
    this.#isCreated = makeHeader === undefined
  }

  /** Of a new file. Nothing is on disk until the first append, which asks for the header. */
  static create(options: RolloutWriterOptions, header: () => Promise<RolloutItem>): RolloutWriter {
    return new RolloutWriter(options, header)
  }

  /** Of an existing file. Nothing is written until the first append. */
  static async resume(options: RolloutWriterOptions): Promise<RolloutWriter> {
    const writer = new RolloutWriter(options)
    await writer.#inTurn(() =>
      writer.#orDropFile('cannot open the rollout for writing', async () => {
        await writer.#open()
      }),
    )
    return writer
  }

  /** Whether the file is there. */
  get isMaterialised(): boolean {
    return this.#isCreated
  }

  /** Returns when the items are with the kernel. Throws `RolloutError`; the items stay queued. */
  async append(items: readonly RolloutItem[]): Promise<void> {
    if (items.length === 0) return
    for (const item of items) this.#pending.push(item)
    await this.persist()
  }

  /** Makes the file exist, and writes what is queued. Throws as `append`. */
  persist(): Promise<void> {
    return this.#inTurn(() => this.#drain())
  }

  /**
   * Appends all of the items, synced, or none of them, in one write. They stay when `confirm`,
   * which runs last, succeeds; after any failure what arrived of them is cut off again.
   */
  appendWhole(
    items: readonly RolloutItem[],
    confirm: () => Promise<void> = async () => undefined,
  ): Promise<void> {
    return this.#inTurn(async () => {
      await this.#drain()
      try {
        await this.#orDropFile('cannot write to the rollout', () => this.#tryWhole(items, confirm))
      } catch (error) {
        // Opening settles the attempt. When that fails too, the next call tries it again.
        await this.#orDropFile('', () => this.#open()).catch(() => undefined)
        throw error
      }
    })
  }

  /** Whether another program has appended since this was last asked. */
  async takeForeign(): Promise<boolean> {
    await this.#inTurn(async () => {
      if (this.#isClosed || !this.#isCreated) return
      await this.#orDropFile('cannot look at the rollout', async () => {
        await this.#checkUnchanged(this.#file ?? (await this.#open()))
      })
    })
    const isForeign = this.#hasForeign
    this.#hasForeign = false
    return isForeign
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
    this.#reportSyncFailure()
    await this.#orDropFile('cannot write to the rollout', async () => {
      await this.#prepareHeader()
      const file = this.#file ?? (await this.#open())
      await this.#checkUnchanged(file)
      if (this.#pending.length > 0) await this.#writePending(file)
    })
    if (this.#options.durability === 'power') await this.#sync()
    else if (this.#isDirty) this.#scheduleSync()
  }

  /** Asked once, and before there is a file, so that no file is left waiting for its header. */
  async #prepareHeader(): Promise<void> {
    if (!this.#makeHeader) return
    this.#pending.unshift(await this.#makeHeader())
    this.#makeHeader = undefined
  }

  async #writePending(file: OpenFile): Promise<void> {
    const bytes = this.#bytesOf(this.#pending)
    this.#attempt = bytes
    this.#isWithdrawn = false
    await writeAll(file, bytes)
    this.#acceptAttempt(bytes.length)
  }

  /** What others append meanwhile stays in the queue: their turn comes after this one. */
  async #tryWhole(items: readonly RolloutItem[], confirm: () => Promise<void>): Promise<void> {
    const file = this.#file ?? (await this.#open())
    const bytes = this.#bytesOf(items)
    this.#attempt = bytes
    this.#isWithdrawn = true
    this.#isDirty = true
    await writeAll(file, bytes)
    await this.#sync()
    await confirm()
    this.#attempt = undefined
    this.#expectedSize = (this.#expectedSize ?? 0) + bytes.length
    this.#isTailTorn = false
  }

  #bytesOf(items: readonly RolloutItem[]): Buffer {
    const timestamp = new Date(this.#options.clock.nowMs()).toISOString()
    const lines = items.map((item) => encodeLine({ timestamp, item }))
    return Buffer.from((this.#isTailTorn ? '\n' : '') + lines.join(''))
  }

  /** The first `sizeBytes` of the attempt, which end with a newline, are in the file. */
  #acceptAttempt(sizeBytes: number): void {
    const attempt = this.#attempt ?? Buffer.alloc(0)
    const accepted = attempt.subarray(0, sizeBytes)
    this.#pending.splice(0, countLines(accepted))
    this.#attempt = sizeBytes < attempt.length ? attempt.subarray(sizeBytes) : undefined
    this.#expectedSize = (this.#expectedSize ?? 0) + sizeBytes
    this.#isTailTorn = false
    this.#isDirty = true
  }

  async #open(): Promise<OpenFile> {
    const file = await this.#openFile()
    this.#file = file
    const facts = await file.facts()
    if (facts.kind !== 'file') {
      throw new RolloutError('not_a_rollout', this.path, 'not a regular file')
    }
    const isReplaced = this.#inode !== undefined && this.#inode !== facts.inode
    this.#inode = facts.inode
    if (this.#expectedSize === undefined) await this.#meetTail(file, facts.sizeBytes)
    else if (isReplaced) await this.#meetForeign(file, facts.sizeBytes)
    else await this.#settleAttempt(file, facts.sizeBytes, this.#expectedSize)
    return file
  }

  async #openFile(): Promise<OpenFile> {
    const { files } = this.#options
    try {
      if (this.#isCreated) return await files.openForAppend(this.path, 'existing')
      await files.makeDirectory(dirname(this.path))
      const file = await this.#createFile()
      this.#isCreated = true
      this.#expectedSize = 0
      this.#needsDirectorySync = true
      return file
    } catch (error) {
      throw this.#error(`cannot open the rollout for writing (${errorText(error)})`, error)
    }
  }

  async #createFile(): Promise<OpenFile> {
    const { files } = this.#options
    try {
      return await files.openForAppend(this.path, 'create')
    } catch (error) {
      // An earlier try may have made the file and failed after that; one with content is another's.
      const facts = errorCode(error) === 'EEXIST' ? await files.facts(this.path) : undefined
      if (facts?.kind !== 'file' || facts.sizeBytes > 0) throw error
      return await files.openForAppend(this.path, 'existing')
    }
  }

  /**
   * After a failed write: whole lines that arrived are not written again, half a one is cut. Of a
   * withdrawn attempt all is cut.
   */
  async #settleAttempt(file: OpenFile, sizeBytes: number, start: number): Promise<void> {
    const attempt = this.#attempt
    if (!attempt || sizeBytes <= start) return
    const found = Buffer.alloc(Math.min(sizeBytes - start, attempt.length))
    const arrived = commonLength(attempt, found.subarray(0, await readAt(file, found, start)))
    const whole = this.#isWithdrawn ? 0 : attempt.subarray(0, arrived).lastIndexOf(NEWLINE) + 1
    if (whole > 0) this.#acceptAttempt(whole)
    // Bytes that are not ours are somebody's: they stay, and what is ours before them with them.
    if (arrived > whole && sizeBytes === start + arrived) await file.truncate(start + whole)
  }

  /** Another writer may have been here since our last append; 0.133.0 takes no lock. */
  async #checkUnchanged(file: OpenFile): Promise<void> {
    const facts = await file.facts()
    this.#refuseDeleted(facts)
    if (facts.sizeBytes !== this.#expectedSize) await this.#meetForeign(file, facts.sizeBytes)
  }

  async #meetForeign(file: OpenFile, sizeBytes: number): Promise<void> {
    await this.#meetTail(file, sizeBytes)
    this.#hasForeign = true
    this.#options.onNotice({ kind: 'changed_by_another', path: this.path })
  }

  #refuseDeleted(facts: FileFacts): void {
    if (facts.linkCount > 0) return
    throw this.#error('the rollout was deleted while the thread was open')
  }

  /** Takes over the end of a file that others wrote. Nothing may be glued to a torn last line. */
  async #meetTail(file: OpenFile, sizeBytes: number): Promise<void> {
    const last = Buffer.of(NEWLINE)
    if (sizeBytes > 0) await readAt(file, last, sizeBytes - 1)
    this.#expectedSize = sizeBytes
    this.#attempt = undefined
    this.#isTailTorn = last[0] !== NEWLINE
    if (this.#isTailTorn) this.#options.onNotice({ kind: 'torn_tail', path: this.path, sizeBytes })
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
    this.#reportSyncFailure()
    clearTimeout(this.#syncTimer)
    this.#syncTimer = undefined
    if (!this.#isDirty || this.#isClosed) return
    // The kernel may have dropped the pages of a failed sync: never sync that descriptor again.
    await this.#orDropFile('cannot make the rollout durable', async () => {
      const file = this.#file ?? (await this.#open())
      this.#refuseDeleted(await file.facts())
      await file.sync()
      if (this.#needsDirectorySync) await this.#syncDirectories()
    })
    this.#isDirty = false
    this.#needsDirectorySync = false
  }

  async #syncDirectories(): Promise<void> {
    let folder = dirname(this.path)
    for (let depth = 0; depth < FOLDERS_TO_SYNC; depth += 1) {
      await this.#options.files.syncDirectory(folder)
      folder = dirname(folder)
    }
  }

  #reportSyncFailure(): void {
    const failure = this.#syncFailure
    this.#syncFailure = undefined
    if (failure !== undefined) throw failure
  }

  /** After any failure the next call opens the file anew and finds out what became of it. */
  async #orDropFile(doing: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      await this.#dropFile()
      throw this.#error(`${doing} (${errorText(error)})`, error)
    }
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

/** Newlines that end a line; one in front of all others ends the torn line of somebody else. */
function countLines(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(NEWLINE, 1); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) {
    count += 1
  }
  return count
}

function commonLength(a: Buffer, b: Buffer): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at += 1) if (a[at] !== b[at]) return at
  return length
}

/** Fills `into` as far as the file goes; returns the count of bytes read. */
async function readAt(file: OpenFile, into: Buffer, position: number): Promise<number> {
  let filled = 0
  while (filled < into.length) {
    const count = await file.read(into.subarray(filled), position + filled)
    if (count === 0) break
    filled += count
  }
  return filled
}
