import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { describe, it } from 'node:test'

const ROOT = join(import.meta.dirname, '..')

/** What each layer may import. `cli` wires the whole and may import everything. */
const LAYERS: { readonly [layer: string]: readonly string[] } = {
  base: [],
  protocol: ['base'],
  history: ['base', 'protocol'],
  config: ['base', 'protocol'],
  rollout: ['base', 'protocol', 'history'],
  state: ['base', 'protocol', 'history'],
  'thread-store': ['base', 'protocol', 'history', 'rollout', 'state'],
  core: ['base', 'protocol', 'history', 'thread-store'],
  'app-server': ['base', 'protocol', 'history', 'config', 'thread-store', 'core'],
  cli: ['base', 'protocol', 'history', 'config', 'thread-store', 'core', 'app-server'],
}

/** Nothing imports these: they are started, or exported to others by `package.json`. */
const ENTRIES = [
  'src/cli/main.ts',
  'src/core/testing/index.ts',
  'src/thread-store/testing/index.ts',
]

const MAX_COLUMNS = 100
const MAX_FUNCTION_LINES = 70

/** A source file, by its path from the root, with forward slashes. */
export interface Source {
  readonly path: string
  readonly text: string
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s[^'"\n]*?(?:\{[^}]*\}\s*)?from\s*'([^']+)'/g
const BARE_IMPORT = /(?:^|\n)\s*import\s*'([^']+)'/g
const DYNAMIC_IMPORT = /\bimport\(\s*'([^']+)'\s*\)/g

function importsOf(source: Source): string[] {
  return [IMPORT, BARE_IMPORT, DYNAMIC_IMPORT]
    .flatMap((pattern) => [...source.text.matchAll(pattern)])
    .map((match) => match[1] ?? '')
}

function targetOf(source: Source, specifier: string): string {
  return normalize(join(dirname(source.path), specifier))
}

function layerOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1]
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts')
}

/** `file: core may not import state`, for every import that goes up or sideways. */
export function layerFaults(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    const layer = layerOf(source.path)
    if (layer === undefined || isTest(source.path)) return []
    const allowed = LAYERS[layer]
    if (!allowed) return [`${source.path}: ${layer} is no layer; add it to test/tidy.test.ts`]
    return importsOf(source).flatMap((specifier) => {
      if (!specifier.startsWith('.')) return packageFaults(source, layer, specifier)
      const other = layerOf(targetOf(source, specifier))
      if (other === undefined || other === layer || allowed.includes(other)) return []
      return [`${source.path}: ${layer} may not import ${other}`]
    })
  })
}

/** Only one layer each knows SQLite, the command line and the calls of the system. */
const PACKAGE_OWNERS: { readonly [name: string]: string | readonly string[] } = {
  'node:sqlite': 'state',
  commander: 'cli',
  koffi: 'base',
  'smol-toml': 'config',
  'eventsource-parser': 'core',
  '@lydell/node-pty': 'core',
  '@modelcontextprotocol/client': 'core',
  ws: ['core', 'app-server'],
  zod: 'app-server',
  'zod/mini': 'app-server',
}

function packageFaults(source: Source, layer: string, specifier: string): string[] {
  const owner = PACKAGE_OWNERS[specifier]
  if (owner === undefined && specifier.startsWith('node:')) return []
  if (owner !== undefined && [owner].flat().includes(layer)) return []
  const where = owner === undefined ? 'no layer yet' : `only ${[owner].flat().join(', ')}`
  return [`${source.path}: ${where} may import ${specifier} (see test/tidy.test.ts)`]
}

/** Another layer is entered by its `index.ts` and no other file. */
export function doorFaults(sources: readonly Source[]): string[] {
  return sources.flatMap((source) => {
    const layer = layerOf(source.path)
    if (layer === undefined || isTest(source.path)) return []
    return importsOf(source)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => targetOf(source, specifier))
      .filter((target) => layerOf(target) !== layer && !/^src\/[^/]+\/index\.ts$/.test(target))
      .map((target) => `${source.path}: import ${layerOf(target)}/index.ts, not ${target}`)
  })
}

/** Files that no other file imports. Tests do not count: a file only for tests is not needed. */
export function orphanFaults(sources: readonly Source[]): string[] {
  const used = new Set<string>(ENTRIES)
  for (const source of sources) {
    if (isTest(source.path)) continue
    for (const specifier of importsOf(source)) used.add(targetOf(source, specifier))
  }
  return sources
    .filter(({ path }) => path.startsWith('src/') && !isTest(path) && !used.has(path))
    .map(({ path }) => `${path}: nobody imports it`)
}

export function columnFaults({ path, text }: Source): string[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.length <= MAX_COLUMNS) return []
    return [`${path}:${index + 1}: ${line.length} columns, over ${MAX_COLUMNS}`]
  })
}

