import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { isObject, nodeFileSystem } from '../base/index.ts'
import {
  type DoctorHelpers,
  type FilesPart,
  inspectFiles,
  type Looked,
} from '../thread-store/index.ts'

/** More would wait for one disk. */
const MOST_HELPERS = 7

/** The command itself, which every form of the package has at the same place. */
const COMMAND = join(import.meta.dirname, '..', '..', 'bin', 'bobbin.cjs')

type Message = { readonly doneBytes: number } | { readonly looks: Looked[] }

/** Threads of this process that take a part of a doctor's work; disposing ends them. */
export class DoctorThreads implements DoctorHelpers, Disposable {
  readonly #workers: Worker[] = []

  get count(): number {
    return Math.min(availableParallelism() - 1, MOST_HELPERS)
  }

  inspect(part: FilesPart, onBytes: (doneBytes: number) => void): Promise<Looked[]> {
    const worker = new Worker(COMMAND, { argv: ['doctor'], workerData: part })
    this.#workers.push(worker)
    return new Promise((resolve, reject) => {
      worker.on('message', (message: Message) => {
        if ('looks' in message) resolve(message.looks)
        else onBytes(message.doneBytes)
      })
      worker.on('error', reject)
      worker.on('exit', () => reject(new Error('the helper ended before its work was done')))
    })
  }

  [Symbol.dispose](): void {
    for (const worker of this.#workers) void worker.terminate()
  }
}

/** True in such a thread, once it has done its part. */
export async function helpDoctor(): Promise<boolean> {
  if (isMainThread || !isObject(workerData) || !Array.isArray(workerData.rollouts)) return false
  const send = (message: Message) => parentPort?.postMessage(message)
  const onBytes = (doneBytes: number) => send({ doneBytes })
  const looks = await inspectFiles(workerData as unknown as FilesPart, {
    files: nodeFileSystem,
    onBytes,
  })
  send({ looks })
  return true
}
