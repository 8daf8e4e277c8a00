import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FileSystem } from '../../../base/index.ts'
import { HomeIndex, IndexReader, writtenBy } from '../../../state/index.ts'
import { INDEX_FILE } from '../home-access.ts'
import { type Finding, finding } from './finding.ts'
import { indexFailure } from './inspect-index.ts'

/** What this Bobbin would make of an index, seen of one in a scratch folder. */
export interface OwnIndex {
  readonly version: number
  /** Of SQLite itself. */
  readonly library: string
}

/** Undefined when none can be made. */
export function probeIndex(nowMs: number): OwnIndex | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'bobbin-doctor-'))
  try {
    const path = join(folder, INDEX_FILE)
    const index = HomeIndex.open(path, nowMs)
    if (!index) return undefined
    index[Symbol.dispose]()
    using reader = IndexReader.open(path)
    return { version: reader.version, library: writtenBy(path) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The index of a home, when it is there and can be trusted to be read, and what was found. */
export async function openIndex(
  files: FileSystem,
  home: string,
  own: OwnIndex | undefined,
): Promise<{ index: IndexReader | undefined; found: Finding[] }> {
  const path = join(home, INDEX_FILE)
  const told = { section: 'index', path } as const
  const facts = await files.facts(path)
  if (!facts) {
    const what = 'there is none yet: the first list makes it'
    return { index: undefined, found: [finding({ ...told, severity: 'ok', code: 'none', what })] }
  }
  let index: IndexReader | undefined
  try {
    if (facts.kind !== 'file') throw new Error('it is no regular file')
    index = IndexReader.open(path)
    const faults = index.check()
    const version = index.version
    if (faults.length === 0 && version === own?.version) return { index, found: [] }
    index[Symbol.dispose]()
    if (faults.length > 0) return { index: undefined, found: [damaged(path, faults)] }
    return { index: undefined, found: [otherVersion(path, version, own?.version ?? 0)] }
  } catch (error) {
    index?.[Symbol.dispose]()
    return { index: undefined, found: [indexFailure(path, error)] }
  }
}

/** The index as it is, for whoever does not wait for what a check says; undefined without one. */
export function openUnchecked(home: string, version: number | undefined): IndexReader | undefined {
  try {
    const index = IndexReader.open(join(home, INDEX_FILE))
    if (index.version === version) return index
    index[Symbol.dispose]()
    return undefined
  } catch {
    // Why it cannot be opened, the check tells.
    return undefined
  }
}

function damaged(path: string, faults: readonly string[]): Finding {
  return finding({
    severity: 'fail',
    section: 'index',
    code: 'damaged_index',
    what: `the index is damaged (${faults[0]})`,
    path,
    count: faults.length,
    repair: 'set_index_aside',
  })
}

function otherVersion(path: string, version: number, own: number): Finding {
  const told = { section: 'index', path } as const
  if (version < own) {
    const what = `the index is of the older version ${version}: the next list brings it up to date`
    return finding({ ...told, severity: 'ok', code: 'older_index', what })
  }
  const what = `the index is of the newer version ${version}: it is left alone, and lists are slow`
  const remedy = 'update bobbin'
  return finding({ ...told, severity: 'warn', code: 'newer_index', what, remedy })
}
