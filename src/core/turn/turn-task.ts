import type { RolloutItem } from '../../protocol/index.ts'
import type { TurnRun } from './turn-run.ts'

export type TurnKind = 'regular' | 'compact' | 'review' | 'shell'

/** What a turn begins with, behind the line that opens it, and how that is told. */
export interface TurnOpening {
  readonly lines: readonly RolloutItem[]
  readonly tell: () => void
}

/** What a turn is for. The way out is the same for all. */
export interface TurnTask {
  readonly kind: TurnKind
  open(run: TurnRun): Promise<TurnOpening>
  /** Everything up to the end; answers the model's last words. */
  work(run: TurnRun): Promise<string | null>
}
