import { z } from 'zod'
import { describeJson, isObject, type Json, type JsonObject } from '../../base/index.ts'
import { variantText } from './serde-text.ts'

/** Absent and null mean the same. Source: `reference/app-server.md` 1. */
export function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined)
}

/** An object that 0.133.0 calls by this name to whoever sends something else. */
export function struct<T extends z.ZodRawShape>(name: string, shape: T) {
  return z.object(shape, { error: `struct ${name}` })
}

type Tagged = z.ZodObject<{ type: z.ZodLiteral<string> }>

/** Objects told apart by `type`; an unknown one is complained of as serde does. */
export function taggedUnion<const T extends readonly [Tagged, ...Tagged[]]>(options: T) {
  const known = options.map((option) => option.shape.type.value)
  return z.discriminatedUnion('type', options, {
    error: (issue) => {
      if (issue.code !== 'invalid_union') return undefined
      const tag = isObject(issue.input) ? issue.input.type : undefined
      if (tag === undefined) return 'missing field `type`'
      return typeof tag === 'string'
        ? variantText(tag, known)
        : `invalid type: ${describeJson(tag)}, expected variant identifier`
    },
  })
}

export const json = z.custom<Json>((value) => value !== undefined)
export const jsonObject = z.record(z.string(), json) as unknown as z.ZodType<JsonObject>
export const count = z.int().min(0).max(0xffff_ffff)
export const texts = z.array(z.string())

export const approvalPolicy = z.union([
  z.enum(['untrusted', 'on-failure', 'on-request', 'never']),
  z.object({ granular: z.record(z.string(), z.boolean()) }),
])
export const sandboxMode = z.enum(['read-only', 'workspace-write', 'danger-full-access'])
export const effort = z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh'])
export const reasoningSummary = z.enum(['auto', 'concise', 'detailed', 'none'])

export const sandboxPolicy = taggedUnion([
  z.object({ type: z.literal('dangerFullAccess') }),
  z.object({ type: z.literal('readOnly'), networkAccess: optional(z.boolean()) }),
  z.object({
    type: z.literal('workspaceWrite'),
    writableRoots: optional(texts),
    networkAccess: optional(z.boolean()),
    excludeTmpdirEnvVar: optional(z.boolean()),
    excludeSlashTmp: optional(z.boolean()),
  }),
  z.object({
    type: z.literal('externalSandbox'),
    networkAccess: optional(z.enum(['restricted', 'enabled'])),
  }),
])

export const userInput = taggedUnion([
  z.object({ type: z.literal('text'), text: z.string(), text_elements: optional(z.array(json)) }),
  z.object({ type: z.literal('image'), url: z.string() }),
  z.object({ type: z.literal('localImage'), path: z.string() }),
  z.object({ type: z.literal('skill'), name: z.string(), path: z.string() }),
  z.object({ type: z.literal('mention'), name: z.string(), path: z.string() }),
])

export const collaborationMode = z.object({
  mode: z.enum(['plan', 'default']),
  settings: z.object({
    model: z.string(),
    reasoning_effort: optional(effort),
    developer_instructions: optional(z.string()),
  }),
})

export const reviewTarget = taggedUnion([
  z.object({ type: z.literal('uncommittedChanges') }),
  z.object({ type: z.literal('baseBranch'), branch: z.string() }),
  z.object({ type: z.literal('commit'), sha: z.string(), title: optional(z.string()) }),
  z.object({ type: z.literal('custom'), instructions: z.string() }),
])

export type WireSandboxPolicy = z.output<typeof sandboxPolicy>
export type WireUserInput = z.output<typeof userInput>
export type WireApprovalPolicy = z.output<typeof approvalPolicy>
