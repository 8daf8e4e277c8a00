import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isObject, stringAt } from '../base/index.ts'

/** Bobbin's version, from its package.json: `src/cli` and `dist/bin` are equally deep. */
export function bobbinVersion(): string {
  const path = join(import.meta.dirname, '..', '..', 'package.json')
  const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'))
  return (isObject(manifest) && stringAt(manifest, 'version')) || '0.0.0'
}
