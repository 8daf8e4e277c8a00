import { isObject, type Json, type JsonObject, objectAt } from '../../base/index.ts'
import type { ThreadHandle } from '../../core/index.ts'
import type { GitInfo, SessionSource, Turn } from '../../protocol/index.ts'
import type { StoredThread } from '../../thread-store/index.ts'
import { itemOf } from './notifications.ts'

/** What of a thread a list does not tell. */
export interface ThreadExtras {
  readonly status: JsonObject
  readonly turns?: readonly JsonObject[]
  readonly isEphemeral?: boolean
}

/** Source: `reference/app-server.md` 5.1. */
export function wireThread(stored: StoredThread, extras: ThreadExtras): JsonObject {
  const spawned = spawnOf(stored.source) ?? {}
  return {
    id: stored.threadId,
    sessionId: stored.threadId,
    forkedFromId: stored.forkedFromId,
    preview: stored.preview,
    ephemeral: extras.isEphemeral ?? false,
    modelProvider: stored.modelProvider ?? '',
    createdAt: Math.floor(stored.createdAtMs / 1000),
    updatedAt: Math.floor(stored.updatedAtMs / 1000),
    status: extras.status,
    path: stored.rolloutPath,
    cwd: stored.cwd,
    cliVersion: stored.cliVersion,
    source: wireSource(stored.source),
    threadSource: stored.threadSource,
    agentNickname: stored.agentNickname ?? spawned.agent_nickname ?? null,
    agentRole: stored.agentRole ?? spawned.agent_role ?? null,
    gitInfo: wireGit(stored.git),
    name: stored.name,
    turns: [...(extras.turns ?? [])],
  }
}

/** A loaded thread of which the store does not know yet, or never will. */
export function wireNewThread(
  handle: ThreadHandle,
  { status, version }: { readonly status: JsonObject; readonly version: string },
): JsonObject {
  const { threadId, settings } = handle
  const createdAt = Math.floor(mintedAtMs(threadId) / 1000)
  return {
    id: threadId,
    sessionId: threadId,
    forkedFromId: null,
    preview: '',
    ephemeral: handle.isEphemeral,
    modelProvider: settings.modelProvider,
    createdAt,
    updatedAt: createdAt,
    status,
    path: handle.rolloutPath,
    cwd: settings.cwd,
    cliVersion: version,
    source: 'vscode',
    threadSource: null,
    agentNickname: null,
    agentRole: null,
    // 0.133.0 tells them once they are kept.
    gitInfo: null,
    name: null,
    turns: [],
  }
}

export function wireTurn(turn: Turn, view: 'full' | 'summary' | 'notLoaded'): JsonObject {
  return {
    id: turn.id,
    items: itemsOf(turn, view),
    itemsView: view,
    status: turn.status,
    error: turn.error && { ...turn.error },
    startedAt: turn.startedAtS,
    completedAt: turn.completedAtS,
    durationMs: turn.durationMs,
  }
}

/** A summary is the first words of the person and the last of the agent. */
function itemsOf({ items }: Turn, view: 'full' | 'summary' | 'notLoaded'): Json[] {
  if (view === 'notLoaded') return []
  const shown =
    view === 'full'
      ? items
      : [
          items.find(({ type }) => type === 'userMessage'),
          items.findLast(({ type }) => type === 'agentMessage'),
        ].filter((item) => item !== undefined)
  return shown.map(itemOf)
}

function wireGit(git: GitInfo | null): Json {
  if (!git) return null
  const { commit_hash, branch, repository_url } = git
  if (!commit_hash && !branch && !repository_url) return null
  return { sha: commit_hash ?? null, branch: branch ?? null, originUrl: repository_url ?? null }
}

const NO_AGENT = { agent_path: null, agent_nickname: null, agent_role: null }

/** What a spawned agent's thread tells of it. */
function spawnOf(source: SessionSource): JsonObject | undefined {
  const subagent = isObject(source) ? source.subagent : undefined
  return isObject(subagent) ? objectAt(subagent, 'thread_spawn') : undefined
}

function wireSource(source: SessionSource): Json {
  if (typeof source !== 'string') {
    const { subagent, ...rest } = source
    if (subagent === undefined) return rest
    const spawn = spawnOf(source)
    return { subAgent: spawn ? { thread_spawn: { ...NO_AGENT, ...spawn } } : subagent }
  }
  return source === 'mcp' ? 'appServer' : source
}

/** A UUID of version 7 begins with the time of its making. */
function mintedAtMs(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
}
