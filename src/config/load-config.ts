import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import { errorCode, errorText, isObject, type Json, type JsonObject } from '../base/index.ts'
import {
  APPROVAL_POLICIES,
  type ApprovalPolicy,
  SANDBOX_MODES,
  type SandboxMode,
  type SandboxPolicy,
} from '../protocol/index.ts'
import { ConfigValues } from './config-values.ts'
import { ConfigError } from './errors.ts'
import { type McpServerConfig, readMcpServers } from './mcp-servers.ts'
import { type ProviderConfig, readProviders } from './providers.ts'

export const CONFIG_FILE = 'config.toml'

/** What a home's `config.toml`, a profile and `-c` overrides add up to. */
export interface Config {
  readonly home: string
  readonly model: string | undefined
  /** Whether `-c model=` was given for this run, which outranks what a thread used last. */
  readonly isModelOverridden: boolean
  readonly modelProvider: string
  readonly isModelProviderOverridden: boolean
  readonly providers: ReadonlyMap<string, ProviderConfig>
  readonly mcpServers: readonly McpServerConfig[]
  readonly approvalPolicy: ApprovalPolicy | undefined
  readonly sandboxMode: SandboxMode | undefined
  readonly sandboxPolicies: (mode: SandboxMode, extraRoots: readonly string[]) => SandboxPolicy
  readonly effort: string | undefined
  readonly isEffortOverridden: boolean
  readonly reasoningSummary: string | undefined
  readonly verbosity: string | undefined
  readonly contextWindow: number | undefined
  readonly autoCompactTokens: number | undefined
  readonly developerInstructions: string | undefined
  readonly webSearch: 'disabled' | 'cached' | 'live'
  readonly durability: 'process' | 'turn' | 'power'
  /** Folders that the user has marked `trust_level = "trusted"`. */
  readonly trustedFolders: readonly string[]
  /** Those marked `untrusted`: commands there ask first. */
  readonly untrustedFolders: readonly string[]
}

export interface LoadConfig {
  readonly home: string
  readonly environment: NodeJS.ProcessEnv
  /** `key=value` texts: a dotted key, and a TOML value or else plain text. */
  readonly overrides: readonly string[]
  readonly profile?: string
  /** Leaves `config.toml` unread. */
  readonly ignoreFile?: boolean
  /** Stands for what `config.toml` says. */
  readonly file?: JsonObject
}

const DEFAULT_PROVIDER = 'openai'

/** Throws `ConfigError`. Keys that Bobbin does not know are left alone. */
export function loadConfig(params: LoadConfig): Config {
  const path = join(params.home, CONFIG_FILE)
  const file = params.file ?? (params.ignoreFile ? {} : readToml(path))
  const overrides = parseOverrides(params.overrides)
  const profileName = params.profile ?? asText(overrides.profile) ?? asText(file.profile)
  const profile = profileName === undefined ? {} : profileTable(file, profileName, path)
  const table = merge(merge(file, profile), overrides)
  const values = new ConfigValues(table, {
    name: params.overrides.length > 0 ? `${path} and -c` : path,
    path,
  })
  return {
    home: params.home,
    model: values.text('model'),
    isModelOverridden: overrides.model !== undefined,
    modelProvider: values.text('model_provider') ?? DEFAULT_PROVIDER,
    isModelProviderOverridden: overrides.model_provider !== undefined,
    providers: readProviders(values, params.environment),
    mcpServers: readMcpServers(values),
    approvalPolicy: approvalPolicy(values),
    sandboxMode: values.oneOf('sandbox_mode', SANDBOX_MODES),
    sandboxPolicies: sandboxPolicies(values.table('sandbox_workspace_write')),
    effort: values.text('model_reasoning_effort'),
    isEffortOverridden: overrides.model_reasoning_effort !== undefined,
    reasoningSummary: values.text('model_reasoning_summary'),
    verbosity: values.text('model_verbosity'),
    contextWindow: values.count('model_context_window'),
    autoCompactTokens: values.count('model_auto_compact_token_limit'),
    developerInstructions: values.text('developer_instructions'),
    webSearch: values.oneOf('web_search', ['disabled', 'cached', 'live']) ?? 'cached',
    durability: values.table('bobbin').oneOf('durability', ['process', 'turn', 'power']) ?? 'turn',
    trustedFolders: foldersOf(values.table('projects'), 'trusted'),
    untrustedFolders: foldersOf(values.table('projects'), 'untrusted'),
  }
}

