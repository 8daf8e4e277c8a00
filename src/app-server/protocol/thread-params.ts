import * as z from 'zod/mini'
import { json, optional, taggedUnion, texts } from './schema.ts'

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
