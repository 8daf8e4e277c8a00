import { errorCode, errorText } from '../base/index.ts'

export const NO_SUCH_FILE = 'No such file or directory (os error 2)'

const SYSTEM_ERRORS: { readonly [code: string]: string } = {
  ENOENT: NO_SUCH_FILE,
  EPERM: 'Operation not permitted (os error 1)',
  EACCES: 'Permission denied (os error 13)',
  ENOTDIR: 'Not a directory (os error 20)',
  EISDIR: 'Is a directory (os error 21)',
}

/** Why a file call failed, in the words that Codex gives to the model. */
export function systemErrorText(error: unknown): string {
  return SYSTEM_ERRORS[errorCode(error) ?? ''] ?? errorText(error)
}
