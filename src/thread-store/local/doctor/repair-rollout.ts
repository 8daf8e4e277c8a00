import { dirname, join, relative } from 'node:path'
import { errorText, type FileFacts, type FileSystem } from '../../../base/index.ts'
import type { RolloutFile } from '../../../rollout/index.ts'
import type { IndexReader } from '../../../state/index.ts'
import { syncFolders } from '../sync-folders.ts'
import { LeaseHeld, WriterLease } from '../writer-lease.ts'
import { canBeMended, inspectRollout, type RolloutReport } from './inspect-rollout.ts'
import { digestItems, writeMended } from './mended-copy.ts'
import { rebuiltHeader } from './rebuilt-header.ts'
import { copyFile } from './write-files.ts'

export interface RepairContext {
  readonly home: string
  readonly files: FileSystem
  readonly nowMs: number
  /** Folder of this repair, for the files as they were. */
  readonly backups: string
  /** Tells of threads whose header is lost. */
  readonly index: IndexReader | undefined
}

/** What became of one repair. */
export interface RepairOutcome {
  readonly what: 'rewrite' | 'set_index_aside' | 'close_modes' | 'move_leftover'
  readonly path: string
  /** `skipped`: nothing was tried. `failed`: the file is as it was. */
  readonly status: 'done' | 'skipped' | 'failed'
  /** For a person: what was done, or why not. */
  readonly told: string
  /** The file as it was before. */
  readonly backup: string | null
  /** Lines of a rewritten file: kept, taken out, and headers made. */
  readonly kept: number
  readonly removed: number
  readonly headersMade: number
}

const NO_LINES = { kept: 0, removed: 0, headersMade: 0 }

/**
 * Replaces a damaged rollout by a file of its good lines, byte for byte and in order, unless a
 * program writes to it. It is copied first, and the new file takes its place only after its items
 * were read again and are the same: until then the file is as it was.
 */
export async function repairRollout(
  context: RepairContext,
  file: RolloutFile,
): Promise<RepairOutcome> {
  const { home, nowMs } = context
  const told = { what: 'rewrite', path: file.path, backup: null, ...NO_LINES } as const
  try {
    const me = { client: 'bobbin doctor', nowMs }
    await using _ = await WriterLease.take(home, file.threadId, me)
    return await rewrite(context, file)
  } catch (error) {
    const status = error instanceof LeaseHeld ? 'skipped' : 'failed'
    return { ...told, status, told: errorText(error) }
  }
}

async function rewrite(context: RepairContext, file: RolloutFile): Promise<RepairOutcome> {
  const { home, files } = context
  const { path } = file
  const told = { what: 'rewrite', path, backup: null, ...NO_LINES } as const
  const before = await files.facts(path)
  if (!before) return { ...told, status: 'skipped', told: 'it is gone' }
  const seen = await inspectRollout(files, file)
  if (!canBeMended(seen, file.isCompressed)) {
    return { ...told, status: 'skipped', told: 'it is not one that can be written anew' }
  }
  const backup = backupPath(context, path)
  await copyFile(files, home, path, backup)
  const report = await inspectRollout(files, { ...file, path: backup })
  const part = `${path}.part`
  await moveAside(context, part)
  const isHeaderless = report.header === 'late' || report.header === 'lost'
  const header = isHeaderless ? rebuiltHeader(file, report, context.index) : ''
  await writeMended(files, { from: backup, to: part, header })
  try {
    const kept = await prove(files, file, { backup, part, isHeaderless })
    await files.setModifiedTime(part, before.modifiedAtMs)
    await replace(files, { part, path, before })
    const { removed, text } = describe(report, kept, isHeaderless)
    const lines = { kept, removed, headersMade: Number(isHeaderless) }
    return { ...told, ...lines, status: 'done', told: text, backup }
  } catch (error) {
    await files.remove(part).catch(() => undefined)
    throw error
  }
}

export function backupPath({ home, backups }: RepairContext, path: string): string {
  return join(backups, relative(home, path))
}

/** What an earlier repair, or a program that was killed, left in the place of the new file. */
async function moveAside(context: RepairContext, part: string): Promise<void> {
  if (!(await context.files.facts(part))) return
  await moveToBackups(context, part)
}

/** Moves a file into the folder of this repair; answers where it is now. */
export async function moveToBackups(context: RepairContext, path: string): Promise<string> {
  const { home, files } = context
  const backup = backupPath(context, path)
  await files.makeDirectory(dirname(backup))
  await files.rename(path, backup)
  await syncFolders(files, home, backup)
  await files.syncDirectory(dirname(path))
  return backup
}

interface Proof {
  readonly backup: string
  readonly part: string
  readonly isHeaderless: boolean
}

/** Throws unless the new file holds the good items of the old one and nothing that is bad. */
async function prove(
  files: FileSystem,
  file: RolloutFile,
  { backup, part, isHeaderless }: Proof,
): Promise<number> {
  const old = await digestItems(files, backup, 0)
  const made = await digestItems(files, part, isHeaderless ? 1 : 0)
  const isSame = old.digest === made.digest && old.items === made.items && made.others === 0
  if (!isSame) {
    const counts = `${old.items} items before, ${made.items} after`
    throw new Error(`the new file does not hold the same items (${counts}); the old one stays`)
  }
  const again = await inspectRollout(files, { ...file, path: part })
  if (canBeMended(again, false)) throw new Error('the new file is damaged too; the old one stays')
  return old.items
}

async function replace(
  files: FileSystem,
  { part, path, before }: { part: string; path: string; before: FileFacts },
): Promise<void> {
  const now = await files.facts(path)
  const isSame =
    now?.inode === before.inode &&
    now.sizeBytes === before.sizeBytes &&
    now.modifiedAtMs === before.modifiedAtMs
  if (!isSame) throw new Error('a program wrote to the file meanwhile; it stays as that made it')
  await files.rename(part, path)
  // A power cut may bring the old file back: that loses the repair and nothing else.
  await files.syncDirectory(dirname(path)).catch(() => undefined)
}

function describe(
  { bad, tail, faulty, tailPlace }: RolloutReport,
  kept: number,
  isHeaderless: boolean,
): { removed: number; text: string } {
  const removed = bad.count + Number(tail === 'torn')
  const more = [
    ...(faulty.count > 0 ? [`${faulty.count} freed of bad bytes`] : []),
    ...(tail === 'unended' && tailPlace ? ['a newline added'] : []),
    ...(isHeaderless ? ['a header made'] : []),
  ]
  return { removed, text: [`${kept} lines kept`, `${removed} removed`, ...more].join(', ') }
}
