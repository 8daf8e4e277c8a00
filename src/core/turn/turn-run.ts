import type { JsonObject } from '../../base/index.ts'
import type {
  ResponseItem,
  RolloutItem,
  ThreadId,
  TurnContextRecord,
  TurnId,
} from '../../protocol/index.ts'
import { type ContextSources, turnContextRecord } from '../context/turn-context.ts'
import { type ModelInfo, modelInfo } from '../model/model-catalog.ts'
import type { EventRecorder } from '../session/event-recorder.ts'
import type { SessionServices } from '../session/session-services.ts'
import type { SessionState } from '../session/session-state.ts'
import type { SessionOrigin, SessionSettings } from '../settings.ts'
import type { Clients } from '../tools/tool.ts'
import type { TurnDiff } from './turn-diff.ts'
import type { TurnState } from './turn-state.ts'

/** Everything that a task kind works with; frozen for one turn. */
export interface TurnRun {
  readonly threadId: ThreadId
  /** Of the tree of sessions that this one belongs to. */
  readonly sessionId: ThreadId
  /** What the session is for, when it works for another one. */
  readonly purpose?: string
  readonly turnId: TurnId
  readonly settings: SessionSettings
  readonly origin: SessionOrigin
  readonly instructions: string
  readonly outputSchema?: JsonObject
  readonly services: SessionServices
  readonly session: SessionState
  readonly turn: TurnState
  readonly recorder: EventRecorder
  readonly clients: Clients
  readonly turnDiff: TurnDiff
  readonly signal: AbortSignal
  /** Ends the turn as if the person had interrupted it. */
  readonly interruptTurn: () => void
  /** Aborts the signal: whatever still waits in the turn ends. */
  readonly letGo: () => void
  /** Resolves when the turn's start is durable and told; nothing else may be told before. */
  readonly opened: Promise<void>
}

export function infoOf(run: TurnRun): ModelInfo {
  return modelInfo(run.settings.model, run.settings.contextWindow)
}

/** What the model is told of the turn's surroundings, and where that comes from. */
export function turnContextOf({ settings, services, turn, turnId }: TurnRun): {
  readonly record: TurnContextRecord
  readonly sources: ContextSources
} {
  const { shellName, timezone, projectDocs } = services.surroundings
  const environment = { shellName, timezone, nowMs: turn.startedAtUnixMs }
  const record = turnContextRecord(turnId, settings, environment)
  return {
    record,
    sources: { settings, environment, projectDocs: () => projectDocs(settings.cwd) },
  }
}

export function tokenCount(run: TurnRun): RolloutItem {
  return tokenCountOf(run.session)
}

export function tokenCountOf(session: SessionState): RolloutItem {
  const payload = { info: session.tokenInfo, rate_limits: session.rateLimits }
  return { type: 'event_msg', payload: { type: 'token_count', ...payload } }
}

/** A history item and its line: what the model will see again is what the log holds. */
export function remember(run: TurnRun, items: readonly ResponseItem[]): RolloutItem[] {
  run.session.append(...items)
  return items.map((payload) => ({ type: 'response_item', payload }))
}
