import * as fs from 'node:fs/promises'
import { dirname } from 'node:path'
import { errorCode } from '../../../base/index.ts'
import { systemErrorText } from '../../system-error.ts'
import { PatchError } from './patch-error.ts'

/** The file calls of a patch. Paths are absolute. */
export interface PatchFiles {
  /** The whole text, a byte order mark included. Throws a `PatchError` saying why it cannot. */
  readText(path: string): Promise<string>
  /** Makes missing folders. Writes into the file that is there, so that its mode stays. */
  write(path: string, text: string): Promise<void>
  remove(path: string): Promise<void>
}

export const nodePatchFiles: PatchFiles = {
  async readText(path) {
    try {
      return decodeUtf8(await fs.readFile(path))
    } catch (error) {
      if (error instanceof PatchError) throw error
      throw new PatchError(systemErrorText(error), { cause: error })
    }
  },

  async write(path, text) {
    try {
      await fs.writeFile(path, text)
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error
      await fs.mkdir(dirname(path), { recursive: true })
      await fs.writeFile(path, text)
    }
  },

  remove: (path) => fs.unlink(path),
}

/** Refuses what is not UTF-8: written back, it would have turned into replacement characters. */
function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new PatchError(utf8FaultText(bytes))
  }
}

function utf8FaultText(bytes: Uint8Array): string {
  let at = 0
  const isPrefix = (length: number): boolean => {
    try {
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      return decoder.decode(bytes.subarray(at, at + length), { stream: true }) === ''
    } catch {
      return false
    }
  }
  at = validLength(bytes)
  let length = 1
  while (length < 3 && at + length < bytes.length && isPrefix(length + 1)) length += 1
  return isPrefix(length) && at + length === bytes.length
    ? `incomplete utf-8 byte sequence from index ${at}`
    : `invalid utf-8 sequence of ${length} bytes from index ${at}`
}

/** Length of the longest valid prefix: where decoding first puts a character that is not there. */
function validLength(bytes: Uint8Array): number {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  const encoded = new TextEncoder().encode(text)
  return encoded.findIndex((byte, index) => byte !== bytes[index])
}
