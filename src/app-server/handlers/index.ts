import type { Connection } from '../connection.ts'
import type { Route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { initializeRoutes } from './initialize.ts'
import { threadLifecycleRoutes } from './thread-lifecycle.ts'
import { turnRoutes } from './turns.ts'

/** Everything that is served. `greet` is called behind a client's handshake. */
export function routes(context: ServerContext, greet: (connection: Connection) => void): Route[] {
  return [
    ...initializeRoutes(context, greet),
    ...threadLifecycleRoutes(context),
    ...turnRoutes(context),
  ]
}
