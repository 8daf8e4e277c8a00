import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode, isObject } from '../base/index.ts'
import type { ConfigValues } from './config-values.ts'
import { ConfigError } from './errors.ts'

/** A model provider as configured; its key is looked up when it is used. */
export interface ProviderConfig {
  readonly id: string
  readonly name: string
  readonly baseUrl: string
  /** Environment variable with the key. */
  readonly envKey: string | undefined
  readonly envKeyInstructions: string | undefined
  readonly bearerToken: string | undefined
  /** Takes the key of the home's login, or `OPENAI_API_KEY`. */
  readonly usesOpenAiKey: boolean
  readonly headers: { readonly [name: string]: string }
  readonly queryParams: { readonly [name: string]: string }
  readonly requestMaxRetries: number
  readonly streamMaxRetries: number
  readonly streamIdleTimeoutMs: number
  readonly supportsWebsockets: boolean
  readonly websocketConnectTimeoutMs: number
}

/** Source: defaults of 0.133.0; `reference/session-runtime.md` C7. */
const MOST_RETRIES = 100
const REQUEST_MAX_RETRIES = 4
const STREAM_MAX_RETRIES = 5
const STREAM_IDLE_TIMEOUT_MS = 300_000
const WEBSOCKET_CONNECT_TIMEOUT_MS = 15_000

/** The longest time that a timer can count. */
const MOST_TIMER_MS = 2 ** 31 - 1

const OPENAI_URL = 'https://api.openai.com/v1'

/** The built-in providers and those of `[model_providers]`, by id. */
export function readProviders(
  values: ConfigValues,
  environment: NodeJS.ProcessEnv,
): ReadonlyMap<string, ProviderConfig> {
  const openAiUrl = values.text('openai_base_url') ?? environment.OPENAI_BASE_URL ?? OPENAI_URL
  const providers = new Map<string, ProviderConfig>()
  const builtIn: [id: string, name: string, url: string][] = [
    ['openai', 'OpenAI', openAiUrl],
    ['ollama', 'Ollama on this machine', 'http://localhost:11434/v1'],
    ['lmstudio', 'LM Studio on this machine', 'http://localhost:1234/v1'],
  ]
  for (const [id, name, baseUrl] of builtIn) providers.set(id, plainProvider(id, name, baseUrl))
  const configured = values.table('model_providers')
  for (const id of configured.keys()) {
    providers.set(id, readProvider(id, configured.table(id), environment))
  }
  return providers
}

function plainProvider(id: string, name: string, baseUrl: string): ProviderConfig {
  return {
    id,
    name,
    baseUrl: withoutTrailingSlash(baseUrl),
    envKey: undefined,
    envKeyInstructions: undefined,
    bearerToken: undefined,
    usesOpenAiKey: id === 'openai',
    headers: {},
    queryParams: {},
    requestMaxRetries: REQUEST_MAX_RETRIES,
    streamMaxRetries: STREAM_MAX_RETRIES,
    streamIdleTimeoutMs: STREAM_IDLE_TIMEOUT_MS,
    supportsWebsockets: false,
    websocketConnectTimeoutMs: WEBSOCKET_CONNECT_TIMEOUT_MS,
  }
}

function readProvider(
  id: string,
  table: ConfigValues,
  environment: NodeJS.ProcessEnv,
): ProviderConfig {
  const wireApi = table.text('wire_api') ?? 'responses'
  if (wireApi !== 'responses') {
    throw table.invalid('wire_api', `is "${wireApi}", but only "responses" is spoken`)
  }
  const baseUrl = table.text('base_url') ?? OPENAI_URL
  if (!URL.canParse(baseUrl)) throw table.invalid('base_url', `is no URL: ${baseUrl}`)
  return {
    ...plainProvider(id, table.text('name') ?? id, baseUrl),
    envKey: table.text('env_key'),
    envKeyInstructions: table.text('env_key_instructions'),
    bearerToken: table.text('experimental_bearer_token'),
    usesOpenAiKey: table.flag('requires_openai_auth') ?? false,
    headers: {
      ...table.textTable('http_headers'),
      ...fromEnvironment(table.textTable('env_http_headers') ?? {}, environment),
    },
    queryParams: table.textTable('query_params') ?? {},
    requestMaxRetries: table.count('request_max_retries', MOST_RETRIES) ?? REQUEST_MAX_RETRIES,
    streamMaxRetries: table.count('stream_max_retries', MOST_RETRIES) ?? STREAM_MAX_RETRIES,
    streamIdleTimeoutMs: table.count('stream_idle_timeout_ms') ?? STREAM_IDLE_TIMEOUT_MS,
    supportsWebsockets: table.flag('supports_websockets') ?? false,
    websocketConnectTimeoutMs:
      table.count('websocket_connect_timeout_ms', MOST_TIMER_MS) ?? WEBSOCKET_CONNECT_TIMEOUT_MS,
  }
}

function withoutTrailingSlash(url: string): string {
  return url.replace(/\/+$/, '')
}

/** Header names to values, for those whose variable is set. */
function fromEnvironment(
  names: { readonly [header: string]: string },
  environment: NodeJS.ProcessEnv,
): { [header: string]: string } {
  const headers: { [header: string]: string } = {}
  for (const [header, variable] of Object.entries(names)) {
    const value = environment[variable]
    if (value) headers[header] = value
  }
  return headers
}

/** Throws `unknown_provider`, with the ones there are. */
export function requireProvider(
  providers: ReadonlyMap<string, ProviderConfig>,
  id: string,
): ProviderConfig {
  const provider = providers.get(id)
  if (provider) return provider
  const known = [...providers.keys()].join(', ')
  throw new ConfigError(
    'unknown_provider',
    `unknown model provider \`${id}\``,
    `add [model_providers.${id}] with a base_url to config.toml, or use one of: ${known}`,
  )
}

/**
 * The bearer token for a provider; undefined for one that needs none. Throws `missing_key`, naming
 * the variable to set.
 */
export function requireToken(
  provider: ProviderConfig,
  home: string,
  environment: NodeJS.ProcessEnv,
): string | undefined {
  if (provider.bearerToken) return provider.bearerToken
  if (provider.envKey) {
    const value = environment[provider.envKey]?.trim()
    if (value) return value
    throw new ConfigError(
      'missing_key',
      `no key for model provider \`${provider.id}\`: the variable ${provider.envKey} is not set`,
      provider.envKeyInstructions ?? `export ${provider.envKey}=… and try again`,
    )
  }
  if (!provider.usesOpenAiKey) return undefined
  const key =
    environment.CODEX_API_KEY?.trim() || environment.OPENAI_API_KEY?.trim() || loginKey(home)
  if (key) return key
  throw new ConfigError(
    'missing_key',
    `no key for model provider \`${provider.id}\`: OPENAI_API_KEY is not set`,
    'export OPENAI_API_KEY=…, or set model_provider in config.toml to one that needs no key',
  )
}

/** The API key that `codex login` kept in the home. */
function loginKey(home: string): string | undefined {
  try {
    const login: unknown = JSON.parse(readFileSync(join(home, 'auth.json'), 'utf8'))
    return isObject(login) && typeof login.OPENAI_API_KEY === 'string'
      ? login.OPENAI_API_KEY
      : undefined
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}
