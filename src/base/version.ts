import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isObject, stringAt } from './json.ts'

let known: string | undefined

/** Bobbin's version, from its package.json; `0.0.0` where it was made part of another program. */
export function bobbinVersion(): string {
  known ??= readVersion() ?? '0.0.0'
  return known
}

/** `src/base`, `dist/base` and `dist/bin` are equally deep. */
function readVersion(): string | undefined {
  const path = join(import.meta.dirname, '..', '..', 'package.json')
  try {
    const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'))
    const isOurs = isObject(manifest) && manifest.name === 'bobbin'
    return isOurs ? stringAt(manifest, 'version') : undefined
  } catch {
    // There is none, or it is no package.json: then it is not ours.
    return undefined
  }
}
