import { isAbsolute, resolve } from 'node:path'
import * as z from 'zod'
import { describeJson, type Json } from '../../base/index.ts'

/** Longer ones no system takes. */
const MOST_CHARS = 4096

/** An absolute path, tidied up; faults of the member `name` in the words of 0.133.0. */
export function absolutePath(name = 'path') {
  return z
    .custom<string>((value) => typeof value === 'string', {
      abort: true,
      error: ({ input }) =>
        input === undefined
          ? `missing field \`${name}\``
          : `invalid type: ${describeJson(input as Json)}, expected path string`,
    })
    .refine((path) => isAbsolute(path), {
      abort: true,
      error: 'AbsolutePathBuf deserialized without a base path',
    })
    .refine((path) => path.length <= MOST_CHARS && !path.includes('\0'), {
      abort: true,
      error: `a path has no NUL and at most ${MOST_CHARS} characters`,
    })
    .transform((path) => resolve(path))
}
