import type { OpenFile } from './file-system.ts'

/**
 * Writes all of the bytes at the end of a file, which may take them in parts. Throws what the
 * file throws, and when it takes none.
 */
export async function writeAll(file: OpenFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const count = await file.write(bytes.subarray(written))
    if (count === 0) throw new Error('the file took no bytes')
    written += count
  }
}
