import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type FileSystem, nodeFileSystem } from '../../src/base/index.ts'
import {
  type Finding,
  type InspectHome,
  inspectHome,
  type RepairOutcome,
  repairHome,
} from '../../src/thread-store/index.ts'
import type { CodexHome } from './codex-home.ts'
import { FixedClock } from './fixed-clock.ts'
import { AT } from './thread-log.ts'

export function doctorParams(
  home: CodexHome,
  atMs = Date.parse(AT),
  files: FileSystem = nodeFileSystem,
): InspectHome {
  const searchPath = process.env.PATH ?? ''
  return { home: home.path, files, clock: new FixedClock(atMs), searchPath }
}

/** What is not well in a home. */
export async function troublesOf(home: CodexHome): Promise<Finding[]> {
  const { findings } = await inspectHome(doctorParams(home))
  return findings.filter(({ severity }) => severity !== 'ok')
}

/** Codes of the troubles, and of the findings that are none when asked for. */
export async function codesOf(home: CodexHome): Promise<string[]> {
  return (await troublesOf(home)).map(({ code }) => code)
}

/** Inspects a home and repairs it. */
export async function repair(
  home: CodexHome,
  files: FileSystem = nodeFileSystem,
  atMs = Date.parse(AT),
): Promise<RepairOutcome[]> {
  const params = doctorParams(home, atMs, files)
  const { findings } = await inspectHome(doctorParams(home))
  return repairHome(params, findings)
}

/** Every file of a folder with its content. */
export async function contentsOf(folder: string): Promise<Map<string, string>> {
  const contents = new Map<string, string>()
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) contents.set(path, await readFile(path, 'latin1'))
  }
  return contents
}
