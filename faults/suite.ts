/**
 * How faults are tried. A class of faults has numbered steps; a step draws all that is random in it
 * from the seed, the class and its own number, so that it can be run again alone. In a step one
 * fault after the other is put in, and what had been told before is looked for behind it.
 */
import { AssertionError } from 'node:assert'
import { setTimeout as pause } from 'node:timers/promises'
import { errorText } from '../src/base/index.ts'
import { type Random, seededRandom, seedOf } from '../test/support/seeded-random.ts'
import type { Lab } from './lab.ts'

/** Longer than any fault may take, whatever else the machine does. */
const FAULT_LIMIT_MS = 120_000

export interface FaultClass {
  /** Part and class, as `kill: in a turn`; `--only` takes any piece of it. */
  readonly name: string
  /** Goals that it stands for, as `G1 G2`. */
  readonly goals: string
  /** How many steps there are in the short form and in the long one. */
  readonly steps: { readonly short: number; readonly long: number }
  run(trial: Trial): Promise<void>
}

/**
 * `lost`: what had been told was not found, or not as it had been told. `failed`: the fault led to
 * no end, to a crash, or to an answer that none may give.
 */
export interface Trouble {
  readonly kind: 'lost' | 'failed'
  readonly name: string
  readonly step: number
  readonly fault: string
  readonly message: string
}

export interface Verdict {
  readonly name: string
  readonly goals: string
  /** Faults put in. */
  readonly tried: number
  /** Faults behind which all that had been told was found. */
  readonly survived: number
  readonly lost: number
  readonly failed: number
  /** Things that had been told and were looked for. */
  readonly checked: number
  readonly ms: number
  /** Why nothing could be tried. */
  readonly skipped?: string | undefined
  readonly troubles: readonly Trouble[]
}

/** What a fault's work says it has looked for. */
export interface Checks {
  add(count?: number): void
}

/** One step of a class. */
export class Trial {
  readonly lab: Lab
  readonly number: number
  readonly random: Random
  readonly isShort: boolean
  readonly troubles: Trouble[] = []
  tried = 0
  checked = 0
  skipped: string | undefined
  readonly #name: string

  constructor(lab: Lab, name: string, number: number, seed: number, isShort: boolean) {
    this.lab = lab
    this.#name = name
    this.number = number
    this.random = seededRandom(seedOf(seed, `${name} ${number}`))
    this.isShort = isShort
  }

  /**
   * Puts one fault in and looks for what was told. An assertion that fails means that something is
   * lost; every other error, and no end in time, that the fault was not survived. Answers whether
   * it was; never throws.
   */
  fault(what: string, work: (checks: Checks) => Promise<void>): Promise<boolean> {
    return this.faults(1, what, work)
  }

  /** As `fault`, of so many in a chain. */
  async faults(
    count: number,
    what: string,
    work: (checks: Checks) => Promise<void>,
  ): Promise<boolean> {
    this.tried += count
    const checks: Checks = {
      add: (count = 1) => {
        this.checked += count
      },
    }
    try {
      await withinLimit(work(checks))
      return true
    } catch (error) {
      this.#note(error instanceof AssertionError ? 'lost' : 'failed', what, error)
      return false
    }
  }

  /** Nothing can be tried here; that is told, and is no trouble. */
  skip(why: string): void {
    this.skipped = why
  }

  /** Something went wrong beside the faults. */
  fail(error: unknown): void {
    this.#note('failed', 'the step itself', error)
  }

  #note(kind: Trouble['kind'], fault: string, error: unknown): void {
    const message = error instanceof Error ? detail(error) : String(error)
    this.troubles.push({ kind, name: this.#name, step: this.number, fault, message })
  }
}

/** The message, its cause, and where in the suite it came from. */
function detail(error: Error): string {
  const at = error.stack?.split('\n').find((line) => /\/(faults|test)\/.*\.ts/.test(line))
  const cause = error.cause === undefined ? '' : `, because ${errorText(error.cause)}`
  return `${error.message}${cause}${at === undefined ? '' : ` (${at.trim()})`}`
}

async function withinLimit(work: Promise<void>): Promise<void> {
  const over = new AbortController()
  const limit = pause(FAULT_LIMIT_MS, undefined, { signal: over.signal }).then(() => {
    throw new Error(`no end after ${FAULT_LIMIT_MS} ms`)
  })
  try {
    await Promise.race([work, limit])
  } finally {
    over.abort()
    limit.catch(() => undefined)
    work.catch(() => undefined)
  }
}

export interface SuiteOptions {
  readonly seed: number
  readonly isShort: boolean
  /** Runs this step of each class alone. */
  readonly step?: number
  /** So many times the steps of the form. */
  readonly times?: number
  /** Steps of a class that run beside each other. */
  readonly jobs?: number
  readonly lab: Lab
}

/** Runs the classes one after the other, and says of each how it went as soon as it has. */
export async function* runSuite(
  classes: readonly FaultClass[],
  options: SuiteOptions,
): AsyncGenerator<Verdict> {
  for (const each of classes) yield await runClass(each, options)
}

async function runClass(faultClass: FaultClass, options: SuiteOptions): Promise<Verdict> {
  const { seed, isShort, lab, step, times = 1, jobs = 1 } = options
  const { name, goals, steps } = faultClass
  const fromMs = performance.now()
  const count = Math.ceil((isShort ? steps.short : steps.long) * times)
  const numbers = step === undefined ? Array.from({ length: count }, (_, n) => n) : [step]
  const trials = numbers.map((number) => new Trial(lab, name, number, seed, isShort))
  const waiting = [...trials]
  const work = async () => {
    for (let trial = waiting.shift(); trial; trial = waiting.shift()) {
      await faultClass.run(trial).catch((error: unknown) => trial.fail(error))
    }
  }
  await Promise.all(Array.from({ length: jobs }, work))
  const skipped = trials.find((trial) => trial.skipped !== undefined)?.skipped
  const verdict = { name, goals, skipped, ...sumOf(trials), ms: performance.now() - fromMs }
  return verdict.checked > 0 || skipped !== undefined ? verdict : vacuous(verdict)
}

function sumOf(trials: readonly Trial[]) {
  const troubles = trials.flatMap((trial) => trial.troubles)
  const tried = trials.reduce((sum, trial) => sum + trial.tried, 0)
  const checked = trials.reduce((sum, trial) => sum + trial.checked, 0)
  const lost = troubles.filter(({ kind }) => kind === 'lost').length
  const failed = troubles.length - lost
  return { tried, survived: Math.max(0, tried - troubles.length), lost, failed, checked, troubles }
}

/** A class that looked for nothing has shown nothing. */
function vacuous(verdict: Verdict): Verdict {
  const nothing = { step: 0, fault: 'all of them', message: 'nothing was looked for' }
  const trouble: Trouble = { kind: 'failed', name: verdict.name, ...nothing }
  const troubles = [...verdict.troubles, trouble]
  return { ...verdict, failed: verdict.failed + 1, troubles }
}
