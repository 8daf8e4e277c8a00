import { resolve } from 'node:path'
import { parse } from 'smol-toml'
import { arrayAt, isObject, type Json, type JsonObject, objectAt } from '../base/index.ts'
import { editToml } from './toml-edit.ts'
import { inlineToml, scanToml, type TomlStatement } from './toml-text.ts'
import { type ChangeUserConfig, changeUserConfig } from './user-config.ts'

/** Which skill, by its name or by the absolute path of its `SKILL.md`. */
export type SkillSelector = { readonly name: string } | { readonly path: string }

const PATH = ['skills', 'config']

/**
 * Switches a skill off with an entry of `[[skills.config]]`, or on by taking that away. Throws
 * `ConfigWriteError`, `ConfigError`. Source: observed, 0.133.0.
 */
export async function writeSkillRule(
  params: ChangeUserConfig,
  selector: SkillSelector,
  isEnabled: boolean,
): Promise<void> {
  await changeUserConfig(params, (text) => editSkillRule(text, selector, isEnabled))
}

/** The text with the rule changed; all else stays as it is. */
export function editSkillRule(text: string, selector: SkillSelector, isEnabled: boolean): string {
  const [key = '', value = ''] = Object.entries(selector)[0] ?? []
  const rules = arrayAt(objectAt(parse(text) as JsonObject, 'skills') ?? {}, 'config') ?? []
  const index = rules.findIndex((rule) => isObject(rule) && isSame(rule[key], key, value))
  const rule = { [key]: value, enabled: false }
  if (index === -1) return isEnabled ? text : added(text, rules, rule)
  const blocks = blocksOf(text)
  if (blocks.length !== rules.length) {
    const others = rules.toSpliced(index, 1, ...(isEnabled ? [] : [rule]))
    return inList(text, others)
  }
  const block = blocks[index] ?? []
  return isEnabled ? withoutBlock(text, block) : switchedOff(text, block)
}

function isSame(given: Json | undefined, key: string, value: string): boolean {
  if (typeof given !== 'string') return false
  return key === 'path' ? resolve(given) === value : given.trim() === value
}

/** In the list on one line where there is one, else as a table of its own. */
function added(text: string, rules: readonly Json[], rule: JsonObject): string {
  if (rules.length > 0 && blocksOf(text).length === 0) return inList(text, [...rules, rule])
  const own = scanToml(text).findLast(({ path }) => path[0] === PATH[0])
  const at = own?.end ?? text.length
  const before = text.slice(0, at)
  const end = before === '' || before.endsWith('\n') ? '' : '\n'
  const gap = before.trim() === '' ? '' : '\n'
  const lines = Object.entries(rule).map(([key, value]) => `${key} = ${inlineToml(value ?? '')}\n`)
  return `${before}${end}${gap}[[skills.config]]\n${lines.join('')}${text.slice(at)}`
}

function inList(text: string, rules: readonly Json[]): string {
  const value = rules.length === 0 ? null : [...rules]
  return editToml(text, { path: PATH, value, isMerged: false })
}

/** The statements of each `[[skills.config]]`, with its header. */
function blocksOf(text: string): TomlStatement[][] {
  const blocks: TomlStatement[][] = []
  for (const statement of scanToml(text)) {
    const isOwn = statement.isInList && PATH.every((key, at) => statement.path[at] === key)
    if (!isOwn) continue
    const isHeader = statement.kind === 'header' && statement.path.length === PATH.length
    if (isHeader) blocks.push([statement])
    else blocks.at(-1)?.push(statement)
  }
  return blocks
}

function withoutBlock(text: string, block: readonly TomlStatement[]): string {
  const before = text.slice(0, block[0]?.start)
  const kept = before.replace(/(?<=^|\n)(?:[ \t]*\r?\n)+$/, '')
  return kept + text.slice(block.at(-1)?.end)
}

function switchedOff(text: string, block: readonly TomlStatement[]): string {
  const switching = block.find(
    (each) => each.kind === 'pair' && each.path.length === 3 && each.path[2] === 'enabled',
  )
  if (switching?.kind === 'pair') {
    return `${text.slice(0, switching.valueStart)}false${text.slice(switching.valueEnd)}`
  }
  const at = block[0]?.end ?? text.length
  return `${text.slice(0, at)}enabled = false\n${text.slice(at)}`
}
