import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { systemErrorText } from '../system-error.ts'

/** Larger pictures are refused: they would be sent again with every request. */
const IMAGE_MAX_BYTES = 10 * 1024 * 1024

export type ImageFailure =
  /** There is nothing that could be looked at. */
  | 'missing'
  | 'not_a_file'
  | 'too_large'
  | 'unreadable'
  /** Its bytes are of no kind that models take. */
  | 'unsupported'

/** Why a file cannot be shown to the model; the message is a reason without the path. */
export class ImageFileError extends Error {
  override readonly name = 'ImageFileError'
  readonly failure: ImageFailure

  constructor(failure: ImageFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.failure = failure
  }
}

/** A picture as a data URL, by what its bytes are, whatever its name. Throws `ImageFileError`. */
export async function readImageFile(path: string): Promise<string> {
  // Looked at first: opening a pipe would wait for ever.
  const facts = await stat(path).catch((error: unknown) => {
    throw new ImageFileError('missing', systemErrorText(error), error)
  })
  if (facts.isDirectory()) throw new ImageFileError('not_a_file', 'Is a directory (os error 21)')
  if (!facts.isFile()) throw new ImageFileError('not_a_file', 'not a file')
  const bytes = await readBounded(path).catch((error: unknown) => {
    if (error instanceof ImageFileError) throw error
    throw new ImageFileError('unreadable', systemErrorText(error), error)
  })
  const mediaType = mediaTypeOf(bytes)
  if (mediaType) return `data:${mediaType};base64,${bytes.toString('base64')}`
  throw new ImageFileError('unsupported', `unsupported image \`${typeByName(path)}\``)
}

/** The file may have become another meanwhile, or grow: what is opened is looked at again. */
async function readBounded(path: string): Promise<Buffer> {
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const facts = await file.stat()
  if (!facts.isFile()) throw new ImageFileError('not_a_file', 'not a file')
  if (facts.size > IMAGE_MAX_BYTES) throw new ImageFileError('too_large', 'larger than 10 MiB')
  const bytes = Buffer.alloc(facts.size)
  let filled = 0
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

function mediaTypeOf(bytes: Buffer): string | undefined {
  const start = bytes.toString('latin1', 0, 12)
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png'
  if (start.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (start.startsWith('GIF87a') || start.startsWith('GIF89a')) return 'image/gif'
  if (start.startsWith('RIFF') && start.endsWith('WEBP')) return 'image/webp'
  return undefined
}

const TYPES_BY_NAME: { readonly [extension: string]: string } = {
  '.avif': 'image/avif',
  '.bmp': 'image/bmp',
  '.gif': 'image/gif',
  '.heic': 'image/heic',
  '.htm': 'text/html',
  '.html': 'text/html',
  '.ico': 'image/x-icon',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.md': 'text/markdown',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.tif': 'image/tiff',
  '.tiff': 'image/tiff',
  '.txt': 'text/plain',
  '.webp': 'image/webp',
}

/** What a refused file claims to be. */
function typeByName(path: string): string {
  return TYPES_BY_NAME[extname(path).toLowerCase()] ?? 'unknown'
}
