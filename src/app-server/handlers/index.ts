import type { Route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { threadListRoutes } from './thread-list.ts'

/** What clients ask for right behind their handshake: it waits for nothing else to be loaded. */
export const firstRoutes: (context: ServerContext) => Route[] = threadListRoutes

/** Loads the rest of what is served. */
export async function loadOtherRoutes(context: ServerContext): Promise<Route[]> {
  const { otherRoutes } = await import('./other-routes.ts')
  return otherRoutes(context)
}
