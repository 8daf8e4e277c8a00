import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { HomeIndex } from '../../src/state/home-index.ts'
import type { ThreadRow } from '../../src/state/thread-index.ts'
import { Sqlite } from './sqlite.ts'
import { TempFolder } from './temp-folder.ts'
import { threadIdOf } from './thread-log.ts'

export function rowOf(n: number, extra: Partial<ThreadRow> = {}): ThreadRow {
  return {
    rolloutPath: `/sessions/${n}`,
    file: { sizeBytes: n, modifiedAtMs: n + 0.25, inode: n },
    summary: {
      threadId: threadIdOf(n),
      createdAtMs: n,
      cwd: '/repo',
      source: { custom: 'x' },
      modelProvider: null,
      model: 'm',
      cliVersion: '',
      originator: 'bobbin',
      git: { branch: 'main' },
      forkedFromId: null,
      historyMode: 'legacy',
      memoryMode: 'disabled',
      loggedName: 'N',
      reasoningEffort: null,
      approvalPolicy: 'never',
      sandboxPolicy: null,
      threadSource: null,
      agentNickname: null,
      agentRole: null,
      agentPath: null,
      firstUserMessage: 'hello',
      title: 'hello',
      tokenUsage: null,
      preview: `hello ${n}\u2028\ud800`,
    },
    foldedBytes: n + 7,
    ...extra,
  }
}

/** The paths of an index file, in a folder of its own. */
export class IndexPlace implements AsyncDisposable {
  readonly #folder: TempFolder

  private constructor(folder: TempFolder) {
    this.#folder = folder
  }

  static async create(): Promise<IndexPlace> {
    return new IndexPlace(await TempFolder.create())
  }

  get path(): string {
    return this.#folder.at('index.sqlite')
  }

  open(): HomeIndex {
    return HomeIndex.open(this.path, 1) ?? assert.fail('the index cannot be used')
  }

  /** Lets another program change the file. */
  change(work: (database: Sqlite) => void): void {
    const database = new Sqlite(this.path)
    work(database)
    database.close()
  }

  async setAside(): Promise<string[]> {
    const names = await readdir(this.#folder.path)
    return names.filter((name) => name.includes('.set-aside-'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]()
  }
}
