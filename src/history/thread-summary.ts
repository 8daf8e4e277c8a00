import { arrayAt, isObject, type JsonObject, numberAt, objectAt, stringAt } from '../base/index.ts'
import {
  type ApprovalPolicy,
  type GitInfo,
  GOAL_STATUSES,
  MEMORY_MODES,
  type MemoryMode,
  parseThreadId,
  type RolloutItem,
  type SandboxPolicy,
  type SessionMeta,
  type SessionSource,
  type StoredEvent,
  type ThreadGoal,
  type ThreadId,
  type TokenUsage,
  type TurnContextRecord,
} from '../protocol/index.ts'

/** What a list shows of a thread, as far as its log tells. */
export interface ThreadSummary {
  readonly threadId: ThreadId
  readonly createdAtMs: number
  readonly cwd: string
  readonly source: SessionSource
  readonly modelProvider: string | null
  /** Of the last turn, as are effort, approvals and sandbox. */
  readonly model: string | null
  readonly reasoningEffort: string | null
  readonly approvalPolicy: ApprovalPolicy | null
  readonly sandboxPolicy: SandboxPolicy | null
  readonly cliVersion: string
  readonly originator: string
  readonly threadSource: string | null
  readonly agentNickname: string | null
  readonly agentRole: string | null
  readonly agentPath: string | null
  readonly git: GitInfo | null
  readonly forkedFromId: string | null
  readonly historyMode: 'legacy' | 'paginated'
  readonly memoryMode: MemoryMode
  /** The name that the log itself carries; empty: cleared; null: it has none to tell. */
  readonly loggedName: string | null
  /** First words of the person, or the goal that came before them; empty until there are some. */
  readonly preview: string
  /** `[Image]` when there were pictures only; empty until there is a message. */
  readonly firstUserMessage: string
  /** First message of the person that has words; empty until there is one. */
  readonly title: string
  /** Of all turns, as the model told last. */
  readonly tokenUsage: TokenUsage | null
  /** Null and absent: it has none. */
  readonly goal?: ThreadGoal | null
}

const REQUEST_MARK = '## My request for Codex:'

/** RFC 3339, or the form of file names, which readers take for UTC; 0 for anything else. */
function parseTime(text: string): number {
  const stamp = /^(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d)$/.exec(text)
  return Date.parse(stamp ? `${stamp[1]}:${stamp[2]}:${stamp[3]}Z` : text) || 0
}

/** What the first header tells for good. */
type Header = Pick<
  ThreadSummary,
  | 'threadId'
  | 'createdAtMs'
  | 'cwd'
  | 'source'
  | 'modelProvider'
  | 'cliVersion'
  | 'originator'
  | 'threadSource'
  | 'agentNickname'
  | 'agentRole'
  | 'agentPath'
  | 'forkedFromId'
  | 'historyMode'
>
type Told = Omit<ThreadSummary, keyof Header>

const NOTHING_TOLD: Told = {
  model: null,
  reasoningEffort: null,
  approvalPolicy: null,
  sandboxPolicy: null,
  git: null,
  memoryMode: 'enabled',
  loggedName: null,
  preview: '',
  firstUserMessage: '',
  title: '',
  tokenUsage: null,
}

/**
 * Folds log entries into a summary: the first header names the thread, later ones update it. Given
 * the summary of a log's beginning, it goes on from there.
 */
export class SummaryFold {
  #header: Header | undefined
  #told: Told

  constructor(known?: ThreadSummary) {
    this.#header = known
    this.#told = known ?? NOTHING_TOLD
  }

  /** No message of the person can change the summary any more. */
  get knowsPerson(): boolean {
    return this.#told.title !== ''
  }

  apply(item: RolloutItem): void {
    if (item.type === 'session_meta') this.#applyMeta(item.payload)
    else if (item.type === 'turn_context') this.#applyContext(item.payload)
    else if (item.type === 'event_msg') this.#applyEvent(item.payload)
  }

