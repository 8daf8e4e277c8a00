import { brokenMessages, flood } from './client-faults.ts'
import { badHeaders, bitFlips, flippedHeaders, rubbish, tornTails } from './damage.ts'
import { hostilePaths } from './hostile-paths.ts'
import { lostIndex } from './index-lost.ts'
import { killAtAnswer } from './kill-at-answer.ts'
import { killInTurn } from './kill-in-turn.ts'
import { killInWrite } from './kill-writer.ts'
import { badModel } from './model-faults.ts'
import { fewDescriptors, fullHome, homeGone, readOnlyHome } from './poor-machine.ts'
import { powerCut } from './power-cut.ts'
import { racingServers, racingStores } from './races.ts'
import { interrupts, signals } from './stops.ts'
import { failingTurnCalls, failingWriterCalls, fullDisk } from './storage-calls.ts'
import type { FaultClass } from './suite.ts'

/** Every class, in the order in which they run. */
export const CLASSES: readonly FaultClass[] = [
  killInTurn,
  killAtAnswer,
  killInWrite,
  failingWriterCalls,
  failingTurnCalls,
  fullDisk,
  powerCut('turn'),
  powerCut('power'),
  tornTails,
  rubbish,
  bitFlips,
  badHeaders,
  flippedHeaders,
  lostIndex,
  fullHome,
  readOnlyHome,
  fewDescriptors,
  homeGone,
  racingStores,
  racingServers,
  badModel,
  brokenMessages,
  flood,
  interrupts,
  signals,
  hostilePaths,
]
