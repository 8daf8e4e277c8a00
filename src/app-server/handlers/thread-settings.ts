import { resolve } from 'node:path'
import * as z from 'zod/mini'
import { isObject, type Json, type JsonObject } from '../../base/index.ts'
import { type Config, requireProvider, trustLevel } from '../../config/index.ts'
import { DEFAULT_MODEL, type SessionSettings } from '../../core/index.ts'
import type { SandboxPolicy } from '../../protocol/index.ts'
import { profilePolicy } from '../projection/settings.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { jsonObject, optional } from '../protocol/schema.ts'
import { approvalPolicy, sandboxMode } from '../protocol/thread-params.ts'
import type { ServerContext } from '../server-context.ts'

/** What start, resume and fork take to override the configuration. */
export const settingOverrides = {
  model: optional(z.string()),
  modelProvider: optional(z.string()),
  serviceTier: optional(z.string()),
  cwd: optional(z.string()),
  runtimeWorkspaceRoots: optional(z.array(z.string())),
  approvalPolicy: optional(approvalPolicy),
  approvalsReviewer: optional(z.enum(['user', 'auto_review', 'guardian_subagent'])),
  sandbox: optional(sandboxMode),
  permissions: optional(z.string()),
  config: optional(jsonObject),
  baseInstructions: optional(z.string()),
  developerInstructions: optional(z.string()),
  personality: optional(z.enum(['none', 'friendly', 'pragmatic'])),
}

const overrides = z.object(settingOverrides)
export type SettingOverrides = z.output<typeof overrides>

/** What is in force for a thread: the configuration, under what the call says. */
export function settingsFor(
  context: ServerContext,
  params: SettingOverrides,
  cwd = context.cwd,
): { readonly settings: SessionSettings; readonly config: Config } {
  if (params.permissions !== undefined && params.sandbox !== undefined) {
    throw invalid('`permissions` cannot be combined with `sandbox`')
  }
  const config = context.loadConfig(configOverrides(params.config ?? {}))
  const modelProvider = params.modelProvider ?? config.modelProvider
  if (!config.providers.has(modelProvider)) {
    throw invalid(`failed to load configuration: Model provider \`${modelProvider}\` not found`)
  }
  requireProvider(config.providers, modelProvider)
  const folder = params.cwd === undefined ? cwd || context.cwd : resolve(context.cwd, params.cwd)
  const { sandboxPolicy, permissionProfile } = permissionsFor(config, params, folder)
  const settings: SessionSettings = {
    cwd: folder,
    model: params.model ?? config.model ?? DEFAULT_MODEL,
    modelProvider,
    webSearch: config.webSearch,
    approvalPolicy: params.approvalPolicy ?? config.approvalPolicy ?? approvalsFor(config, folder),
    sandboxPolicy,
    ...defined({
      permissionProfile,
      effort: config.effort,
      reasoningSummary: config.reasoningSummary,
      verbosity: config.verbosity,
      contextWindow: config.contextWindow,
      autoCompactTokens: config.autoCompactTokens,
      developerInstructions: params.developerInstructions ?? config.developerInstructions,
    }),
  }
  return { settings, config }
}

/**
 * What a thread or a command may do. Where nobody has named it, the folder decides: one that a
 * person has judged, in whatever way, may be written. A mode that somebody has named has no
 * profile. Source: observed, 0.133.0.
 */
export function permissionsFor(
  config: Config,
  { sandbox, permissions }: Partial<Pick<SettingOverrides, 'sandbox' | 'permissions'>>,
  cwd: string,
): { readonly sandboxPolicy: SandboxPolicy; readonly permissionProfile?: string } {
  if (permissions !== undefined) {
    return { sandboxPolicy: policyOfProfile(permissions), permissionProfile: permissions }
  }
  const named = sandbox ?? config.sandboxMode
  if (named) return { sandboxPolicy: config.sandboxPolicies(named, []) }
  const [mode, permissionProfile] =
    trustLevel(config, cwd) === undefined
      ? (['read-only', ':read-only'] as const)
      : (['workspace-write', ':workspace'] as const)
  return { sandboxPolicy: config.sandboxPolicies(mode, []), permissionProfile }
}

/** In a folder that is not trusted commands ask. */
function approvalsFor(config: Config, cwd: string): 'untrusted' | 'on-request' {
  return trustLevel(config, cwd) === 'untrusted' ? 'untrusted' : 'on-request'
}

/** Throws for an id that is no built-in profile: a home's own are not supported yet. */
export function policyOfProfile(id: string): SandboxPolicy {
  const policy = profilePolicy(id)
  if (policy) return policy
  const reason = 'default_permissions requires a `[permissions]` table'
  throw invalid(`failed to load configuration: ${reason}`)
}

/** `{"features": {"goals": true}}` and `{"features.goals": true}` as `-c` takes them. */
export function configOverrides(config: JsonObject, prefix = ''): string[] {
  return Object.entries(config).flatMap(([key, value]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`
    if (value === undefined || value === null) return []
    return isObject(value) ? configOverrides(value, path) : [`${path}=${tomlText(value)}`]
  })
}

/** Texts, numbers, truths and lists of them are written alike in JSON and TOML. */
function tomlText(value: Json): string {
  return JSON.stringify(value)
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function defined<T extends object>(fields: T): Defined<T> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as Defined<T>
}