const FUNCTION_START =
  /^( *)(?:export )?(?:default )?(?:static |async |get |set |override )*(?:function\*? ?\w*|\*?#?\w+)(?:<[^>]*>)?\(.*$/

/** A call looks like the head of a function, but opens no brace. */
function opensBody(lines: readonly string[], index: number, indent: string): boolean {
  const line = lines[index] ?? ''
  if (!line.endsWith('(')) return line.endsWith('{')
  const close = lines.find((each, at) => at > index && each.startsWith(`${indent})`))
  return close?.endsWith('{') ?? false
}

/** Functions and methods by indentation: from the opening line to its closing brace. */
export function functionFaults({ path, text }: Source): string[] {
  const lines = text.split('\n')
  return lines.flatMap((line, index) => {
    const indent = FUNCTION_START.exec(line)?.[1]
    if (indent === undefined || /^\s*(if|for|while|switch|return|await|it|describe)\b/.test(line)) {
      return []
    }
    if (!opensBody(lines, index, indent)) return []
    const end = lines.findIndex((each, at) => at > index && each.startsWith(`${indent}}`))
    const length = end - index + 1
    if (end === -1 || length <= MAX_FUNCTION_LINES) return []
    return [`${path}:${index + 1}: function of ${length} lines, over ${MAX_FUNCTION_LINES}`]
  })
}

/** Output goes through the command line's own writers, and time through `Clock`. */
const FORBIDDEN: readonly { readonly what: RegExp; readonly but: RegExp; readonly why: string }[] =
  [
    { what: /\bconsole\.\w+\(/, but: /^$/, why: 'leftover console call' },
    { what: /\bDate\.now\(/, but: /^src\/base\/clock\.ts$/, why: 'ask the Clock for the time' },
    {
      what: /\b(?:it|test|describe)\.(?:only|skip|todo)\(/,
      but: /^$/,
      why: 'focused or skipped test',
    },
    { what: /:\s*any\b|\bas any\b/, but: /^$/, why: 'any' },
  ]

export function forbiddenFaults({ path, text }: Source): string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      FORBIDDEN.filter(({ what, but }) => what.test(line) && !but.test(path)).map(
        ({ why }) => `${path}:${index + 1}: ${why}`,
      ),
    )
}

function readSources(...folders: readonly string[]): Source[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => ({
        path: relative(ROOT, path).replaceAll('\\', '/'),
        text: readFileSync(path, 'utf8'),
      })),
  )
}

describe('the tree is tidy', () => {
  const sources = readSources('src')
  const all = [
    ...sources,
    ...readSources('test', 'faults').filter((each) => each.path !== 'test/tidy.test.ts'),
  ]
  const clean = (faults: readonly string[]) => assert.equal(faults.join('\n'), '')

  it('layers import downwards only', () => clean(layerFaults(sources)))
  it('other layers are entered by their door', () => clean(doorFaults(sources)))
  it('every file is used', () => clean(orphanFaults(sources)))
  it('lines fit the page', () => clean(all.flatMap(columnFaults)))
  it('functions fit a screen', () => {
    clean(sources.filter((each) => !isTest(each.path)).flatMap(functionFaults))
  })
  it('nothing forbidden is left', () => clean(all.flatMap(forbiddenFaults)))
})

describe('the checks bite', () => {
  const file = (path: string, text: string): Source => ({ path, text })

  it('sees an import upwards, static, dynamic or re-exported', () => {
    for (const text of [
      `import { a } from '../state/index.ts'`,
      `import {\n  a,\n  b,\n} from '../state/index.ts'`,
      `export { a } from '../state/index.ts'`,
      `const a = await import('../state/index.ts')`,
      `import '../state/index.ts'`,
    ]) {
      const faults = layerFaults([file('src/core/x.ts', text)])
      assert.deepEqual(faults, ['src/core/x.ts: core may not import state'])
    }
  })

  it('sees a package in a layer that does not own it', () => {
    const faults = layerFaults([
      file('src/core/x.ts', `import { DatabaseSync } from 'node:sqlite'`),
    ])
    const message = 'src/core/x.ts: only state may import node:sqlite (see test/tidy.test.ts)'
    assert.deepEqual(faults, [message])
  })

  it('sees an import past the door', () => {
    const faults = doorFaults([file('src/core/x.ts', `import { a } from '../base/assert.ts'`)])
    assert.deepEqual(faults, ['src/core/x.ts: import base/index.ts, not src/base/assert.ts'])
  })

  it('sees a file that only a test uses', () => {
    const used = `import { a } from './x.ts'`
    const sources = [file('src/core/x.ts', ''), file('src/core/x.test.ts', used)]
    assert.deepEqual(orphanFaults(sources), ['src/core/x.ts: nobody imports it'])
  })

  it('sees long lines, long functions and forbidden words', () => {
    const long = `function f() {\n${'  a\n'.repeat(70)}}\n`
    assert.equal(columnFaults(file('src/x.ts', 'a'.repeat(101))).length, 1)
    assert.equal(functionFaults(file('src/x.ts', long)).length, 1)
    assert.equal(functionFaults(file('src/x.ts', long.replace('  a\n', ''))).length, 1)
    assert.equal(functionFaults(file('src/x.ts', 'function f() {\n  a\n}\n')).length, 0)
    const spread = long.replace('f() {', 'f(\n  a: number,\n): void {')
    assert.equal(functionFaults(file('src/x.ts', spread)).length, 1)
    assert.equal(functionFaults(file('src/x.ts', `  call(a)\n${long}  }\n`)).length, 1)
    assert.equal(forbiddenFaults(file('src/x.ts', 'console.log(1)')).length, 1)
    assert.equal(forbiddenFaults(file('src/x.ts', 'Date.now()')).length, 1)
    assert.equal(forbiddenFaults(file('src/base/clock.ts', 'Date.now()')).length, 0)
  })
})
