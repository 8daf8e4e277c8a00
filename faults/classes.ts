import { killAtAnswer } from './kill-at-answer.ts'
import { killInTurn } from './kill-in-turn.ts'
import type { FaultClass } from './suite.ts'

/** Every class, in the order in which they run. */
export const CLASSES: readonly FaultClass[] = [killInTurn, killAtAnswer]
