import { readFileSync } from 'node:fs'
import { basename, dirname, relative, resolve } from 'node:path'
import type { Plugin } from 'rolldown'

/** A name, and the file that defines it. */
interface Origin {
  readonly path: string
  readonly name: string
}

const DOOR_IMPORTS = /^import (type )?\{([^}]*)\} from '(\.[^']*\/index\.ts)'/gm
const DOOR_EXPORTS = /^export (type )?\{([^}]*)\} from '([^']+)'/gm

/**
 * Imports through a folder's `index.ts` go to the files behind it: whoever imports one name of a
 * door would pass for somebody who needs all of them. None of our modules does anything when it is
 * loaded, so one that nobody uses is left out.
 */
export function doors(source: string): Plugin {
  return {
    name: 'doors',
    transform(code, path) {
      if (!path.startsWith(source)) return null
      const straight = isDoor(path) ? code : straightened(code, path)
      return { code: straight, moduleSideEffects: false }
    },
  }
}

function straightened(code: string, path: string): string {
  return code.replace(DOOR_IMPORTS, (_, type, names: string, from: string) => {
    if (type) return ''
    const door = resolve(dirname(path), from)
    const imports = valuesOf(names).map(({ name, as }) => {
      const origin = originOf(door, name)
      const file = relative(dirname(path), origin.path).replaceAll('\\', '/')
      return `import { ${origin.name} as ${as} } from './${file}'`
    })
    return imports.join(';')
  })
}

function isDoor(path: string): boolean {
  return basename(path) === 'index.ts'
}

function originOf(path: string, name: string): Origin {
  const exported = isDoor(path) ? exportsOf(path).get(name) : undefined
  return exported ? originOf(exported.path, exported.name) : { path, name }
}

const known = new Map<string, ReadonlyMap<string, Origin>>()

function exportsOf(door: string): ReadonlyMap<string, Origin> {
  const found = known.get(door) ?? readExports(door)
  known.set(door, found)
  return found
}

function readExports(door: string): ReadonlyMap<string, Origin> {
  const found = new Map<string, Origin>()
  for (const [, type, names = '', from = ''] of readFileSync(door, 'utf8').matchAll(DOOR_EXPORTS)) {
    const path = resolve(dirname(door), from)
    for (const { name, as } of type ? [] : valuesOf(names)) found.set(as, { path, name })
  }
  return found
}

function valuesOf(names: string): { readonly name: string; readonly as: string }[] {
  const each = names.split(',').map((part) => part.trim())
  return each
    .filter((part) => part !== '' && !part.startsWith('type '))
    .map((part) => {
      const [name = part, as = name] = part.split(/\s+as\s+/)
      return { name, as }
    })
}
