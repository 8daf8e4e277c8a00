import { isAbsolute, resolve } from 'node:path'
import * as z from 'zod/mini'
import { describeJson, type Json } from '../../base/index.ts'

/** Longer ones no system takes. */
const MOST_CHARS = 4096

/** An absolute path, tidied up; faults of the member `name` in the words of 0.133.0. */
export function absolutePath(name = 'path') {
  const text = z.custom<string>((value) => typeof value === 'string', {
    abort: true,
    error: ({ input }) =>
      input === undefined
        ? `missing field \`${name}\``
        : `invalid type: ${describeJson(input as Json)}, expected path string`,
  })
  const isPath = z.refine<string>((path) => isAbsolute(path), {
    abort: true,
    error: 'AbsolutePathBuf deserialized without a base path',
  })
  const isUsable = z.refine<string>((path) => path.length <= MOST_CHARS && !path.includes('\0'), {
    abort: true,
    error: `a path has no NUL and at most ${MOST_CHARS} characters`,
  })
  return z.pipe(
    text.check(isPath, isUsable),
    z.transform((path: string) => resolve(path)),
  )
}
