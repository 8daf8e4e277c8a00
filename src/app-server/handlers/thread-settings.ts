import { resolve } from 'node:path'
import { z } from 'zod'
import { isObject, type Json, type JsonObject } from '../../base/index.ts'
import { type Config, requireProvider } from '../../config/index.ts'
import { DEFAULT_MODEL, type SessionSettings } from '../../core/index.ts'
import type { SandboxMode, SandboxPolicy } from '../../protocol/index.ts'
import { profileMode } from '../projection/settings.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { approvalPolicy, jsonObject, optional, sandboxMode } from '../protocol/schema.ts'
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
  const settings: SessionSettings = {
    cwd: folder,
    model: params.model ?? config.model ?? DEFAULT_MODEL,
    modelProvider,
    webSearch: config.webSearch,
    approvalPolicy: params.approvalPolicy ?? config.approvalPolicy ?? 'on-request',
    sandboxPolicy: sandboxFor(config, modeFor(config, params, folder)),
    ...defined({
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

function modeFor(config: Config, params: SettingOverrides, cwd: string): SandboxMode {
  if (params.sandbox) return params.sandbox
  if (params.permissions !== undefined) return modeOfProfile(params.permissions)
  const ofFolder = config.trustedFolders.includes(cwd) ? 'workspace-write' : 'read-only'
  return config.sandboxMode ?? ofFolder
}

/** Throws for an id that is no built-in profile: a home's own are not supported yet. */
export function modeOfProfile(id: string): SandboxMode {
  const mode = profileMode(id)
  if (mode) return mode
  const reason = 'default_permissions requires a `[permissions]` table'
  throw invalid(`failed to load configuration: ${reason}`)
}

export function sandboxFor(config: Config, mode: SandboxMode): SandboxPolicy {
  return config.sandboxPolicies(mode, [])
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
