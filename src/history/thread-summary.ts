import {
  type GitInfo,
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
  /** First words of the person; empty until there are some. */
  readonly preview: string
}

const REQUEST_MARK = '## My request for Codex:'

/** Folds log entries into a summary: the first header names the thread, later ones update it. */
export class SummaryFold {
  #meta: SessionMeta | undefined
  #git: GitInfo | null = null
  #model: string | null = null
  #preview = ''

  get hasHeader(): boolean {
    return this.#meta !== undefined
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
    if (event.type === 'user_message') this.#offerPreview(event)
    else if (event.type === 'item_completed') {
      const item = event.item as { type?: unknown; content?: unknown } | undefined
      if (item?.type !== 'UserMessage' || !Array.isArray(item.content)) return
      const texts = item.content.map((part: { text?: unknown }) => part?.text)
      this.#offerPreview({ message: texts.filter((text) => typeof text === 'string').join('') })
    }
  }

  #applyMeta(meta: SessionMeta): void {
    if (!this.#meta) this.#meta = meta
    else if (meta.id !== this.#meta.id) return
    if (meta.git) this.#git = Object.keys(meta.git).length > 0 ? meta.git : null
  }

  #offerPreview(event: { message?: unknown; images?: unknown; local_images?: unknown }): void {
    if (this.#preview !== '') return
    const message = typeof event.message === 'string' ? event.message : ''
    const mark = message.indexOf(REQUEST_MARK)
    const text = (mark === -1 ? message : message.slice(mark + REQUEST_MARK.length)).trim()
    const hasImages = [event.images, event.local_images].some(
      (list) => Array.isArray(list) && list.length > 0,
    )
    this.#preview = text || (hasImages ? '[Image]' : '')
  }

  /** Undefined while no header with a valid id was met. */
  finish(): ThreadSummary | undefined {
    const meta = this.#meta
    const threadId = meta && parseThreadId(meta.id)
    if (!meta || !threadId) return undefined
    return {
      threadId,
      createdAtMs: Date.parse(meta.timestamp) || 0,
      cwd: meta.cwd,
      source: meta.source,
      modelProvider: meta.model_provider ?? null,
      model: this.#model,
      cliVersion: meta.cli_version,
      originator: meta.originator,
      git: this.#git,
      forkedFromId: meta.forked_from_id ?? null,
      historyMode: meta.history_mode === 'paginated' ? 'paginated' : 'legacy',
      preview: this.#preview,
    }
  }
}
