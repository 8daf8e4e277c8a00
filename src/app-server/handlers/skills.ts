import { resolve } from 'node:path'
import * as z from 'zod/mini'
import type { Json } from '../../base/index.ts'
import { listSkills, readUserConfig, writeSkillRule } from '../../config/index.ts'
import { RpcError } from '../protocol/jsonrpc.ts'
import { method } from '../protocol/method.ts'
import { absolutePath } from '../protocol/paths.ts'
import { optional, texts } from '../protocol/schema.ts'
import { type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { toWriteFailure } from './config.ts'
import { foldersOf } from './lists.ts'

const list = method('skills/list', () =>
  z.object({ cwds: optional(texts), forceReload: optional(z.boolean()) }),
)
const configWrite = method(
  'skills/config/write',
  () =>
    z.object({
      path: optional(absolutePath()),
      name: optional(z.string()),
      enabled: z.boolean(),
    }),
  { queueKey: () => 'config' },
)

/** Which skills there are, and whether they are used. Source: `app-server.md` 18.1; observed. */
export function skillRoutes(context: ServerContext): Route[] {
  const { home, environment = process.env } = context
  return [
    route(list, async ({ cwds }) => {
      const folders = foldersOf(context, cwds)
      const config = await readUserConfig(home)
      const data = folders.map(async ({ cwd, folder }) => {
        const { skills, errors } = await listSkills({ home, cwd: folder, environment, config })
        return { cwd, skills: [...skills], errors: [...errors] } as unknown as Json
      })
      return { data: await Promise.all(data) }
    }),
    route(configWrite, async ({ path, name: given, enabled }) => {
      const name = given?.trim() || undefined
      if ((path === undefined) === (name === undefined)) {
        const reason = 'skills/config/write requires exactly one of path or name'
        throw new RpcError('invalidParams', reason)
      }
      const selector = path === undefined ? { name: name ?? '' } : { path: resolve(path) }
      try {
        await writeSkillRule({ home, environment }, selector, enabled)
      } catch (error) {
        throw toWriteFailure(error)
      }
      return { effectiveEnabled: enabled }
    }),
  ]
}
