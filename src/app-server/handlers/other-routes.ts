import type { Route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { accountRoutes } from './account.ts'
import { commandExecRoutes } from './command-exec.ts'
import { configRoutes } from './config.ts'
import { feedbackRoutes } from './feedback.ts'
import { fsRoutes } from './fs.ts'
import { fsWatchRoutes } from './fs-watch.ts'
import { fuzzySearchRoutes } from './fuzzy-search.ts'
import { guardianRoutes } from './guardian.ts'
import { listRoutes } from './lists.ts'
import { mcpServerRoutes } from './mcp-servers.ts'
import { memoryRoutes } from './memories.ts'
import { modelRoutes } from './models.ts'
import { processRoutes } from './processes.ts'
import { skillRoutes } from './skills.ts'
import { summaryRoutes } from './summaries.ts'
import { threadArchiveRoutes } from './thread-archive.ts'
import { threadGoalsRoutes } from './thread-goals.ts'
import { threadLifecycleRoutes } from './thread-lifecycle.ts'
import { threadMetadataRoutes } from './thread-metadata.ts'
import { threadReadRoutes } from './thread-read.ts'
import { threadRevertRoutes } from './thread-revert.ts'
import { threadSearchRoutes } from './thread-search.ts'
import { threadTurnsRoutes } from './thread-turns.ts'
import { turnRoutes } from './turns.ts'

/** All that is served behind the handshake, but for `firstRoutes`. */
export function otherRoutes(context: ServerContext): Route[] {
  return [
    ...threadLifecycleRoutes(context),
    ...threadReadRoutes(context),
    ...threadTurnsRoutes(context),
    ...threadSearchRoutes(context),
    ...threadMetadataRoutes(context),
    ...threadGoalsRoutes(context),
    ...threadArchiveRoutes(context),
    ...threadRevertRoutes(context),
    ...turnRoutes(context),
    ...modelRoutes(),
    ...listRoutes(context),
    ...mcpServerRoutes(context),
    ...skillRoutes(context),
    ...memoryRoutes(context),
    ...guardianRoutes(context),
    ...accountRoutes(context),
    ...configRoutes(context),
    ...fsRoutes(),
    ...fsWatchRoutes(),
    ...commandExecRoutes(context),
    ...fuzzySearchRoutes(context),
    ...feedbackRoutes(context),
    ...summaryRoutes(context),
    ...processRoutes(context),
  ]
}
