import { arrayAt, isObject, type JsonObject } from '../../base/index.ts'
import { SessionError } from '../errors.ts'
import type { McpContext } from './mcp-context.ts'
import type { McpServer } from './mcp-server.ts'

const MOST_PAGES = 100
const MOST_LIST_CHARACTERS = 4 * 1024 * 1024

export interface ListRequest {
  readonly method: string
  /** Where the entries are in an answer. */
  readonly key: string
}

/** What a server has, of all pages; nothing for one that cannot say. */
export async function allEntries(
  server: McpServer,
  { method, key }: ListRequest,
  context: McpContext,
): Promise<JsonObject[]> {
  const entries: JsonObject[] = []
  let cursor: string | undefined
  let left = MOST_LIST_CHARACTERS
  try {
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const params = cursor === undefined ? {} : { cursor }
      const result = await server.request(method, params, context)
      entries.push(...(arrayAt(result, key) ?? []).filter(isObject))
      left -= JSON.stringify(result).length
      if (typeof result.nextCursor !== 'string' || left <= 0) break
      cursor = result.nextCursor
    }
  } catch (error) {
    context.signal.throwIfAborted()
    if (error instanceof SessionError) throw error
    // Many servers have tools alone; the others are listed all the same.
  }
  return entries
}
