import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { errorCode, isDeeperThan, isObject, type Json, type JsonObject } from '../base/index.ts'
import { ConfigError } from './errors.ts'
import { CONFIG_FILE, loadConfig, merge, profileTable, readToml } from './load-config.ts'
import { replaceFile } from './replace-file.ts'
import { editToml, type TomlEdit, TomlEditError } from './toml-edit.ts'

export type ConfigWriteFailure =
  | 'configValidationError'
  | 'configVersionConflict'
  | 'configLayerReadonly'

/** Why a value was not written; nothing has changed then. */
export class ConfigWriteError extends Error {
  override readonly name = 'ConfigWriteError'
  readonly code: ConfigWriteFailure

  constructor(code: ConfigWriteFailure, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

export interface ConfigEdit {
  /** `features.goals`, `projects."/a.b".trust_level` */
  readonly keyPath: string
  /** Null takes the value away. */
  readonly value: Json
  readonly mergeStrategy: 'replace' | 'upsert'
}

export interface ChangeUserConfig {
  readonly home: string
  readonly environment: NodeJS.ProcessEnv
}

export interface ConfigWrite extends ChangeUserConfig {
  readonly edits: readonly ConfigEdit[]
  readonly filePath?: string | undefined
  readonly expectedVersion?: string | undefined
}

const MOST_EDITS = 1000
const MOST_DEPTH = 64
const MOST_BYTES = 4 * 1024 * 1024

export function userConfigPath(home: string): string {
  return join(home, CONFIG_FILE)
}

/** What the home's `config.toml` says. Throws `ConfigError`. */
export async function readUserConfig(home: string): Promise<JsonObject> {
  return readToml(userConfigPath(home))
}

/** What is in force of it: its profile, where it names one, is merged in. Throws `ConfigError`. */
export function withProfile(home: string, file: JsonObject): JsonObject {
  if (typeof file.profile !== 'string') return file
  return merge(file, profileTable(file, file.profile, userConfigPath(home)))
}

/** Of what a file says, not of how it is written. Source: observed, 0.133.0. */
export function configVersion(table: JsonObject): string {
  return `sha256:${createHash('sha256').update(canonicalJson(table)).digest('hex')}`
}

/**
 * Changes `config.toml` and nothing else in it; the file becomes 0600 and is replaced as a whole.
 * Answers the new version. Throws `ConfigWriteError`, `ConfigError`.
 */
export async function writeUserConfig(params: ConfigWrite): Promise<string> {
  const { home, edits, filePath, expectedVersion } = params
  const path = userConfigPath(home)
  if (filePath !== undefined && filePath !== path) {
    throw new ConfigWriteError('configLayerReadonly', 'Only writes to the user config are allowed')
  }
  if (edits.length > MOST_EDITS) {
    throw new ConfigWriteError('configValidationError', `too many edits: limit is ${MOST_EDITS}`)
  }
  if (expectedVersion !== undefined && expectedVersion !== configVersion(readToml(path))) {
    const message = 'Configuration was modified since last read. Fetch latest version and retry.'
    throw new ConfigWriteError('configVersionConflict', message)
  }
  return await changeUserConfig(params, (text) => {
    return edits.reduce((result, edit) => applied(result, edit), text)
  })
}

/** Changes the text of `config.toml` as `writeUserConfig` does. */
export async function changeUserConfig(
  { home, environment }: ChangeUserConfig,
  change: (text: string) => string,
): Promise<string> {
  const path = userConfigPath(home)
  const before = readToml(path)
  const text = await readText(path)
  const edited = change(text)
  if (edited === text) return configVersion(before)
  if (Buffer.byteLength(edited) > MOST_BYTES) {
    throw new ConfigWriteError('configValidationError', `config is limited to ${MOST_BYTES} bytes`)
  }
  const file = parse(edited) as JsonObject
  checked(() => loadConfig({ home, environment, overrides: [], file }))
  await mkdir(home, { recursive: true, mode: 0o700 })
  await replaceFile(path, edited)
  return configVersion(file)
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return ''
    throw error
  }
}

function applied(text: string, { keyPath, value, mergeStrategy }: ConfigEdit): string {
  const edit: TomlEdit = {
    path: parseKeyPath(keyPath),
    value: writable(value, true),
    isMerged: mergeStrategy === 'upsert',
  }
  try {
    return editToml(text, edit)
  } catch (error) {
    if (!(error instanceof TomlEditError)) throw error
    throw new ConfigWriteError('configValidationError', error.message, error)
  }
}

function checked(load: () => unknown): void {
  try {
    load()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const message = `Invalid configuration: ${error.message}`
    throw new ConfigWriteError('configValidationError', message, error)
  }
}

/** Segments between dots; those in double quotes may have dots in them. */
export function parseKeyPath(keyPath: string): string[] {
  const fail = (message: string) => new ConfigWriteError('configValidationError', message)
  if (keyPath === '') throw fail('keyPath must not be empty')
  const segments: string[] = []
  let at = 0
  for (;;) {
    const isQuoted = keyPath[at] === '"'
    const pattern = isQuoted ? /"((?:[^"\\]|\\.)*)"/y : /[^."]*/y
    pattern.lastIndex = at
    const match = pattern.exec(keyPath)
    if (!match) throw fail('unterminated quoted keyPath segment')
    const segment = isQuoted ? (match[1] ?? '').replace(/\\(.)/g, '$1') : match[0]
    if (segment === '') throw fail('keyPath segments must not be empty')
    if (segments.length >= MOST_DEPTH) throw fail('keyPath is too deep')
    segments.push(segment)
    at += match[0].length
    if (at === keyPath.length) return segments
    if (keyPath[at] !== '.') throw fail('invalid quoted keyPath segment')
    at += 1
  }
}

/** Throws for what TOML cannot say. */
function writable(value: Json, isTop: boolean): Json {
  const fail = (message: string) => {
    return new ConfigWriteError('configValidationError', `invalid value: ${message}`)
  }
  if (isTop && isDeeperThan(MOST_DEPTH, value)) throw fail('too deep')
  if (value === null && !isTop) throw fail('invalid type: null, expected any valid TOML value')
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw fail('u64 value was too large')
  }
  const below = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []
  for (const each of below) writable(each ?? null, false)
  return value
}

function canonicalJson(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value ?? null)
  if ((value as unknown) instanceof Date) return JSON.stringify(value)
  const keys = Object.keys(value).sort()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`).join(',')}}`
}
