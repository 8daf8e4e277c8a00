/**
 * A file system that remembers what a power cut would leave. The model is the strict one: of a
 * file only what it held when it was last synced, of a folder only the entries that it had when
 * the folder was last synced; a new file is no part of its folder before that.
 */
import { dirname } from 'node:path'
import {
  type DirectoryEntry,
  type FileFacts,
  type FileSystem,
  nodeFileSystem,
  type OpenFile,
} from '../src/base/index.ts'
import type { Random } from '../test/support/seeded-random.ts'

/** What was written and not synced: gone, there in part, or there as zeros. */
export const LEFTOVERS = ['nothing', 'a part', 'zeros'] as const
export type Leftover = (typeof LEFTOVERS)[number]

/** Bytes of one file, whatever it is called. */
class Content {
  written: Buffer
  synced: Buffer

  constructor(bytes: Buffer) {
    this.written = bytes
    this.synced = bytes
  }

  after(leftover: Leftover, random: Random): Buffer {
    const { written, synced } = this
    const isGrown = written.length > synced.length
    const isSame = written.subarray(0, synced.length).equals(synced)
    if (leftover === 'nothing' || !isGrown || !isSame) return synced
    const more = 1 + random(written.length - synced.length)
    const bytes = written.subarray(synced.length, synced.length + more)
    return Buffer.concat([synced, leftover === 'zeros' ? Buffer.alloc(more) : bytes])
  }
}

export type Image = ReadonlyMap<string, Buffer>

export class RecordedDisk implements FileSystem {
  /** Runs after each call that changes something. */
  onChange: () => void = () => undefined
  /** The folder that is there after a cut whatever was synced. */
  root = ''
  readonly #inner: FileSystem
  readonly #entries = new Map<string, Content | 'folder'>()
  readonly #syncedEntries = new Map<string, Content | 'folder'>()

  constructor(inner: FileSystem = nodeFileSystem) {
    this.#inner = inner
  }

  /** The files that are there after a cut at this moment. */
  imageAfterCut(leftover: Leftover, random: Random): Image {
    const image = new Map<string, Buffer>()
    for (const [path, entry] of this.#syncedEntries) {
      if (entry === 'folder' || !this.#isReachable(path)) continue
      image.set(path, entry.after(leftover, random))
    }
    return image
  }

  openForRead(path: string): Promise<OpenFile> {
    return this.#inner.openForRead(path)
  }

  async openForAppend(path: string, mode: 'create' | 'existing'): Promise<OpenFile> {
    const file = await this.#inner.openForAppend(path, mode)
    const known = this.#entries.get(path)
    const content = known instanceof Content ? known : new Content(Buffer.alloc(0))
    if (content !== known) this.#entries.set(path, content)
    this.onChange()
    return this.#recorded(file, content)
  }

  facts(path: string): Promise<FileFacts | undefined> {
    return this.#inner.facts(path)
  }

  factsNow(path: string): FileFacts | undefined {
    return this.#inner.factsNow(path)
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#inner.makeDirectory(path)
    for (let each = path; each.startsWith(`${this.root}/`); each = dirname(each)) {
      if (!this.#entries.has(each)) this.#entries.set(each, 'folder')
    }
    this.onChange()
  }

  readDirectory(path: string): Promise<DirectoryEntry[]> {
    return this.#inner.readDirectory(path)
  }

  readText(path: string): Promise<string | undefined> {
    return this.#inner.readText(path)
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#inner.syncDirectory(path)
    const isIn = (each: string) => dirname(each) === path
    for (const each of this.#syncedEntries.keys()) {
      if (isIn(each) && !this.#entries.has(each)) this.#syncedEntries.delete(each)
    }
    for (const [each, entry] of this.#entries) if (isIn(each)) this.#syncedEntries.set(each, entry)
    this.onChange()
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#inner.rename(from, to)
    const moved = this.#entries.get(from)
    this.#entries.delete(from)
    if (moved) this.#entries.set(to, moved)
    this.onChange()
  }

  async remove(path: string): Promise<void> {
    await this.#inner.remove(path)
    this.#entries.delete(path)
    this.onChange()
  }

  setModifiedTime(path: string, atMs: number): Promise<void> {
    return this.#inner.setModifiedTime(path, atMs)
  }

  /** Every folder on the way is there after the cut. */
  #isReachable(path: string): boolean {
    for (let each = dirname(path); each !== this.root; each = dirname(each)) {
      if (!this.#syncedEntries.has(each)) return false
    }
    return true
  }

  #recorded(file: OpenFile, content: Content): OpenFile {
    return {
      read: (into, position) => file.read(into, position),
      write: async (bytes) => {
        const count = await file.write(bytes)
        content.written = Buffer.concat([content.written, bytes.subarray(0, count)])
        this.onChange()
        return count
      },
      facts: () => file.facts(),
      truncate: async (sizeBytes) => {
        await file.truncate(sizeBytes)
        content.written = content.written.subarray(0, sizeBytes)
        this.onChange()
      },
      sync: async () => {
        const { written } = content
        await file.sync()
        content.synced = written
        this.onChange()
      },
      close: () => file.close(),
    }
  }
}
