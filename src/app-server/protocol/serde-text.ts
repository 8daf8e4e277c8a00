import type { core } from 'zod/mini'
import { describeJson, type Json } from '../../base/index.ts'

/** What serde calls the types of our schemas; clients match on these texts. */
const EXPECTED: { readonly [type: string]: string } = {
  string: 'a string',
  boolean: 'a boolean',
  array: 'a sequence',
  object: 'a map',
  record: 'a map',
  int: 'u32',
  number: 'u32',
}

/**
 * The first fault of params in the words of 0.133.0: ``missing field `threadId` ``. `params` is
 * what was sent. Source: `reference/app-server.md` 3.
 */
export function serdeText(issues: readonly core.$ZodIssue[], params: Json | undefined): string {
  const issue = issues[0]
  if (!issue) return 'invalid params'
  const input = valueAt(params, issue.path)
  const name = String(issue.path.at(-1) ?? 'params')
  switch (issue.code) {
    case 'invalid_type':
      return typeText(structOf(issue.message) ?? issue.expected, input, name)
    case 'invalid_value':
      if (input === undefined) return `missing field \`${name}\``
      if (typeof input !== 'string') {
        return `invalid type: ${describe(input)}, expected string or map`
      }
      return variantText(input, issue.values.map(String))
    case 'invalid_union':
      return unionText(issue, input, name, params)
    case 'too_small':
    case 'too_big':
      return `invalid value: ${describe(input)}, expected u32`
    default:
      return issue.message
  }
}

/** What `struct` in `schema.ts` has named. */
function structOf(message: string): string | undefined {
  return message.startsWith('struct ') ? message : undefined
}

function typeText(expected: string, input: Json | undefined, name: string): string {
  if (input === undefined) return `missing field \`${name}\``
  return `invalid type: ${describe(input)}, expected ${EXPECTED[expected] ?? expected}`
}

function unionText(
  issue: core.$ZodIssueInvalidUnion,
  input: Json | undefined,
  name: string,
  params: Json | undefined,
): string {
  if (input === undefined) return `missing field \`${name}\``
  // A tag that is not known: the schema says which are (`taggedUnion`).
  if (issue.errors.length === 0) return issue.message
  // The branch that went deepest says what was meant.
  const deepest = issue.errors
    .map((errors) => errors.map((each) => ({ ...each, path: [...issue.path, ...each.path] })))
    .sort((a, b) => depthOf(b) - depthOf(a))[0]
  return deepest ? serdeText(deepest, params) : issue.message
}

function depthOf(issues: readonly { readonly path: readonly PropertyKey[] }[]): number {
  return Math.max(0, ...issues.map(({ path }) => path.length))
}

/** ``unknown variant `x`, expected `asc` or `desc` ``. */
export function variantText(found: string, known: readonly string[]): string {
  const names = known.map((each) => `\`${each}\``)
  if (names.length === 2) return `unknown variant \`${found}\`, expected ${names.join(' or ')}`
  const choice = names.length === 1 ? names[0] : `one of ${names.join(', ')}`
  return `unknown variant \`${found}\`, expected ${choice}`
}

function describe(value: Json | undefined): string {
  return value === undefined ? 'null' : describeJson(value)
}

function valueAt(value: Json | undefined, path: readonly PropertyKey[]): Json | undefined {
  let at: unknown = value
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined
    at = (at as { [key: PropertyKey]: unknown })[key]
  }
  return at as Json | undefined
}
