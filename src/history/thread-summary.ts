import { arrayAt, isObject, type JsonObject, objectAt, stringAt } from '../base/index.ts'
import {
  type GitInfo,
  MEMORY_MODES,
  type MemoryMode,
  parseThreadId,
  type RolloutItem,
  type SessionMeta,
  type SessionSource,
  type StoredEvent,
  type ThreadId,
} from '../protocol/index.ts'

/** What a list shows of a thread, as far as its log tells. */
export interface ThreadSummary {
  readonly threadId: ThreadId
  readonly createdAtMs: number
  readonly cwd: string
  readonly source: SessionSource
  readonly modelProvider: string | null
  readonly model: string | null
  readonly cliVersion: string
  readonly originator: string
  readonly git: GitInfo | null
  readonly forkedFromId: string | null
  readonly historyMode: 'legacy' | 'paginated'
  readonly memoryMode: MemoryMode
  /** The name that the log itself carries; empty: cleared; null: it has none to tell. */
  readonly loggedName: string | null
  /** First words of the person; empty until there are some. */
  readonly preview: string
}

const REQUEST_MARK = '## My request for Codex:'

/** RFC 3339, or the form of file names, which readers take for UTC; 0 for anything else. */
function parseTime(text: string): number {
  const stamp = /^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d)$/.exec(text)
  return Date.parse(stamp ? `${stamp[1]}:${stamp[2]}:${stamp[3]}Z` : text) || 0
}

type Header = Omit<ThreadSummary, 'git' | 'model' | 'preview' | 'memoryMode' | 'loggedName'>

/**
 * Folds log entries into a summary: the first header names the thread, later ones update it. Given
 * the summary of a log's beginning, it goes on from there.
 */
export class SummaryFold {
  #header: Header | undefined
  #git: GitInfo | null
  #model: string | null
  #preview: string
  #memoryMode: MemoryMode
  #name: string | null

  constructor(known?: ThreadSummary) {
    this.#header = known
    this.#git = known?.git ?? null
    this.#model = known?.model ?? null
    this.#preview = known?.preview ?? ''
    this.#memoryMode = known?.memoryMode ?? 'enabled'
    this.#name = known?.loggedName ?? null
  }

  get hasPreview(): boolean {
    return this.#preview !== ''
  }

  apply(item: RolloutItem): void {
    if (item.type === 'session_meta') this.#applyMeta(item.payload)
    else if (item.type === 'turn_context') this.#model = item.payload.model
    else if (item.type === 'event_msg') this.#applyEvent(item.payload)
  }

  #applyEvent(event: StoredEvent): void {
    if (event.type === 'user_message') {
      const images = [...(event.images ?? []), ...event.local_images]
      this.#offerPreview(event.message, images.length > 0)
    } else if (event.type === 'item_completed') {
      this.#applyItem(objectAt(event, 'item') ?? {})
    } else if (event.type === 'thread_name_updated') {
      this.#applyName(event)
    } else if (event.type === 'thread_goal_updated') {
      this.#offerPreview(stringAt(objectAt(event, 'goal') ?? {}, 'objective') ?? '', false)
    }
  }

  /** A fork holds the lines of its source, whose name is not its own. */
  #applyName(event: JsonObject): void {
    const threadId = stringAt(event, 'thread_id')?.toLowerCase()
    if (threadId === this.#header?.threadId)
      this.#name = stringAt(event, 'thread_name')?.trim() ?? ''
  }

  /** Later versions keep messages as whole items. */
  #applyItem(item: JsonObject): void {
    if (item.type !== 'UserMessage') return
    const parts = (arrayAt(item, 'content') ?? []).filter((part) => isObject(part))
    const text = parts.map((part) => stringAt(part, 'text') ?? '').join('')
    const isImage = (part: JsonObject) => part.type === 'image' || part.type === 'local_image'
    this.#offerPreview(text, parts.some(isImage))
  }

  #applyMeta(meta: SessionMeta): void {
    this.#header ??= headerOf(meta)
    if (meta.id.toLowerCase() !== this.#header?.threadId) return
    if (meta.git) this.#git = Object.keys(meta.git).length > 0 ? meta.git : null
    const mode = MEMORY_MODES.find((each) => each === meta.memory_mode)
    if (mode) this.#memoryMode = mode
  }

  #offerPreview(message: string, hasImages: boolean): void {
    if (this.#preview !== '') return
    const mark = message.indexOf(REQUEST_MARK)
    const text = (mark === -1 ? message : message.slice(mark + REQUEST_MARK.length)).trim()
    this.#preview = text || (hasImages ? '[Image]' : '')
  }

  /** Undefined while no header with a valid id was met. */
  finish(): ThreadSummary | undefined {
    return (
      this.#header && {
        ...this.#header,
        model: this.#model,
        git: this.#git,
        memoryMode: this.#memoryMode,
        loggedName: this.#name,
        preview: this.#preview,
      }
    )
  }
}

function headerOf(meta: SessionMeta): Header | undefined {
  const threadId = parseThreadId(meta.id)
  if (!threadId) return undefined
  return {
    threadId,
    createdAtMs: parseTime(meta.timestamp),
    cwd: meta.cwd,
    source: meta.source,
    modelProvider: meta.model_provider ?? null,
    cliVersion: meta.cli_version,
    originator: meta.originator,
    forkedFromId: meta.forked_from_id ?? null,
    historyMode: meta.history_mode === 'paginated' ? 'paginated' : 'legacy',
  }
}