  #tell(told: Partial<Told>): void {
    this.#told = { ...this.#told, ...told }
  }

  #applyContext({ model, effort, approval_policy, sandbox_policy }: TurnContextRecord): void {
    this.#tell({
      model,
      ...(effort === undefined ? {} : { reasoningEffort: effort }),
      approvalPolicy: approval_policy,
      sandboxPolicy: sandbox_policy,
    })
  }

  #applyEvent(event: StoredEvent): void {
    if (event.type === 'user_message') {
      const images = [...(event.images ?? []), ...event.local_images]
      this.#offerMessage(event.message, images.length > 0)
    } else if (event.type === 'item_completed') {
      this.#applyItem(objectAt(event, 'item') ?? {})
    } else if (event.type === 'thread_name_updated') {
      this.#applyName(event)
    } else if (event.type === 'thread_goal_updated') {
      this.#applyGoal(event)
    } else if (event.type === 'token_count' && event.info) {
      this.#tell({ tokenUsage: event.info.total_token_usage })
    }
  }

  /** A fork has the lines of its source, but not its goal. */
  #applyGoal(event: JsonObject): void {
    const told = objectAt(event, 'goal') ?? {}
    const objective = stringAt(told, 'objective')?.trim()
    if (objective && this.#told.preview === '') this.#tell({ preview: objective })
    const threadId = this.#header?.threadId
    if (threadId === undefined || stringAt(event, 'threadId')?.toLowerCase() !== threadId) return
    this.#tell({ goal: event.cleared === true ? null : goalOf(threadId, told) })
  }

  /** A fork holds the lines of its source, whose name is not its own. */
  #applyName(event: JsonObject): void {
    const threadId = stringAt(event, 'thread_id')?.toLowerCase()
    if (threadId !== this.#header?.threadId) return
    this.#tell({ loggedName: stringAt(event, 'thread_name')?.trim() ?? '' })
  }

  /** Later versions keep messages as whole items. */
  #applyItem(item: JsonObject): void {
    if (item.type !== 'UserMessage') return
    const parts = (arrayAt(item, 'content') ?? []).filter((part) => isObject(part))
    const text = parts.map((part) => stringAt(part, 'text') ?? '').join('')
    const isImage = (part: JsonObject) => part.type === 'image' || part.type === 'local_image'
    this.#offerMessage(text, parts.some(isImage))
  }

  #applyMeta(meta: SessionMeta): void {
    this.#header ??= headerOf(meta)
    if (meta.id.toLowerCase() !== this.#header?.threadId) return
    if (meta.git) this.#tell({ git: Object.keys(meta.git).length > 0 ? meta.git : null })
    const memoryMode = MEMORY_MODES.find((each) => each === meta.memory_mode)
    if (memoryMode) this.#tell({ memoryMode })
  }

  #offerMessage(message: string, hasImages: boolean): void {
    if (this.knowsPerson) return
    const mark = message.indexOf(REQUEST_MARK)
    const text = (mark === -1 ? message : message.slice(mark + REQUEST_MARK.length)).trim()
    const shown = text || (hasImages ? '[Image]' : '')
    if (shown === '') return
    const { preview, firstUserMessage } = this.#told
    this.#tell({
      title: text,
      preview: preview || shown,
      firstUserMessage: firstUserMessage || shown,
    })
  }

  /** Undefined while no header with a valid id was met. */
  finish(): ThreadSummary | undefined {
    return this.#header && { ...this.#header, ...this.#told }
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
    threadSource: textOr(meta.thread_source),
    agentNickname: textOr(meta.agent_nickname),
    agentRole: textOr(meta.agent_role),
    agentPath: textOr(meta.agent_path),
    forkedFromId: meta.forked_from_id ?? null,
    historyMode: meta.history_mode === 'paginated' ? 'paginated' : 'legacy',
  }
}

function goalOf(threadId: ThreadId, told: JsonObject): ThreadGoal | null {
  const objective = stringAt(told, 'objective')
  const status = GOAL_STATUSES.find((each) => each === told.status)
  if (objective === undefined || status === undefined) return null
  return {
    threadId,
    objective,
    status,
    tokenBudget: numberAt(told, 'tokenBudget') ?? null,
    tokensUsed: numberAt(told, 'tokensUsed') ?? 0,
    timeUsedSeconds: numberAt(told, 'timeUsedSeconds') ?? 0,
    createdAt: numberAt(told, 'createdAt') ?? 0,
    updatedAt: numberAt(told, 'updatedAt') ?? 0,
  }
}

function textOr(value: string | undefined): string | null {
  return typeof value === 'string' ? value : null
}
