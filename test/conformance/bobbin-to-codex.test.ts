/**
 * Rule: a thread that Bobbin wrote is a thread of real Codex, old and new: listed, read with its
 * turns, resumed, continued with the whole history, and then Bobbin's again.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { arrayAt, isObject, type JsonObject } from '../../src/base/index.ts'
import { ScriptedResponsesServer } from '../support/responses-server.ts'
import { bobbinExec, listBobbinThreads, showBobbinThread } from './bobbin-exec.ts'
import { CodexAppServer } from './codex-app-server.ts'
import { assertContinues, historyAfter } from './model-input.ts'
import { codexVersions } from './programs.ts'
import { Scratch } from './scratch.ts'
import { concludes, richAnswer, richTurn } from './scripts.ts'
import { listedFacts, shownPrompts, shownTurns } from './shown-thread.ts'

const ALL_SOURCES = ['cli', 'vscode', 'exec', 'appServer', 'unknown']
const codexAnswer = concludes('Codex was here.')
const script = [...richTurn, codexAnswer, concludes('And Bobbin again.')]

for (const { version, binary } of codexVersions) {
  describe(`a thread of Bobbin in Codex ${version}`, () => {
    it('is listed with the facts that Bobbin lists', { timeout: 60_000 }, async () => {
      await using home = await BobbinHome.open()
      const [listed, ...others] = await listBobbinThreads(home.scratch)
      assert.ok(listed)
      assert.deepEqual(others, [])
      await using codex = await CodexAppServer.start(binary, home.scratch)
      const found = await codex.request('thread/list', { sourceKinds: ALL_SOURCES })
      const threads = (arrayAt(found, 'data') ?? []).filter(isObject)
      assert.deepEqual(threads.map(listedFacts), [listedFacts(listed)])
    })

    it('is read with the turns and items that Bobbin shows', { timeout: 60_000 }, async () => {
      await using home = await BobbinHome.open()
      const shown = await showBobbinThread(home.scratch, home.threadId)
      await using codex = await CodexAppServer.start(binary, home.scratch)
      const turns = await readTurns(codex, 'thread/read', home.threadId)
      assert.deepEqual(turns, shownTurns(shown.turns))
      const kinds = turns.flatMap((turn) => (arrayAt(turn, 'items') ?? []).filter(isObject))
      assert.deepEqual(
        kinds.map((item) => item.type),
        ['userMessage', 'agentMessage', 'fileChange', 'reasoning', 'agentMessage'],
      )
    })

    it('is resumed and continued, and goes on in Bobbin', { timeout: 60_000 }, async () => {
      await using home = await BobbinHome.open()
      const { scratch, server, threadId } = home
      await continueInCodex(binary, home)
      const asked = server.modelRequests[richTurn.length]
      assertContinues(asked, home.history, 'go on')
      const back = await bobbinExec(scratch, { prompt: 'and back', resume: threadId })
      assert.equal(back.code, 0, back.stderr)
      const returned = server.modelRequests[richTurn.length + 1]
      assertContinues(returned, historyAfter(asked, codexAnswer), 'and back')
      const shown = await showBobbinThread(scratch, threadId)
      assert.deepEqual(shownPrompts(shown.turns), ['change a.txt', 'go on', 'and back'])
    })
  })
}

/** A home with one thread, written by Bobbin. */
class BobbinHome implements AsyncDisposable {
  readonly scratch: Scratch
  readonly server: ScriptedResponsesServer
  readonly threadId: string
  readonly #owned: AsyncDisposableStack

  private constructor(
    owned: AsyncDisposableStack,
    made: { scratch: Scratch; server: ScriptedResponsesServer; threadId: string },
  ) {
    this.#owned = owned
    this.scratch = made.scratch
    this.server = made.server
    this.threadId = made.threadId
  }

  static async open(): Promise<BobbinHome> {
    await using opening = new AsyncDisposableStack()
    const server = opening.use(await ScriptedResponsesServer.start(script))
    const scratch = opening.use(await Scratch.create())
    await scratch.useModelServer(server.baseUrl)
    const { code, stderr, threadId } = await bobbinExec(scratch, { prompt: 'change a.txt' })
    assert.equal(code, 0, stderr)
    return new BobbinHome(opening.move(), { scratch, server, threadId })
  }

  /** What a next turn has to begin with. */
  get history(): JsonObject[] {
    const last = this.server.modelRequests[richTurn.length - 1]
    assert.ok(last, 'Bobbin did not play the whole script')
    return historyAfter(last, richAnswer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync()
  }
}

async function continueInCodex(binary: string, { scratch, threadId }: BobbinHome): Promise<void> {
  await using codex = await CodexAppServer.start(binary, scratch)
  const before = await readTurns(codex, 'thread/read', threadId)
  assert.deepEqual(await readTurns(codex, 'thread/resume', threadId), before)
  const turn = await codex.runTurn(threadId, 'go on')
  assert.deepEqual([turn.status, turn.error], ['completed', null])
  const after = await readTurns(codex, 'thread/read', threadId)
  assert.deepEqual(after.slice(0, -1), before)
  assert.deepEqual(shownPrompts(after), ['change a.txt', 'go on'])
}

async function readTurns(codex: CodexAppServer, method: string, threadId: string) {
  const params: JsonObject = method === 'thread/read' ? { includeTurns: true } : {}
  const { thread } = await codex.request(method, { threadId, ...params })
  const turns = isObject(thread) ? (arrayAt(thread, 'turns') ?? []) : []
  return shownTurns(turns.filter(isObject))
}
