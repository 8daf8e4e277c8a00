/** A contest over one long thread. */
import { copyFile, mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { JsonObject } from '../src/base/index.ts'
import { type CodexSide, Contest } from './contest.ts'
import { type LongThread, type LongThreadPlan, longThread } from './long-thread.ts'
import type { Row } from './measure.ts'

export class ThreadContest implements AsyncDisposable {
  readonly programs: Contest
  readonly thread: LongThread

  private constructor(programs: Contest, thread: LongThread) {
    this.programs = programs
    this.thread = thread
  }

  /** Every program has its own copy, which it may change. */
  static async open(plan: LongThreadPlan): Promise<ThreadContest> {
    const thread = await longThread(plan)
    const programs = await Contest.open(async (home) => {
      const path = join(home, thread.relativePath)
      await mkdir(dirname(path), { recursive: true })
      await copyFile(thread.path, path)
    })
    return new ThreadContest(programs, thread)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.programs[Symbol.asyncDispose]()
  }
}

/** How to ask each program for the same. */
export interface SameThing {
  readonly name: string
  /** Name of the store's call. */
  readonly call: string
  readonly codex133?: CodexRequest
  readonly codex169?: CodexRequest
}

export type CodexRequest = (threadId: string) => { method: string; params: JsonObject }

/** Shown as `20 MB thread` and so on. */
export function labelOf({ megabytes, isCompacted }: LongThreadPlan): string {
  return `${megabytes} MB${isCompacted ? ' compacted' : ''} thread`
}

export function callOf({ call }: SameThing, { thread }: ThreadContest): JsonObject {
  return { call, threadId: thread.threadId }
}

/** One take for each program that can do it. */
export function takesOf(
  thing: SameThing,
  bobbin: (sides: ThreadContest) => Promise<number>,
  codex: (sides: ThreadContest, side: CodexSide, request: CodexRequest) => Promise<number>,
): Row<ThreadContest>['take'] {
  const { codex133, codex169 } = thing
  return {
    bobbin,
    ...(codex133 ? { codex133: (sides) => codex(sides, 'codex133', codex133) } : {}),
    ...(codex169 ? { codex169: (sides) => codex(sides, 'codex169', codex169) } : {}),
  }
}
