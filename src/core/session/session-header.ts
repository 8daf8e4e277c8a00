import type { WorkTreeFacts } from '../../base/index.ts'
import type { ModelHistory } from '../../history/index.ts'
import type {
  DynamicToolDefinition,
  RolloutItem,
  SessionMeta,
  ThreadId,
} from '../../protocol/index.ts'
import type { SessionOrigin, SessionSettings } from '../settings.ts'
import { storedDynamicTools } from '../tools/dynamic-tool-definitions.ts'

export interface NewHeader {
  readonly threadId: ThreadId
  readonly createdAtMs: number
  readonly settings: SessionSettings
  readonly origin: SessionOrigin
  /** Of the program. */
  readonly version: string
  readonly instructions: string
  readonly dynamicTools: readonly DynamicToolDefinition[]
  readonly workTree: WorkTreeFacts | undefined
}

/** The first line of a new thread's log. */
export function newHeader(params: NewHeader): SessionMeta {
  const { threadId, createdAtMs, settings, origin, version, dynamicTools, workTree } = params
  return {
    id: threadId,
    timestamp: new Date(createdAtMs).toISOString(),
    cwd: settings.cwd,
    originator: origin.originator,
    cli_version: version,
    source: origin.source,
    ...(origin.threadSource ? { thread_source: origin.threadSource } : {}),
    model_provider: settings.modelProvider,
    base_instructions: { text: params.instructions },
    ...(dynamicTools.length > 0 ? { dynamic_tools: storedDynamicTools(dynamicTools) } : {}),
    ...(workTree ? { git: gitInfo(workTree) } : {}),
  }
}

/** The thread's own: a fork's log may hold its source's behind it. */
export function headerOf(items: readonly RolloutItem[]): SessionMeta | undefined {
  return items.find((item) => item.type === 'session_meta')?.payload
}

export type SettingsOverrides = Partial<Pick<SessionSettings, 'model' | 'modelProvider' | 'effort'>>

/** What is in force when a thread is loaded again. Source: `reference/session-runtime.md` F8. */
export function resumedSettings(
  defaults: SessionSettings,
  overrides: SettingsOverrides,
  header: SessionMeta | undefined,
  history: ModelHistory,
): SessionSettings {
  const last = history.lastTurnContext
  const isSameModel = overrides.model === undefined || overrides.model === last?.model
  const effort = overrides.effort ?? (isSameModel ? last?.effort : undefined) ?? defaults.effort
  return {
    ...defaults,
    model: overrides.model ?? last?.model ?? defaults.model,
    modelProvider: overrides.modelProvider ?? header?.model_provider ?? defaults.modelProvider,
    ...(effort === undefined ? {} : { effort }),
  }
}

/** Told when a thread goes on with another model than it was led by. */
export function modelChangeWarning(
  history: ModelHistory,
  { model }: SessionSettings,
): string | undefined {
  const recorded = history.lastTurnContext?.model
  if (recorded === undefined || recorded === model) return undefined
  return (
    `This session was recorded with model \`${recorded}\` but is resuming with \`${model}\`. ` +
    'Consider switching back: the other model may not make as much of what was said.'
  )
}

function gitInfo(tree: WorkTreeFacts): NonNullable<SessionMeta['git']> {
  return {
    ...(tree.commitHash ? { commit_hash: tree.commitHash } : {}),
    ...(tree.branch ? { branch: tree.branch } : {}),
    ...(tree.originUrl ? { repository_url: tree.originUrl } : {}),
  }
}
