/** A script of appends, flushes and a close, on a file system that fails as it is told to. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type FileSystem, nodeFileSystem, systemClock } from '../../src/base/index.ts'
import { messageText, type RolloutItem, userText } from '../../src/protocol/index.ts'
import { type Durability, loadRollout, RolloutWriter } from '../../src/rollout/index.ts'
import { type Call, type Fault, FaultyFileSystem } from '../support/faulty-file-system.ts'
import { header, item, textOf, threadIdOf } from '../support/thread-log.ts'

type Step = 'append' | 'append two' | 'flush' | 'close'

const SCRIPT: readonly Step[] = ['append', 'append two', 'flush', 'append', 'append', 'close']
const START = header(threadIdOf(1))

/** Runs the script as a session does: what fails is tried again by the next step, or at the end. */
export class WriterScript {
  readonly files: FaultyFileSystem
  readonly expected: string[] = []
  readonly #path: string
  readonly #level: Durability
  readonly #isOld: boolean

  /** `isOld`: the file is there, and ends in a torn line. */
  constructor(
    path: string,
    level: Durability,
    isOld: boolean,
    plan: FaultyFileSystem['plan'],
    disk: FileSystem = nodeFileSystem,
  ) {
    this.#path = path
    this.#level = level
    this.#isOld = isOld
    this.files = new FaultyFileSystem(plan, disk)
  }

  async perform(): Promise<void> {
    const writer = await this.#open()
    let isClosed = false
    for (const step of SCRIPT) {
      try {
        await this.#do(writer, step)
        isClosed = step === 'close'
      } catch {
        // The next step tries again.
      }
    }
    this.files.plan = () => undefined
    // A failure in the background is told once, to whoever comes next.
    if (!isClosed) await writer.flush().catch(() => writer.flush())
    await writer.close()
    assert.equal(this.files.openCount, 0, 'a descriptor was left open')
    await this.#check()
  }

  async #open(): Promise<RolloutWriter> {
    const { files } = this
    const options = {
      path: this.#path,
      files,
      clock: systemClock,
      durability: this.#level,
      onNotice: (notice: { kind: string }) => {
        assert.equal(notice.kind, 'torn_tail', 'nobody else writes here')
      },
    }
    if (!this.#isOld) return RolloutWriter.create(options, async () => START)
    await mkdir(dirname(this.#path), { recursive: true })
    this.expected.push('old')
    await writeFile(this.#path, `${textOf([START, item(userText('old'))])}{"torn`)
    return RolloutWriter.resume(options).catch(() => RolloutWriter.resume(options))
  }

  async #do(writer: RolloutWriter, step: Step): Promise<void> {
    if (step === 'flush') return writer.flush()
    if (step === 'close') return writer.close()
    const names = step === 'append' ? [this.#name(0)] : [this.#name(0), this.#name(1)]
    this.expected.push(...names)
    return writer.append(names.map((name): RolloutItem => item(userText(name))))
  }

  #name(more: number): string {
    return `item ${this.expected.length + more}`
  }

  async #check(): Promise<void> {
    const { items, damage } = await loadRollout(nodeFileSystem, this.#path)
    const [first, ...rest] = items
    assert.deepEqual(first, START)
    const texts = rest.map((each) =>
      each.type === 'response_item' && each.payload.type === 'message'
        ? messageText(each.payload)
        : each.type,
    )
    assert.deepEqual(texts, this.expected)
    const reasons = damage.map(({ lineNumber, reason }) => `${lineNumber} ${reason}`)
    assert.deepEqual(reasons, this.#isOld ? ['3 is not JSON'] : [])
  }
}

/** Every way in which this call can go wrong. */
export function faultsOf({ method, sizeBytes = 0 }: Call): Fault[] {
  const faults: Fault[] = [
    { kind: 'fail', code: 'ENOSPC' },
    { kind: 'late', code: 'EIO' },
  ]
  if (method !== 'file.write') return faults
  const cuts = [0, 1, 2, Math.floor(sizeBytes / 2), sizeBytes - 1]
  return faults.concat(
    cuts.map((bytes) => ({ kind: 'cut', bytes, code: 'ENOSPC' })),
    cuts.slice(1).map((bytes) => ({ kind: 'cut', bytes })),
  )
}