/** Empty when there is no such file. Throws `ConfigError`. */
export function readToml(path: string): JsonObject {
  try {
    return parse(readFileSync(path, 'utf8')) as JsonObject
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') return {}
    if (error instanceof TomlError) {
      const what = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? ''
      const message = `${path}:${error.line}:${error.column}: not valid TOML: ${what}`
      const place = { path, line: error.line, column: error.column }
      throw new ConfigError('invalid_config', message, 'correct that line', { cause: error, place })
    }
    const message = `cannot read ${path}: ${errorText(error)}`
    throw new ConfigError('home_unreadable', message, 'mend its permissions', { cause: error })
  }
}

function asText(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function profileTable(file: JsonObject, name: string, path: string): JsonObject {
  const profiles = isObject(file.profiles) ? file.profiles : {}
  const profile = profiles[name]
  if (isObject(profile)) return profile
  const known = Object.keys(profiles).join(', ') || 'none'
  const message = `no profile \`${name}\` in ${path}`
  throw new ConfigError('invalid_config', message, `profiles there: ${known}`)
}

function parseOverrides(texts: readonly string[]): JsonObject {
  let table: JsonObject = {}
  for (const text of texts) {
    const at = text.indexOf('=')
    const key = text.slice(0, at).trim()
    if (at === -1 || key === '') {
      const message = `-c ${text}: not of the form key=value`
      throw new ConfigError('invalid_config', message, 'for example: -c model=gpt-5.4')
    }
    table = merge(table, nested(key.split('.'), overrideValue(text.slice(at + 1))))
  }
  return table
}

/** A TOML value, or the text as it stands: `-c model=gpt-5.4` needs no quotes. */
function overrideValue(text: string): Json {
  try {
    const { value } = parse(`value = ${text}`) as { value: Json }
    return value
  } catch {
    return text.trim().replace(/^["']|["']$/g, '')
  }
}

function nested(keys: readonly string[], value: Json): JsonObject {
  const [first = '', ...rest] = keys
  return { [first]: rest.length === 0 ? value : nested(rest, value) }
}

/** `over` wins; tables are merged key by key. */
export function merge(under: JsonObject, over: JsonObject): JsonObject {
  const merged: JsonObject = { ...under }
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key]
    merged[key] = isObject(below) && isObject(value) ? merge(below, value) : value
  }
  return merged
}

function approvalPolicy(values: ConfigValues): ApprovalPolicy | undefined {
  const raw = values.raw('approval_policy')
  return isObject(raw) ? raw : values.oneOf('approval_policy', APPROVAL_POLICIES)
}

function sandboxPolicies(workspace: ConfigValues): Config['sandboxPolicies'] {
  const roots = (workspace.texts('writable_roots') ?? []).map((root) => resolve(root))
  const network_access = workspace.flag('network_access') ?? false
  const exclude_tmpdir_env_var = workspace.flag('exclude_tmpdir_env_var') ?? false
  const exclude_slash_tmp = workspace.flag('exclude_slash_tmp') ?? false
  return (mode, extraRoots) => {
    if (mode !== 'workspace-write') return { type: mode }
    const writable_roots = [...roots, ...extraRoots]
    return {
      type: mode,
      ...(writable_roots.length > 0 ? { writable_roots } : {}),
      network_access,
      exclude_tmpdir_env_var,
      exclude_slash_tmp,
    }
  }
}

function foldersOf(projects: ConfigValues, level: 'trusted' | 'untrusted'): string[] {
  return projects.keys().filter((folder) => projects.table(folder).text('trust_level') === level)
}
