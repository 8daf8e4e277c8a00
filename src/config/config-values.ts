import { isObject, type Json, type JsonObject } from '../base/index.ts'
import { ConfigError } from './errors.ts'

export interface ConfigOrigin {
  /** As people are told. */
  readonly name: string
  /** The file that is read. */
  readonly path?: string
}

/** Typed reading of a parsed configuration; every complaint names the key and where it stands. */
export class ConfigValues {
  readonly #table: JsonObject
  readonly #path: readonly string[]
  /** The file or flag to be mended. */
  readonly #origin: ConfigOrigin

  constructor(table: JsonObject, origin: ConfigOrigin, path: readonly string[] = []) {
    this.#table = table
    this.#origin = origin
    this.#path = path
  }

  keys(): string[] {
    return Object.keys(this.#table)
  }

  text(key: string): string | undefined {
    return this.#read(key, 'a text', (value) => (typeof value === 'string' ? value : undefined))
  }

  flag(key: string): boolean | undefined {
    return this.#read(key, 'true or false', (value) =>
      typeof value === 'boolean' ? value : undefined,
    )
  }

  /** A whole number from 0 to `most`; a larger one counts as `most`. */
  count(key: string, most: number = Number.MAX_SAFE_INTEGER): number | undefined {
    return this.#read(key, 'a whole number, 0 or more', (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= 0
        ? Math.min(value, most)
        : undefined,
    )
  }

  oneOf<T extends string>(key: string, choices: readonly T[]): T | undefined {
    return this.#read(key, `one of ${choices.join(', ')}`, (value) =>
      choices.find((choice) => choice === value),
    )
  }

  texts(key: string): string[] | undefined {
    return this.#read(key, 'a list of texts', (value) =>
      Array.isArray(value) && value.every((each) => typeof each === 'string')
        ? (value as string[])
        : undefined,
    )
  }

  textTable(key: string): { [name: string]: string } | undefined {
    return this.#read(key, 'a table of texts', (value) =>
      isObject(value) && Object.values(value).every((each) => typeof each === 'string')
        ? (value as { [name: string]: string })
        : undefined,
    )
  }

  raw(key: string): Json | undefined {
    return this.#table[key]
  }

  /** An empty table when there is none. */
  table(key: string): ConfigValues {
    const value = this.#read(key, 'a table', (each) => (isObject(each) ? each : undefined))
    return new ConfigValues(value ?? {}, this.#origin, [...this.#path, key])
  }

  /** A complaint about `key`. */
  invalid(key: string, complaint: string): ConfigError {
    const { name, path } = this.#origin
    const message = `${name}: ${this.#name(key)} ${complaint}`
    const place = path === undefined ? {} : { place: { path, keyPath: [...this.#path, key] } }
    return new ConfigError('invalid_config', message, `correct ${this.#name(key)} there`, place)
  }

  #name(key: string): string {
    return [...this.#path, key].join('.')
  }

  #read<T>(key: string, wanted: string, parse: (value: Json) => T | undefined): T | undefined {
    const value = this.#table[key]
    if (value === undefined) return undefined
    const parsed = parse(value)
    if (parsed !== undefined) return parsed
    throw this.invalid(key, `must be ${wanted}, but is ${JSON.stringify(value)}`)
  }
}
