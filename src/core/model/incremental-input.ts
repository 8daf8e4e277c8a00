import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '../../base/index.ts'
import type { ResponseItem } from '../../protocol/index.ts'

/** A response that the server can go on from. */
export interface PreviousResponse {
  readonly id: string
  /** What was asked, without the input. */
  readonly fields: JsonObject
  readonly input: readonly ResponseItem[]
  readonly output: readonly ResponseItem[]
}

/**
 * What of `input` is new since the previous response; undefined when that cannot be gone on from:
 * something else than the input differs, or the input does not begin with all that went before.
 */
export function inputSince(
  previous: PreviousResponse,
  fields: JsonObject,
  input: readonly ResponseItem[],
): readonly ResponseItem[] | undefined {
  const before = [...previous.input, ...previous.output]
  if (before.length > input.length) return undefined
  const isContinued = before.every((item, at) => isDeepStrictEqual(item, input[at]))
  if (!isContinued || !isDeepStrictEqual(previous.fields, fields)) return undefined
  return input.slice(before.length)
}
