import { readFileSync } from 'node:fs'
import type { ConfigError } from './errors.ts'
import { scanToml, type TomlStatement } from './toml-text.ts'

/** Lines and columns count from 1; the end is the last character, not behind it. */
export interface TextPlace {
  readonly line: number
  readonly column: number
}

/** What people are told of a configuration that cannot be used. */
export interface ConfigWarning {
  readonly summary: string
  readonly details: string
  /** Of the file that is to be mended. */
  readonly path?: string
  readonly range?: { readonly start: TextPlace; readonly end: TextPlace }
}

/** Source: `reference/app-server.md` 2; ranges observed, 0.133.0. */
export function configWarning(error: ConfigError): ConfigWarning {
  const about = { summary: 'Invalid configuration; using defaults.', details: error.message }
  const { place } = error
  if (!place) return about
  const { path } = place
  if ('line' in place) {
    const { line, column } = place
    return { ...about, path, range: { start: { line, column }, end: { line, column } } }
  }
  const range = rangeOf(path, place.keyPath)
  return range ? { ...about, path, range } : about
}

function rangeOf(path: string, keyPath: readonly string[]): ConfigWarning['range'] {
  const text = readAgain(path)
  const found = text === undefined ? undefined : statementOf(text, keyPath)
  if (text === undefined || !found) return undefined
  const isPair = found.kind === 'pair'
  const start = isPair ? found.valueStart : found.start
  const end = isPair ? found.valueEnd : found.start + lineAt(text, found.start).length
  return { start: placeAt(text, start), end: placeAt(text, end - 1) }
}

/** It could be read just now; whoever has taken it away since is not told where the fault was. */
function readAgain(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function statementOf(text: string, keyPath: readonly string[]): TomlStatement | undefined {
  const isStart = ({ path, isInList }: TomlStatement) =>
    !isInList && path.length <= keyPath.length && path.every((key, at) => key === keyPath[at])
  const found = scanToml(text).filter(isStart)
  return found.find(({ path }) => path.length === keyPath.length) ?? found.at(-1)
}

function lineAt(text: string, at: number): string {
  return text.slice(at).split(/\s*(?:#|\r?\n|$)/)[0] ?? ''
}

function placeAt(text: string, at: number): TextPlace {
  const lines = text.slice(0, at).split('\n')
  return { line: lines.length, column: [...(lines.at(-1) ?? '')].length + 1 }
}
