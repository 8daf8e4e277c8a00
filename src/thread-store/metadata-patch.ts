import type { ThreadMetadataPatch } from '../history/index.ts'
import { ThreadStoreError } from './errors.ts'

/** Names are trimmed; a blank one is refused, because null is the way to clear it. */
export function checkedPatch(patch: ThreadMetadataPatch): ThreadMetadataPatch {
  if (typeof patch.name !== 'string') return patch
  const name = patch.name.trim()
  if (name !== '') return { ...patch, name }
  const reason = 'thread name must not be empty'
  throw new ThreadStoreError({ code: 'invalid_request', reason })
}
