import { randomUUID } from 'node:crypto'
import { open, realpath, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { errorCode } from '../base/index.ts'

/**
 * Puts a file (0600) in the place of another, whole or not at all. A link stays: what it points to
 * is replaced.
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const target = await realpath(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return path
    throw error
  })
  const made = join(dirname(target), `.${randomUUID()}.tmp`)
  try {
    await using file = await open(made, 'wx', 0o600)
    await file.writeFile(text)
    await file.sync()
    await rename(made, target)
  } catch (error) {
    await rm(made, { force: true })
    throw error
  }
}
