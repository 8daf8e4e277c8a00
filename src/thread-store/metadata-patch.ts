import type { CurrentMetadata, ThreadMetadataPatch } from '../history/index.ts'
import type { SessionMeta } from '../protocol/index.ts'
import { ThreadStoreError } from './errors.ts'

/** Names are trimmed; a blank one is refused, because null is the way to clear it. */
export function checkedPatch(patch: ThreadMetadataPatch): ThreadMetadataPatch {
  if (typeof patch.name !== 'string') return patch
  const name = patch.name.trim()
  if (name !== '') return { ...patch, name }
  const reason = 'thread name must not be empty'
  throw new ThreadStoreError({ code: 'invalid_request', reason })
}

/** What the newest headers of the thread say; a header without git or memory mode says nothing. */
export function currentOf(
  headers: readonly SessionMeta[],
  id: string,
): Pick<CurrentMetadata, 'git' | 'memoryMode'> {
  const own = headers.filter((each) => each.id === id)
  const git = own.findLast((each) => each.git !== undefined)?.git ?? null
  const mode = own.findLast((each) => each.memory_mode !== undefined)?.memory_mode
  return { git, memoryMode: mode === 'disabled' || mode === 'polluted' ? mode : 'enabled' }
}
