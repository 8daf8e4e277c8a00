import { dirname } from 'node:path'
import { type FileSystem, type OpenFile, writeAll } from '../../base/index.ts'
import { closedTurn } from '../../history/index.ts'
import type { RolloutItem, SessionMeta } from '../../protocol/index.ts'
import { encodeLine, openRollout } from '../../rollout/index.ts'
import { conflict } from './local-errors.ts'
import { syncFolders } from './sync-folders.ts'
import { OutlineLost, type ThreadOutline } from './thread-outline.ts'

/** The bytes of a log that a fork takes over, and whether they end within a turn. */
export interface ForkCut {
  readonly end: number
  /** The last line lacks its end. */
  readonly isEndOpen: boolean
  readonly openTurnId: string | null
}

/**
 * Where a fork cuts; undefined when it cannot be told from the outline: of turns that no event
 * opened the border lies before their events, and damaged lines are not to be copied.
 */
export function forkCut(
  outline: ThreadOutline,
  throughTurnId: string | undefined,
): ForkCut | undefined {
  try {
    return outline.damagedLines > 0 ? undefined : cutOf(outline, throughTurnId)
  } catch (error) {
    if (error instanceof OutlineLost) return undefined
    throw error
  }
}

function cutOf(outline: ThreadOutline, throughTurnId: string | undefined): ForkCut | undefined {
  const [newest] = outline.page({ direction: 'desc', limit: 1 })
  const turn = throughTurnId === undefined ? newest : outline.find(throughTurnId)
  if (!turn) return undefined
  const next = throughTurnId === undefined ? undefined : outline.next(turn.order)
  if (!next) {
    const isOpen = turn.order === newest?.order && turn.status === 'inProgress'
    const { endBytes: end, isEndOpen } = outline
    return { end, isEndOpen, openTurnId: isOpen ? turn.turnId : null }
  }
  if (!next.isExplicit) return undefined
  const openTurnId = turn.isOpenAtNext ? turn.turnId : null
  return { end: next.startOffset, isEndOpen: false, openTurnId }
}

export interface ForkCopy {
  readonly files: FileSystem
  readonly home: string
  readonly to: string
  readonly header: SessionMeta
  /** Bytes of the source, or items. */
  readonly body: (ForkCut & { readonly source: string }) | readonly RolloutItem[]
  readonly nowMs: number
}

const COPY_BYTES = 1024 * 1024

/**
 * Writes a fork: its own header, then the bytes of the source. It gets its name when it is whole
 * and on the device; a failure leaves nothing that a list would show.
 */
export async function copyFork(copy: ForkCopy): Promise<void> {
  const { files, home, to } = copy
  if (await files.facts(to)) throw conflict(`there is another file at ${to} already`)
  const part = `${to}.part`
  await files.makeDirectory(dirname(to))
  await files.remove(part)
  try {
    const target = await files.openForAppend(part, 'create')
    try {
      await writeFork(copy, target)
      await target.sync()
    } finally {
      await target.close()
    }
    await files.rename(part, to)
    await syncFolders(files, home, to)
  } catch (error) {
    // A rename may have done its work although it failed.
    for (const path of [to, part]) await files.remove(path).catch(() => undefined)
    throw error
  }
}

async function writeFork(
  { files, header, body, nowMs }: ForkCopy,
  target: OpenFile,
): Promise<void> {
  const timestamp = new Date(nowMs).toISOString()
  const lines = (items: readonly RolloutItem[]) =>
    Buffer.from(items.map((item) => encodeLine({ timestamp, item })).join(''))
  await writeAll(target, lines([{ type: 'session_meta', payload: header }]))
  if (!('end' in body)) {
    await writeAll(target, lines(body))
    return
  }
  await copyBytes(files, body.source, body.end, target)
  if (body.isEndOpen) await writeAll(target, Buffer.from('\n'))
  if (body.openTurnId !== null) await writeAll(target, lines(closedTurn(body.openTurnId)))
}

const BYTE_ORDER_MARK = Buffer.from('\uFEFF')

async function copyBytes(
  files: FileSystem,
  from: string,
  end: number,
  target: OpenFile,
): Promise<void> {
  const { text: source } = await openRollout(files, from)
  try {
    const chunk = Buffer.allocUnsafe(Math.min(COPY_BYTES, end))
    for (let position = 0; position < end; ) {
      const count = await source.read(chunk.subarray(0, end - position), position)
      if (count === 0) throw new Error(`${from} became shorter while it was copied`)
      const bytes = chunk.subarray(0, count)
      // It is read as none anywhere but at the start of a file.
      const mark = position === 0 && bytes.indexOf(BYTE_ORDER_MARK) === 0
      await writeAll(target, mark ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes)
      position += count
    }
  } finally {
    await source.close()
  }
}
