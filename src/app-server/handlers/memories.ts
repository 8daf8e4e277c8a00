import { clearMemories } from '../../thread-store/index.ts'
import { plainMethod } from '../protocol/method.ts'
import { type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'

const reset = plainMethod('memory/reset', { experimental: true, queueKey: () => 'memory' })

/** Bobbin makes no memories; those that real Codex has made in the same home can be cleared. */
export function memoryRoutes({ home }: ServerContext): Route[] {
  return [
    route(reset, async () => {
      await clearMemories(home)
      return {}
    }),
  ]
}
