import { constants } from 'node:os'
import { errorCode, errorText } from '../base/index.ts'
import { RpcError } from './protocol/jsonrpc.ts'

/** As the C library has them; Node has words of its own. */
const WORDS: { readonly [code: string]: string } = {
  EACCES: 'Permission denied',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  EINVAL: 'Invalid argument',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  ENAMETOOLONG: 'File name too long',
  ENOENT: 'No such file or directory',
  ENOSPC: 'No space left on device',
  ENOTDIR: 'Not a directory',
  ENOTEMPTY: 'Directory not empty',
  EPERM: 'Operation not permitted',
  EROFS: 'Read-only file system',
  EXDEV: 'Invalid cross-device link',
}

/** A failed call of the system as 0.133.0 names it: `No such file or directory (os error 2)`. */
export function osErrorText(error: unknown): string {
  const code = errorCode(error) ?? ''
  const words = WORDS[code]
  const number = constants.errno[code as keyof typeof constants.errno]
  return words === undefined ? errorText(error) : `${words} (os error ${number})`
}

/** The failure of a call of the system, as an answer. */
export function osFailure(error: unknown): RpcError {
  if (error instanceof RpcError) return error
  return new RpcError('internal', osErrorText(error), undefined, error)
}
