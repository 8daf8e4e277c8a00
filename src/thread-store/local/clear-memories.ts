import { lstat, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode, errorText } from '../../base/index.ts'
import { ThreadStoreError } from '../errors.ts'
import { CODEX_STATE_FILE } from './home-access.ts'

/** The second is of older versions. */
const ROOTS = ['memories', 'memories_extensions']

/**
 * Forgets what real Codex has taken from the threads of a home: its rows about that, and all that
 * is in its folders of memories. What links there point to stays; a folder that is itself a link is
 * refused, and nothing is cleared then. Throws `ThreadStoreError` `internal`. Source:
 * `reference/state-memories-logs.md` C.12.
 */
export async function clearMemories(home: string): Promise<void> {
  try {
    const roots = ROOTS.map((name) => join(home, name))
    for (const root of roots) await refuseLink(root)
    await clearRows(join(home, CODEX_STATE_FILE))
    for (const root of roots) await empty(root)
  } catch (error) {
    const doing = `failed to clear memory directories under ${home}: ${errorText(error)}`
    throw new ThreadStoreError({ code: 'internal', doing }, error)
  }
}

async function refuseLink(root: string): Promise<void> {
  const facts = await lstat(root).catch(whenMissing)
  if (facts?.isSymbolicLink()) {
    throw new Error(`refusing to clear symlinked memory root ${root}`)
  }
}

async function clearRows(path: string): Promise<void> {
  const facts = await lstat(path).catch(whenMissing)
  if (!facts?.isFile()) return
  const { clearCodexMemories } = await import('../../state/index.ts')
  clearCodexMemories(path)
}

async function empty(root: string): Promise<void> {
  await mkdir(root, { recursive: true, mode: 0o700 })
  const names = await readdir(root)
  await Promise.all(names.map((name) => rm(join(root, name), { recursive: true, force: true })))
}

function whenMissing(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT') throw error
}
