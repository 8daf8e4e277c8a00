/** Lists of real Codex's app server. */
import { arrayAt, isObject, type JsonObject, stringAt } from '../src/base/index.ts'
import type { AppServerUnderTest } from './app-server-under-test.ts'

/** The most that one request answers. */
const PAGE_SIZE = 100
const COMPLETE_LIMIT_MS = 600_000
const RETRY_MS = 1_000

/** Ids of all pages, in the order in which they came. */
export async function listAllOf(codex: AppServerUnderTest): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const params: JsonObject = { limit: PAGE_SIZE, ...(cursor === undefined ? {} : { cursor }) }
    const { result } = await codex.request('thread/list', params)
    for (const thread of arrayAt(result, 'data') ?? []) {
      if (isObject(thread)) ids.push(stringAt(thread, 'id') ?? '')
    }
    cursor = stringAt(result, 'nextCursor')
  } while (cursor !== undefined)
  return ids
}

/**
 * Returns once two passes in a row say the same and name every thread. A server that gives up while
 * it starts is started again, as its user would.
 */
export async function waitForCompleteList(
  start: () => Promise<AppServerUnderTest>,
  threads: number,
): Promise<void> {
  const fromMs = performance.now()
  const isLate = () => performance.now() - fromMs > COMPLETE_LIMIT_MS
  let codex: AppServerUnderTest | undefined
  while (!codex) {
    codex = await start().catch(async (error: unknown) => {
      if (isLate()) throw error
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      return undefined
    })
  }
  let before = ''
  while (!isLate()) {
    const ids = await listAllOf(codex)
    const now = ids.join()
    if (new Set(ids).size === threads && now === before) return
    before = now
  }
  throw new Error(
    `no complete list in ${COMPLETE_LIMIT_MS} ms: ${before.split(',').length} threads`,
  )
}
