import {
  type DirectoryEntry,
  type FileFacts,
  type FileSystem,
  nodeFileSystem,
  type OpenFile,
} from '../../src/base/index.ts'

/** What can happen to one call. */
export type Fault =
  /** It does nothing and fails. */
  | { readonly kind: 'fail'; readonly code: string }
  /** It does its work, and fails all the same. */
  | { readonly kind: 'late'; readonly code: string }
  /** It does nothing, and says that it has: of calls that answer nothing, and of writes. */
  | { readonly kind: 'lie' }
  /** A write takes only so many bytes, and then fails when there is a code. Others: as `fail`. */
  | { readonly kind: 'cut'; readonly bytes: number; readonly code?: string }

export type Method = keyof FileSystem | `file.${keyof OpenFile}`

export interface Call {
  /** Counted from 0 over all methods. */
  readonly index: number
  readonly method: Method
  /** Bytes of a write. */
  readonly sizeBytes?: number
}

/** Decides the fault of a call, if any. */
export type FaultPlan = (call: Call) => Fault | undefined

function systemError(code: string, method: string): Error {
  return Object.assign(new Error(`${code}: injected, ${method}`), { code })
}

function codeOf(fault: Fault): string {
  return ('code' in fault ? fault.code : undefined) ?? 'EIO'
}

/** A file system whose calls are counted, and fail or fall short as the plan says. */
export class FaultyFileSystem implements FileSystem {
  readonly calls: Call[] = []
  plan: FaultPlan
  /** Files that were opened and not closed. */
  openCount = 0
  /** Bytes that reads of open files have answered. */
  bytesRead = 0
  readonly #inner: FileSystem

  constructor(plan: FaultPlan = () => undefined, inner: FileSystem = nodeFileSystem) {
    this.plan = plan
    this.#inner = inner
  }

  /** The calls so far of one method. */
  countOf(method: Method): number {
    return this.calls.filter((call) => call.method === method).length
  }

  openForRead(path: string): Promise<OpenFile> {
    return this.#opened('openForRead', () => this.#inner.openForRead(path))
  }

  openForAppend(path: string, mode: 'create' | 'existing'): Promise<OpenFile> {
    return this.#opened('openForAppend', () => this.#inner.openForAppend(path, mode))
  }

  facts(path: string): Promise<FileFacts | undefined> {
    return this.#call('facts', () => this.#inner.facts(path))
  }

  factsNow(path: string): FileFacts | undefined {
    const fault = this.#next('facts')
    if (fault) throw systemError(codeOf(fault), 'facts')
    return this.#inner.factsNow(path)
  }

  makeDirectory(path: string): Promise<void> {
    return this.#call('makeDirectory', () => this.#inner.makeDirectory(path))
  }

  readDirectory(path: string): Promise<DirectoryEntry[]> {
    return this.#call('readDirectory', () => this.#inner.readDirectory(path))
  }

  readText(path: string): Promise<string | undefined> {
    return this.#call('readText', () => this.#inner.readText(path))
  }

  syncDirectory(path: string): Promise<void> {
    return this.#call('syncDirectory', () => this.#inner.syncDirectory(path))
  }

  rename(from: string, to: string): Promise<void> {
    return this.#call('rename', () => this.#inner.rename(from, to))
  }

  remove(path: string): Promise<void> {
    return this.#call('remove', () => this.#inner.remove(path))
  }

  setModifiedTime(path: string, atMs: number): Promise<void> {
    return this.#call('setModifiedTime', () => this.#inner.setModifiedTime(path, atMs))
  }

  #next(method: Method, sizeBytes?: number): Fault | undefined {
    const index = this.calls.length
    const call = { index, method, ...(sizeBytes === undefined ? {} : { sizeBytes }) }
    this.calls.push(call)
    return this.plan(call)
  }

  async #call<T>(method: Method, work: () => Promise<T>): Promise<T> {
    const fault = this.#next(method)
    if (!fault) return work()
    if (fault.kind === 'lie') return undefined as T
    if (fault.kind === 'late') await work()
    throw systemError(codeOf(fault), method)
  }

  async #opened(method: Method, work: () => Promise<OpenFile>): Promise<OpenFile> {
    const fault = this.#next(method)
    if (!fault) {
      const file = await work()
      this.openCount += 1
      return this.#faulty(file)
    }
    if (fault.kind === 'late') await (await work()).close()
    throw systemError(codeOf(fault), method)
  }

  #faulty(file: OpenFile): OpenFile {
    const call = <T>(method: Method, work: () => Promise<T>) => this.#call(method, work)
    return {
      read: (into, position) =>
        call('file.read', async () => {
          const count = await file.read(into, position)
          this.bytesRead += count
          return count
        }),
      write: (bytes) => this.#write(file, bytes),
      facts: () => call('file.facts', () => file.facts()),
      truncate: (sizeBytes) => call('file.truncate', () => file.truncate(sizeBytes)),
      sync: () => call('file.sync', () => file.sync()),
      close: async () => {
        this.openCount -= 1
        const fault = this.#next('file.close')
        // As with the real call: the descriptor is gone, whatever it says.
        await file.close()
        if (fault) throw systemError(codeOf(fault), 'file.close')
      },
    }
  }

  async #write(file: OpenFile, bytes: Uint8Array): Promise<number> {
    const fault = this.#next('file.write', bytes.length)
    if (!fault) return file.write(bytes)
    if (fault.kind === 'lie') return bytes.length
    if (fault.kind === 'fail') throw systemError(fault.code, 'file.write')
    const taken = fault.kind === 'late' ? bytes : bytes.subarray(0, fault.bytes)
    const count = taken.length === 0 ? 0 : await file.write(taken)
    if (fault.code === undefined) return count
    throw systemError(fault.code, 'file.write')
  }
}
