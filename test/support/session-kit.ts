import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileSystem } from '../../src/base/index.ts'
import {
  type ResumeThread,
  type SessionSettings,
  type ThreadHandle,
  ThreadManager,
  type ThreadManagerOptions,
  type TurnOptions,
} from '../../src/core/index.ts'
import { foldTurns } from '../../src/history/index.ts'
import type { RolloutItem, SessionEvent, Turn, UserInput } from '../../src/protocol/index.ts'
import { LocalThreadStore, type LocalThreadStoreOptions } from '../../src/thread-store/index.ts'
import { FaultyFileSystem } from './faulty-file-system.ts'
import { PlayedModel, type Step } from './played-model.ts'
import { TempFolder } from './temp-folder.ts'
import { TestClock } from './test-clock.ts'

export interface KitOptions {
  /** Below the calls that can be made to fail. */
  readonly disk?: FileSystem
  readonly durability?: LocalThreadStoreOptions['durability']
  readonly clock?: TestClock
  readonly settings?: Partial<SessionSettings>
  readonly manager?: Partial<ThreadManagerOptions>
  readonly streamMaxRetries?: number
}

export type TurnEnd = Extract<SessionEvent, { type: 'turnCompleted' }>
export type LogLine = { readonly type: string; readonly payload: { readonly [key: string]: never } }

/** A home, a project and a manager over a played model: sessions without a command line. */
export class SessionKit implements AsyncDisposable {
  readonly files: FaultyFileSystem
  readonly clock: TestClock
  readonly model: PlayedModel
  readonly settings: SessionSettings
  readonly home: string
  readonly project: string
  store: LocalThreadStore
  manager: ThreadManager
  readonly #folder: TempFolder
  readonly #options: KitOptions

  private constructor(folder: TempFolder, steps: readonly Step[], options: KitOptions) {
    this.#folder = folder
    this.#options = options
    this.files = new FaultyFileSystem(undefined, options.disk)
    this.clock = options.clock ?? new TestClock()
    this.model = new PlayedModel(steps)
    this.home = folder.at('home')
    this.project = folder.at('project')
    this.settings = {
      cwd: this.project,
      model: 'gpt-5.4',
      modelProvider: 'mock',
      approvalPolicy: 'never',
      sandboxPolicy: { type: 'danger-full-access' },
      ...options.settings,
    }
    this.store = this.#openStore()
    this.manager = this.#openManager()
  }

  static async open(steps: readonly Step[], options: KitOptions = {}): Promise<SessionKit> {
    const folder = await TempFolder.create()
    await Promise.all(['home', 'project'].map((name) => mkdir(folder.at(name))))
    return new SessionKit(folder, steps, options)
  }

  at(...parts: readonly string[]): string {
    return this.#folder.at(...parts)
  }

  start(settings: Partial<SessionSettings> = {}, isEphemeral = false): Promise<ThreadHandle> {
    return this.manager.start({ settings: { ...this.settings, ...settings }, isEphemeral })
  }

  resume(
    threadId: ResumeThread['threadId'],
    defaults: Partial<SessionSettings> = {},
    overrides: ResumeThread['overrides'] = {},
  ): Promise<ThreadHandle> {
    const settings = { ...this.settings, ...defaults }
    return this.manager.resume({ threadId, defaults: settings, overrides })
  }

  /** As another process would find the home: everything is closed and opened again. */
  async restart(): Promise<void> {
    await this.manager[Symbol.asyncDispose]()
    await this.store[Symbol.asyncDispose]()
    this.store = this.#openStore()
    this.manager = this.#openManager()
  }

  /** Paths of all rollouts of the home. */
  logs(): string[] {
    const found = readdirSync(this.home, { recursive: true, encoding: 'utf8' })
    return found
      .filter((path) => /rollout-.*\.jsonl$/.test(path))
      .map((path) => join(this.home, path))
  }

  /** Every file of the home. */
  homeFiles(): string[] {
    const found = readdirSync(this.home, { recursive: true, withFileTypes: true })
    return found.filter((entry) => entry.isFile()).map((entry) => entry.name)
  }

  /** The lines of the one rollout of the home, as they are in the file now. */
  lines(): LogLine[] {
    const [path, ...others] = this.logs()
    assert.equal(others.length, 0, 'one rollout')
    if (path === undefined) return []
    const text = readFileSync(path, 'utf8')
    assert.ok(text === '' || text.endsWith('\n'), 'whole lines')
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LogLine)
  }

  /** What each line is: `event_msg task_started`, `response_item message user`. */
  kinds(): string[] {
    return this.lines().map(kindOf)
  }

  payloads(kind: string): LogLine['payload'][] {
    return this.lines().flatMap((line) => (kindOf(line) === kind ? [line.payload] : []))
  }

  /** The turns that the file tells of. */
  turns(): Turn[] {
    return foldTurns(this.lines() as unknown as RolloutItem[])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.files.plan = () => undefined
    await this.manager[Symbol.asyncDispose]()
    await this.store[Symbol.asyncDispose]()
    await this.#folder[Symbol.asyncDispose]()
  }

  #openStore(): LocalThreadStore {
    const { home, files, clock } = this
    const { durability = 'turn' } = this.#options
    return new LocalThreadStore({ home, files, clock, durability })
  }

  #openManager(): ThreadManager {
    const client = this.model
    const { streamMaxRetries = 5 } = this.#options
    return new ThreadManager({
      store: this.store,
      clock: this.clock,
      modelAccess: () => ({ client, streamMaxRetries }),
      origin: { originator: 'lab', source: 'exec' },
      version: '0.0.0',
      environment: { PATH: process.env.PATH, HOME: this.home, SHELL: '/bin/sh' },
      docsHome: this.home,
      ...this.#options.manager,
    })
  }
}

export function kindOf({ type, payload }: LogLine): string {
  const { type: kind, role } = payload as { type?: string; role?: string }
  const parts = type === 'response_item' || type === 'event_msg' ? [type, kind, role] : [type]
  return parts.filter((part) => part !== undefined).join(' ')
}

export const text = (...texts: readonly string[]): UserInput[] =>
  texts.map((each) => ({ type: 'text', text: each }))

/** The events of a handle as they are told, and a promise of the next one of a kind. */
export class Watch implements Disposable {
  readonly events: SessionEvent[] = []
  readonly #listening: Disposable
  #waiting: { readonly is: (event: SessionEvent) => boolean; readonly told: () => void }[] = []

  constructor(handle: ThreadHandle) {
    this.#listening = handle.listen((event) => {
      this.events.push(event)
      for (const { is, told } of this.#waiting) if (is(event)) told()
      this.#waiting = this.#waiting.filter(({ is }) => !is(event))
    })
  }

  /** Resolves at the next event that `is` accepts; those of the past do not count. */
  next(is: (event: SessionEvent) => boolean): Promise<void> {
    return new Promise((told) => this.#waiting.push({ is, told }))
  }

  of<T extends SessionEvent['type']>(type: T): Extract<SessionEvent, { type: T }>[] {
    return this.events.filter((event) => event.type === type) as never
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]()
  }
}

/** Runs one turn to its end. */
export async function runTurn(
  handle: ThreadHandle,
  input: readonly UserInput[] | string,
  options: TurnOptions = {},
): Promise<TurnEnd> {
  using watch = new Watch(handle)
  const ended = watch.next((event) => event.type === 'turnCompleted')
  await handle.startTurn(typeof input === 'string' ? text(input) : input, options)
  await ended
  return watch.of('turnCompleted').at(-1) ?? assert.fail('the turn has ended')
}
