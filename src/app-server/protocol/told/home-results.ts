import * as z from 'zod'
import { effort } from '../thread-params.ts'
import { anything, flag, maybe, page, text, told } from './objects.ts'

const model = told({
  id: text,
  model: text,
  upgrade: maybe(text),
  upgradeInfo: maybe(
    told({
      model: text,
      upgradeCopy: maybe(text),
      modelLink: maybe(text),
      migrationMarkdown: maybe(text),
    }),
  ),
  availabilityNux: maybe(told({ message: text })),
  displayName: text,
  description: text,
  hidden: flag,
  supportedReasoningEfforts: z.array(told({ reasoningEffort: effort, description: text })),
  defaultReasoningEffort: effort,
  inputModalities: z.array(z.enum(['text', 'image'])),
  supportsPersonality: flag,
  additionalSpeedTiers: z.array(text),
  serviceTiers: z.array(told({ id: text, name: text, description: text })),
  defaultServiceTier: maybe(text),
  isDefault: flag,
}).meta({ id: 'Model' })

const feature = told({
  name: text,
  stage: z.enum(['beta', 'underDevelopment', 'stable', 'deprecated', 'removed']),
  displayName: maybe(text),
  description: maybe(text),
  announcement: maybe(text),
  enabled: flag,
  defaultEnabled: flag,
}).meta({ id: 'ExperimentalFeature' })

const fault = told({ path: text, message: text })

const skill = told({
  name: text,
  description: text,
  shortDescription: text.optional(),
  interface: told({
    displayName: maybe(text),
    shortDescription: maybe(text),
    iconSmall: maybe(text),
    iconLarge: maybe(text),
    brandColor: maybe(text),
    defaultPrompt: maybe(text),
  }).optional(),
  path: text,
  scope: z.enum(['user', 'repo', 'system', 'admin']),
  enabled: flag,
}).meta({ id: 'Skill' })

/** What MCP servers say of theirs is passed on as it is. */
const offered = z.record(text, anything)
const mcpServer = told({
  name: text,
  tools: z.record(text, offered),
  resources: z.array(offered),
  resourceTemplates: z.array(offered),
  authStatus: z.enum(['unsupported', 'notLoggedIn', 'bearerToken', 'oAuth']),
}).meta({ id: 'McpServerStatus' })

const layer = {
  name: told({ type: z.literal('user'), file: text, profile: maybe(text) }),
  version: text,
}

/** Bobbin has no hooks, plugins or apps. */
const none = z.array(anything).max(0)
const plugins = { marketplaces: none, marketplaceLoadErrors: none }

/** What the methods about the home answer: its configuration, its account, what it offers. */
export const HOME_RESULTS = {
  'model/list': page(model),
  'modelProvider/capabilities/read': told({
    namespaceTools: flag,
    imageGeneration: flag,
    webSearch: flag,
  }),
  'hooks/list': told({
    data: z.array(
      told({ cwd: text, hooks: none, warnings: z.array(text), errors: z.array(fault) }),
    ),
  }),
  'plugin/list': told({ ...plugins, featuredPluginIds: z.array(text) }),
  'plugin/installed': told(plugins),
  'app/list': told({ data: none, nextCursor: maybe(text) }),
  'experimentalFeature/list': page(feature),
  'experimentalFeature/enablement/set': told({ enablement: z.record(text, flag) }),
  'collaborationMode/list': told({
    data: z.array(
      told({
        name: text,
        mode: maybe(z.enum(['plan', 'default'])),
        model: maybe(text),
        reasoning_effort: maybe(effort),
      }),
    ),
  }),
  'permissionProfile/list': page(told({ id: text, description: maybe(text) })),
  'remoteControl/status/read': told({
    status: text,
    serverName: text,
    installationId: text,
    environmentId: maybe(text),
  }),
  'windowsSandbox/readiness': told({
    status: z.enum(['ready', 'notConfigured', 'updateRequired']),
  }),
  'mcpServerStatus/list': page(mcpServer),
  'skills/list': told({
    data: z.array(told({ cwd: text, skills: z.array(skill), errors: z.array(fault) })),
  }),
  'account/read': told({
    account: maybe(told({ type: z.literal('apiKey') })),
    requiresOpenaiAuth: flag,
  }),
  getAuthStatus: told({
    authMethod: maybe(z.enum(['apikey', 'chatgpt'])),
    authToken: maybe(text),
    requiresOpenaiAuth: maybe(flag),
  }),
  'account/login/start': told({ type: z.literal('apiKey') }),
  'account/login/cancel': told({ status: z.enum(['canceled', 'notFound']) }),
  'config/read': told({
    config: z.record(text, anything),
    origins: z.record(text, told(layer)),
    layers: z.array(told({ ...layer, config: anything })).optional(),
  }),
  'configRequirements/read': told({ requirements: z.null() }),
  'feedback/upload': told({ threadId: text, reason: text }),
} as const
