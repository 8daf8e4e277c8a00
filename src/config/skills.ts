import { open, readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { arrayAt, findWorkTreeRoot, isObject, type JsonObject, objectAt } from '../base/index.ts'
import { parseYamlMap, YamlError, type YamlMap } from './small-yaml.ts'

export interface Skill {
  readonly name: string
  readonly description: string
  readonly shortDescription?: string
  readonly interface?: SkillInterface
  /** Of its `SKILL.md`. */
  readonly path: string
  readonly scope: 'repo' | 'user' | 'system' | 'admin'
  readonly enabled: boolean
}

export interface SkillInterface {
  readonly displayName: string | null
  readonly shortDescription: string | null
  readonly iconSmall: null
  readonly iconLarge: null
  readonly brandColor: string | null
  readonly defaultPrompt: string | null
}

export interface SkillError {
  readonly path: string
  readonly message: string
}

export interface ListSkills {
  readonly home: string
  /** Skills of the project that this folder is in are found as well. */
  readonly cwd: string
  readonly environment: NodeJS.ProcessEnv
  /** What `config.toml` says: it may switch skills off. */
  readonly config: JsonObject
}

interface SkillFolder {
  readonly path: string
  readonly scope: Skill['scope']
}

const SCOPES: readonly Skill['scope'][] = ['repo', 'user', 'system', 'admin']
const ADMIN_FOLDER = '/etc/codex/skills'
const MOST_DEPTH = 6
const MOST_FOLDERS = 2000
const MOST_HEAD_BYTES = 64 * 1024
const MOST_NAME_CHARS = 64
const MOST_DESCRIPTION_CHARS = 1024

/** The skills for a folder, and those that cannot be read. Source: observed, 0.133.0. */
export async function listSkills(params: ListSkills): Promise<{
  readonly skills: readonly Skill[]
  readonly errors: readonly SkillError[]
}> {
  const seen = new Set<string>()
  const skills: Skill[] = []
  const errors: SkillError[] = []
  for (const folder of skillFolders(params)) {
    for (const path of await findSkills(folder.path, seen)) {
      try {
        skills.push(await readSkill(path, folder.scope, params.config))
      } catch (error) {
        errors.push({ path, message: error instanceof Error ? error.message : String(error) })
      }
    }
  }
  skills.sort((a, b) => {
    const byScope = SCOPES.indexOf(a.scope) - SCOPES.indexOf(b.scope)
    return byScope || compare(a.name, b.name) || compare(a.path, b.path)
  })
  errors.sort((a, b) => compare(a.path, b.path))
  return { skills, errors }
}

function skillFolders({ home, cwd, environment }: ListSkills): SkillFolder[] {
  const root = findWorkTreeRoot(cwd) ?? cwd
  const below = relative(root, cwd)
    .split(sep)
    .filter((part) => part !== '')
  const projects = [root, ...below.map((_, end) => join(root, ...below.slice(0, end + 1)))]
  const inProjects = projects.flatMap((project): SkillFolder[] => [
    { path: join(project, '.codex', 'skills'), scope: 'repo' },
    { path: join(project, '.agents', 'skills'), scope: 'repo' },
  ])
  const user = environment.HOME
  const ofUser: SkillFolder[] = user
    ? [{ path: join(user, '.agents', 'skills'), scope: 'user' }]
    : []
  return [
    ...inProjects,
    { path: join(home, 'skills'), scope: 'user' },
    ...ofUser,
    { path: join(home, 'skills', '.system'), scope: 'system' },
    { path: ADMIN_FOLDER, scope: 'admin' },
  ]
}

/** Paths of the `SKILL.md` below a folder; hidden folders are left out, links are followed once. */
async function findSkills(root: string, seen: Set<string>): Promise<string[]> {
  const found: string[] = []
  const waiting = [{ path: root, depth: 0 }]
  for (let visited = 0; visited < MOST_FOLDERS; visited += 1) {
    const folder = waiting.shift()
    if (!folder) break
    // Not there or not to be read: no skills.
    const entries = await readdir(folder.path).catch((): string[] => [])
    for (const name of entries.sort()) {
      if (name.startsWith('.')) continue
      const path = join(folder.path, name)
      const facts = await stat(path).catch(() => undefined)
      const real = facts && (await realpath(path).catch(() => undefined))
      if (!facts || real === undefined || seen.has(real)) continue
      if (facts.isFile() && name === 'SKILL.md') found.push(path)
      else if (!facts.isDirectory() || folder.depth >= MOST_DEPTH) continue
      else waiting.push({ path, depth: folder.depth + 1 })
      seen.add(real)
    }
  }
  return found
}

async function readSkill(path: string, scope: Skill['scope'], config: JsonObject): Promise<Skill> {
  const head = headOf(await readStart(path))
  const name = oneLine(textAt(head, 'name') ?? '') || basename(dirname(path))
  const description = oneLine(textAt(head, 'description') ?? '')
  if (description === '') throw new YamlError('missing field `description`')
  limit('name', name, MOST_NAME_CHARS)
  limit('description', description, MOST_DESCRIPTION_CHARS)
  const short = oneLine(textAt(mapAt(head, 'metadata'), 'short-description') ?? '')
  const look = await readInterface(path)
  return {
    name,
    description,
    ...(short === '' ? {} : { shortDescription: short }),
    ...(look ? { interface: look } : {}),
    path,
    scope,
    enabled: !isSwitchedOff(config, name, path),
  }
}

async function readStart(path: string): Promise<string> {
  await using file = await open(path)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_HEAD_BYTES), 0, MOST_HEAD_BYTES)
  return buffer.toString('utf8', 0, bytesRead)
}

function headOf(text: string): YamlMap {
  const match = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)^---[ \t]*$/m.exec(text)
  if (match?.index !== 0) throw new YamlError('missing YAML frontmatter delimited by ---')
  try {
    return parseYamlMap(match[1] ?? '')
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    throw new YamlError(`invalid YAML: ${error.message}`)
  }
}

/** How other programs may show it; what cannot be read of that is not missed. */
async function readInterface(skill: string): Promise<SkillInterface | undefined> {
  const path = join(dirname(skill), 'agents', 'openai.yaml')
  try {
    const look = mapAt(parseYamlMap(await readStart(path)), 'interface')
    if (!look) return undefined
    const text = (key: string) => oneLine(textAt(look, key) ?? '') || null
    return {
      displayName: text('display_name'),
      shortDescription: text('short_description'),
      iconSmall: null,
      iconLarge: null,
      brandColor: text('brand_color'),
      defaultPrompt: text('default_prompt'),
    }
  } catch {
    // Usually there is none.
    return undefined
  }
}

/** `[[skills.config]]` names a skill, or the path of one, and says whether it is used. */
function isSwitchedOff(config: JsonObject, name: string, path: string): boolean {
  const rules = arrayAt(objectAt(config, 'skills') ?? {}, 'config') ?? []
  const last = rules.filter(isObject).findLast((rule) => rule.name === name || rule.path === path)
  return last?.enabled === false
}

function limit(what: string, text: string, most: number): void {
  if ([...text].length <= most) return
  throw new YamlError(`invalid ${what}: exceeds maximum length of ${most} characters`)
}

function textAt(map: YamlMap | undefined, key: string): string | undefined {
  const value = map?.[key]
  return typeof value === 'string' ? value : undefined
}

function mapAt(map: YamlMap, key: string): YamlMap | undefined {
  const value = map[key]
  return typeof value === 'object' ? value : undefined
}

function oneLine(text: string): string {
  return text.trim().split(/\s+/).join(' ')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
