/**
 * An app server from its start to the answer of `initialize`, and the first page of a list after
 * it, in homes of several sizes that the program knows. Bobbin runs as npm would install it.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { arrayAt } from '../src/base/index.ts'
import { installPrograms } from '../test/conformance/install.ts'
import { Scratch } from '../test/conformance/scratch.ts'
import { buildPackage } from '../test/package/built-package.ts'
import { AppServerUnderTest, type Command } from './app-server-under-test.ts'
import { type BigHomePlan, bigHome } from './big-home.ts'
import { waitForCompleteList } from './codex-list.ts'
import { SIDES, type Side } from './contest.ts'
import { startNode } from './machine.ts'
import { linkTree } from './made-once.ts'
import { interleavedSection, type Section } from './measure.ts'
import { timed } from './worker.ts'

const PAGE = { limit: 25 }
type OfEachSide<T> = { readonly [side in Side]: T }

class ColdStarts implements AsyncDisposable {
  readonly #commands: OfEachSide<Command>
  readonly #homes: OfEachSide<Scratch>
  readonly #threads: number
  readonly #opened: AsyncDisposable

  private constructor(
    commands: OfEachSide<Command>,
    homes: OfEachSide<Scratch>,
    threads: number,
    opened: AsyncDisposable,
  ) {
    this.#commands = commands
    this.#homes = homes
    this.#threads = threads
    this.#opened = opened
  }

  static async open(plan: BigHomePlan): Promise<ColdStarts> {
    await using opening = new AsyncDisposableStack()
    const programs = await installPrograms()
    const installed = await buildPackage()
    opening.defer(() => rm(installed, { recursive: true }))
    const threads = plan.threads === 0 ? undefined : await bigHome(plan)
    const makeHome = async () => {
      const scratch = opening.use(await Scratch.create())
      await scratch.useModelServer('http://127.0.0.1:9/v1')
      if (threads !== undefined) await linkTree(threads, scratch.home)
      return scratch
    }
    const homes = {
      bobbin: await makeHome(),
      codex133: await makeHome(),
      codex169: await makeHome(),
    }
    const commands = {
      bobbin: [process.execPath, join(installed, 'bin', 'bobbin.cjs')] as const,
      codex133: [programs.codex133] as const,
      codex169: [programs.codex169] as const,
    }
    const starts = new ColdStarts(commands, homes, plan.threads, opening.move())
    for (const side of SIDES) await starts.#makeIndex(side)
    return starts
  }

  /** Milliseconds to the answer of `initialize`. */
  async start(side: Side): Promise<number> {
    const { ms, value } = await timed(() => this.#start(side))
    await value[Symbol.asyncDispose]()
    return ms
  }

  /** Milliseconds of the first page asked of a server that has just started. */
  async firstPage(side: Side): Promise<number> {
    await using server = await this.#start(side)
    const { ms, result } = await server.request('thread/list', PAGE)
    const found = arrayAt(result, 'data')?.length
    const expected = Math.min(PAGE.limit, this.#threads)
    if (found !== expected) throw new Error(`the page has ${found} threads, not ${expected}`)
    return ms
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.#opened[Symbol.asyncDispose]())
  }

  async #makeIndex(side: Side): Promise<void> {
    await using server = await this.#start(side)
    await waitForCompleteList(() => Promise.resolve(server), this.#threads)
  }

  #start(side: Side): Promise<AppServerUnderTest> {
    return AppServerUnderTest.start(this.#commands[side], this.#homes[side])
  }
}

export function coldStartSection(plan: BigHomePlan, count: number): Section {
  const each = (take: (starts: ColdStarts, side: Side) => Promise<number>) => ({
    bobbin: (starts: ColdStarts) => take(starts, 'bobbin'),
    codex133: (starts: ColdStarts) => take(starts, 'codex133'),
    codex169: (starts: ColdStarts) => take(starts, 'codex169'),
  })
  const start = each((starts, side) => starts.start(side))
  const firstPage = each((starts, side) => starts.firstPage(side))
  const row = { unit: 'ms', count, warmUp: 2 }
  return interleavedSection(
    () => ColdStarts.open(plan),
    [
      {
        ...row,
        name: `app server starts, ${plan.threads} threads`,
        take: { ...start, floor: startNode },
      },
      { ...row, name: `its first list page, ${plan.threads} threads`, take: firstPage },
    ],
  )
}
