import * as z from 'zod/mini'
import { isObject, type Json, type JsonObject } from '../../base/index.ts'
import {
  type ConfigEdit,
  ConfigError,
  ConfigWriteError,
  configVersion,
  readUserConfig,
  userConfigPath,
  withProfile,
  writeUserConfig,
} from '../../config/index.ts'
import { invalid, RpcError } from '../protocol/jsonrpc.ts'
import { method, plainMethod } from '../protocol/method.ts'
import { optional } from '../protocol/schema.ts'
import { type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'

const queueKey = () => 'config'
const configRead = method(
  'config/read',
  () => z.object({ includeLayers: optional(z.boolean()), cwd: optional(z.string()) }),
  { queueKey },
)
const edit = z.object({
  keyPath: z.string(),
  value: z.custom<Json>((value) => value !== undefined, { error: 'missing field `value`' }),
  mergeStrategy: z.enum(['replace', 'upsert']),
})
const target = { filePath: optional(z.string()), expectedVersion: optional(z.string()) }
const valueWrite = method('config/value/write', () => z.extend(edit, target), { queueKey })
const batchWrite = method(
  'config/batchWrite',
  () => z.object({ edits: z.array(edit), ...target, reloadUserConfig: optional(z.boolean()) }),
  { queueKey },
)
const requirements = plainMethod('configRequirements/read', { queueKey })

/** Members that the protocol has of its own, also where the configuration is silent. */
const MEMBERS = `model review_model model_context_window model_auto_compact_token_limit
  model_auto_compact_token_limit_scope model_provider approval_policy approvals_reviewer
  sandbox_mode sandbox_workspace_write forced_chatgpt_workspace_id forced_login_method web_search
  tools profile instructions developer_instructions compact_prompt model_reasoning_effort
  model_reasoning_summary model_verbosity service_tier analytics apps desktop`.split(/\s+/)

/** The home's `config.toml`; Bobbin knows no other layer. Source: `app-server.md` 18.1, 18.2. */
export function configRoutes(context: ServerContext): Route[] {
  const { home, environment = process.env } = context
  const write = async (
    edits: readonly ConfigEdit[],
    filePath: string | undefined,
    expectedVersion: string | undefined,
  ): Promise<JsonObject> => {
    try {
      const params = { home, environment, edits, filePath, expectedVersion }
      const version = await writeUserConfig(params)
      return { status: 'ok', version, filePath: userConfigPath(home), overriddenMetadata: null }
    } catch (error) {
      throw toWriteFailure(error)
    }
  }
  return [
    route(configRead, ({ includeLayers }) => read(home, includeLayers ?? false)),
    route(valueWrite, ({ filePath, expectedVersion, ...one }) => {
      return write([one], filePath, expectedVersion)
    }),
    // Every thread reads the configuration when it starts: there is nothing to be reloaded.
    route(batchWrite, ({ edits, filePath, expectedVersion }) => {
      return write(edits, filePath, expectedVersion)
    }),
    route(requirements, async () => ({ requirements: null })),
  ]
}

async function read(home: string, hasLayers: boolean): Promise<JsonObject> {
  let file: JsonObject
  let effective: JsonObject
  try {
    file = await readUserConfig(home)
    effective = withProfile(home, file)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const message = `failed to read configuration layers: ${error.message}`
    throw new RpcError('internal', message, undefined, error)
  }
  const name = { type: 'user', file: userConfigPath(home), profile: null }
  const version = configVersion(file)
  const nothing = Object.fromEntries(MEMBERS.map((member) => [member, null]))
  const origins = leavesOf(effective, []).map((path) => [path, { name, version }] as const)
  return {
    config: { ...nothing, profiles: {}, ...plain(effective) },
    origins: Object.fromEntries(origins),
    ...(hasLayers ? { layers: [{ name, version, config: plain(file) }] } : {}),
  }
}

/** Dotted names of everything that is set; entries of lists go by their number. */
function leavesOf(value: Json | undefined, path: readonly string[]): string[] {
  const below = Array.isArray(value) || isPlainObject(value) ? Object.entries(value) : undefined
  if (!below) return [path.join('.')]
  return below.flatMap(([key, each]) => leavesOf(each as Json, [...path, key]))
}

/** TOML's dates are objects as well. */
function isPlainObject(value: Json | undefined): value is JsonObject {
  return isObject(value) && !((value as unknown) instanceof Date)
}

function plain(table: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(table)) as JsonObject
}

/** Why `config.toml` was not written, for the client. */
export function toWriteFailure(error: unknown): unknown {
  if (error instanceof ConfigWriteError) {
    return invalid(error.message, { config_write_error_code: error.code })
  }
  if (!(error instanceof ConfigError)) return error
  const message = `failed to load configuration: ${error.message}`
  return new RpcError('internal', message, undefined, error)
}
