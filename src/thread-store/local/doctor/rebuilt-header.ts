import { isObject, type JsonObject, objectAt, stringAt } from '../../../base/index.ts'
import type { SessionMeta } from '../../../protocol/index.ts'
import { encodeLine, parseRolloutName, type RolloutFile } from '../../../rollout/index.ts'
import type { IndexReader } from '../../../state/index.ts'
import type { RolloutReport } from './inspect-rollout.ts'

/**
 * The header line, with its newline, of a rollout that has none in its place: the thread's own
 * from further down, or one made of what the index, the lines and the file's name tell.
 */
export function rebuiltHeader(
  file: RolloutFile,
  report: RolloutReport,
  index: IndexReader | undefined,
): string {
  if (report.ownHeader !== null) return `${report.ownHeader}\n`
  const summary = indexedSummary(file, index)
  const timestamp = startOf(file, report, summary)
  const payload = {
    id: file.threadId,
    ...optional({ forked_from_id: stringAt(summary, 'forkedFromId') ?? report.otherId }),
    timestamp,
    cwd: stringAt(summary, 'cwd') ?? report.turnCwd ?? '/',
    originator: stringAt(summary, 'originator') ?? 'bobbin',
    cli_version: stringAt(summary, 'cliVersion') ?? '',
    source: summary.source ?? 'cli',
    ...optional({
      thread_source: stringAt(summary, 'threadSource'),
      agent_nickname: stringAt(summary, 'agentNickname'),
      agent_role: stringAt(summary, 'agentRole'),
      agent_path: stringAt(summary, 'agentPath'),
      model_provider: stringAt(summary, 'modelProvider'),
      memory_mode: summary.memoryMode === 'enabled' ? undefined : stringAt(summary, 'memoryMode'),
      git: objectAt(summary, 'git'),
    }),
  }
  const item = { type: 'session_meta', payload: payload as unknown as SessionMeta } as const
  return encodeLine({ timestamp, item })
}

function optional(fields: { [field: string]: JsonObject | string | null | undefined }): JsonObject {
  const told = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(told) as JsonObject
}

/** Nothing when the index knows nothing of this thread at this path. */
function indexedSummary(file: RolloutFile, index: IndexReader | undefined): JsonObject {
  try {
    const summary: unknown = JSON.parse(String(index?.thread(file.path)?.summary ?? '{}'))
    return isObject(summary) && summary.threadId === file.threadId ? summary : {}
  } catch {
    // What the index cannot tell is told by the file.
    return {}
  }
}

/** When the thread began; the file's name tells it in a time zone that nobody knows any more. */
function startOf(file: RolloutFile, report: RolloutReport, summary: JsonObject): string {
  const { createdAtMs } = summary
  if (typeof createdAtMs === 'number' && createdAtMs > 0) return new Date(createdAtMs).toISOString()
  const { firstTimestamp } = report
  if (firstTimestamp !== null && !Number.isNaN(Date.parse(firstTimestamp))) return firstTimestamp
  const stamp = parseRolloutName(file.path)?.stamp ?? ''
  const atMs = Date.parse(stamp.replace(/T(\d\d)-(\d\d)-(\d\d)$/, 'T$1:$2:$3Z'))
  return new Date(Number.isNaN(atMs) ? 0 : atMs).toISOString()
}
