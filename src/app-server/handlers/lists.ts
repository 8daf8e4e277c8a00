import { hostname } from 'node:os'
import { resolve } from 'node:path'
import * as z from 'zod/mini'
import type { Json } from '../../base/index.ts'
import { readUserConfig } from '../../config/index.ts'
import { FEATURES, isFeature, SETTABLE_FEATURES } from '../features.ts'
import { invalid } from '../protocol/jsonrpc.ts'
import { method, plainMethod } from '../protocol/method.ts'
import { pageOf } from '../protocol/pages.ts'
import { count, optional, texts } from '../protocol/schema.ts'
import { type Route, route } from '../router.ts'
import type { ServerContext } from '../server-context.ts'
import { threadIdOf } from './thread-ids.ts'

const queueKey = () => 'config'
const page = { cursor: optional(z.string()), limit: optional(count) }
const cwds = optional(texts)

const hooksList = method('hooks/list', () => z.object({ cwds }), { queueKey })
const pluginList = method('plugin/list', () => z.object({ cwds }), { queueKey })
const pluginInstalled = method('plugin/installed', () => z.object({ cwds }), { queueKey })
const appList = method('app/list', () => z.object({ ...page, threadId: optional(z.string()) }))
const featureList = method('experimentalFeature/list', () => z.object(page), { queueKey })
const featureSet = method(
  'experimentalFeature/enablement/set',
  () => z.object({ enablement: z.record(z.string(), z.boolean()) }),
  { queueKey },
)
const modeList = method('collaborationMode/list', () => z.object({}), { experimental: true })
const profileList = method('permissionProfile/list', () => z.object(page))
const remoteStatus = plainMethod('remoteControl/status/read', { experimental: true })
const windowsReadiness = plainMethod('windowsSandbox/readiness')

const MOST_FOLDERS = 100

const PROFILES: readonly Json[] = [':read-only', ':workspace', ':danger-full-access'].map((id) => ({
  id,
  description: null,
}))
const MODES: readonly Json[] = [
  { name: 'Plan', mode: 'plan', model: null, reasoning_effort: 'medium' },
  { name: 'Default', mode: 'default', model: null, reasoning_effort: null },
]

/** What there is to choose from, and what there is not. Source: `app-server.md` 18.1. */
export function listRoutes(context: ServerContext): Route[] {
  return [
    ...emptyLists(context),
    ...featureRoutes(context),
    route(modeList, async () => ({ data: [...MODES] })),
    route(profileList, async (params) => pageOf(PROFILES, params, 'permission profiles')),
    route(remoteStatus, async () => ({
      status: 'disabled',
      serverName: hostname(),
      installationId: await context.installationId(),
      environmentId: null,
    })),
    route(windowsReadiness, async () => ({ status: 'notConfigured' })),
  ]
}

/** Bobbin has no hooks, plugins or apps. */
function emptyLists(context: ServerContext): Route[] {
  return [
    route(hooksList, async ({ cwds }) => {
      const data = foldersOf(context, cwds).map(
        ({ cwd }): Json => ({ cwd, hooks: [], warnings: [], errors: [] }),
      )
      return { data }
    }),
    route(pluginList, async () => {
      return { marketplaces: [], marketplaceLoadErrors: [], featuredPluginIds: [] }
    }),
    route(pluginInstalled, async () => ({ marketplaces: [], marketplaceLoadErrors: [] })),
    route(appList, async ({ threadId }) => {
      if (threadId !== undefined) threadIdOf(threadId)
      return { data: [], nextCursor: null }
    }),
  ]
}

function featureRoutes({ home }: ServerContext): Route[] {
  /** What clients have switched, for as long as this process runs. */
  const switched = new Map<string, boolean>()
  return [
    route(featureList, async (params) => {
      const { features } = await readUserConfig(home)
      const configured = (features ?? {}) as { readonly [name: string]: Json | undefined }
      const all = FEATURES.map((feature): Json => {
        const set = configured[feature.name]
        const enabled = typeof set === 'boolean' ? set : switched.get(feature.name)
        return { ...feature, announcement: null, enabled: enabled ?? feature.defaultEnabled }
      })
      return pageOf(all, params, 'feature flags')
    }),
    route(featureSet, async ({ enablement }) => {
      for (const name of Object.keys(enablement)) {
        if (SETTABLE_FEATURES.includes(name)) continue
        if (!isFeature(name)) throw invalid(`invalid feature enablement \`${name}\``)
        const known = SETTABLE_FEATURES.join(', ')
        const reason = `currently supported features are ${known}`
        throw invalid(`unsupported feature enablement \`${name}\`: ${reason}`)
      }
      for (const [name, isOn] of Object.entries(enablement)) switched.set(name, isOn)
      return { enablement }
    }),
  ]
}

/** The folders as the client has named them, and where they are. */
export function foldersOf(
  { cwd }: ServerContext,
  cwds: readonly string[] | undefined,
): { readonly cwd: string; readonly folder: string }[] {
  if (cwds && cwds.length > MOST_FOLDERS) throw invalid(`too many cwds: limit is ${MOST_FOLDERS}`)
  const named = cwds && cwds.length > 0 ? cwds : [cwd]
  return named.map((each) => ({ cwd: each, folder: resolve(cwd, each) }))
}
