import { createHash } from 'node:crypto'
import { type FileSystem, type OpenFile, writeAll } from '../../../base/index.ts'
import { decodeLine } from '../../../rollout/index.ts'
import { FROM_START, scanLines } from './scan-lines.ts'
import { writeNewFile } from './write-files.ts'

/** Text that is held in memory before it is written. */
const BATCH_CHARACTERS = 512 * 1024

/**
 * Writes the lines of a rollout that can be read to a new file, byte for byte and in order, behind
 * `header` when there is one. Bytes that are no UTF-8 become U+FFFD, as every reader shows them.
 */
export async function writeMended(
  files: FileSystem,
  { from, to, header }: { readonly from: string; readonly to: string; readonly header: string },
): Promise<void> {
  const source = await files.openForRead(from)
  try {
    await writeNewFile(files, to, async (file) => {
      await writeAll(file, Buffer.from(header))
      for await (const text of goodLines(source)) await writeAll(file, Buffer.from(text))
    })
  } finally {
    await source.close()
  }
}

async function* goodLines(source: OpenFile): AsyncGenerator<string> {
  let from = FROM_START
  for (;;) {
    let batch = ''
    const next = await scanLines(source, from, (line) => {
      if (line.kind === 'good') batch += `${line.text}\n`
      return batch.length > BATCH_CHARACTERS ? 'stop' : undefined
    })
    yield batch
    if (batch.length <= BATCH_CHARACTERS) return
    from = next
  }
}

/** The items of a rollout, boiled down to what two files with the same items have in common. */
export interface ItemsDigest {
  readonly items: number
  /** Lines that are neither items nor blank. */
  readonly others: number
  readonly digest: string
}

/** Reads the items again, one by one; of the first `skip` of them nothing is told. */
export async function digestItems(
  files: FileSystem,
  path: string,
  skip: number,
): Promise<ItemsDigest> {
  const hash = createHash('sha256')
  let [items, others] = [-skip, 0]
  const file = await files.openForRead(path)
  try {
    await scanLines(file, FROM_START, (line) => {
      if (line.kind === 'bad') others += 1
      if (line.kind !== 'good') return undefined
      items += 1
      if (items <= 0) return undefined
      const decoded = decodeLine(line.text)
      hash.update(`${line.text}\n${decoded.ok ? JSON.stringify(decoded.line) : ''}\n`)
      return undefined
    })
  } finally {
    await file.close()
  }
  return { items, others, digest: hash.digest('hex') }
}
