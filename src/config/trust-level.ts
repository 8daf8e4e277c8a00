import { realpathSync } from 'node:fs'
import { findMainWorkTree } from '../base/index.ts'
import type { Config } from './load-config.ts'

/**
 * How a person has judged a folder: the folder as it is named, where it really is, or else the
 * repository that it belongs to. Source: observed, 0.133.0.
 */
export function trustLevel(
  { trustedFolders, untrustedFolders }: Pick<Config, 'trustedFolders' | 'untrustedFolders'>,
  folder: string,
): 'trusted' | 'untrusted' | undefined {
  if (trustedFolders.length + untrustedFolders.length === 0) return undefined
  for (const place of placesOf(folder)) {
    if (trustedFolders.includes(place)) return 'trusted'
    if (untrustedFolders.includes(place)) return 'untrusted'
  }
  return undefined
}

function* placesOf(folder: string): Generator<string> {
  yield folder
  const real = realPath(folder)
  if (real === undefined) return
  yield real
  const repository = findMainWorkTree(real)
  if (repository !== undefined) yield repository
}

function realPath(folder: string): string | undefined {
  try {
    return realpathSync(folder)
  } catch {
    // Whatever is wrong with it, nobody has judged it.
    return undefined
  }
}
