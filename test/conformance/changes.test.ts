/**
 * Rule: what Bobbin changes about a thread (name, archive, fork, rollback) is what real Codex sees,
 * and what real Codex changes is what Bobbin sees.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { arrayAt, isObject, type JsonObject, objectAt, stringAt } from '../../src/base/index.ts'
import { ScriptedResponsesServer } from '../support/responses-server.ts'
import { bobbinExec, listBobbinThreads, runBobbinJson, showBobbinThread } from './bobbin-exec.ts'
import { CodexAppServer } from './codex-app-server.ts'
import { codexVersions } from './programs.ts'
import { Scratch } from './scratch.ts'
import { concludes } from './scripts.ts'
import { shownPrompts } from './shown-thread.ts'

const LIMIT = { timeout: 60_000 }
const ALL_SOURCES = ['cli', 'vscode', 'exec', 'appServer', 'unknown']

/** A home with one thread of two turns, written by Bobbin. */
class TwoTurns implements AsyncDisposable {
  readonly scratch: Scratch
  readonly server: ScriptedResponsesServer
  readonly threadId: string

  private constructor(scratch: Scratch, server: ScriptedResponsesServer, threadId: string) {
    this.scratch = scratch
    this.server = server
    this.threadId = threadId
  }

  static async open(): Promise<TwoTurns> {
    const scratch = await Scratch.create()
    const server = await ScriptedResponsesServer.start(() => concludes('Done.'))
    await scratch.useModelServer(server.baseUrl)
    await bobbinExec(scratch, { prompt: 'one' })
    const [thread] = await listBobbinThreads(scratch)
    const threadId = stringAt(thread ?? {}, 'id') ?? ''
    await bobbinExec(scratch, { prompt: 'two', resume: threadId })
    return new TwoTurns(scratch, server, threadId)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]()
    await this.scratch[Symbol.asyncDispose]()
  }
}

async function codexList(codex: CodexAppServer, archived: boolean): Promise<JsonObject[]> {
  const found = await codex.request('thread/list', { sourceKinds: ALL_SOURCES, archived })
  return (arrayAt(found, 'data') ?? []).filter(isObject)
}

function idAndName(thread: JsonObject): [unknown, unknown] {
  return [thread.id, thread.name]
}

/** Prompts of the turns that Codex shows. */
async function codexPrompts(codex: CodexAppServer, threadId: string): Promise<unknown[]> {
  const { thread } = await codex.request('thread/read', { threadId, includeTurns: true })
  const turns = (arrayAt(thread as JsonObject, 'turns') ?? []).filter(isObject)
  return turns.map((turn) => {
    const [item] = (arrayAt(turn, 'items') ?? []).filter(isObject)
    const [part] = (arrayAt(item ?? {}, 'content') ?? []).filter(isObject)
    return part?.text
  })
}

for (const { version, binary } of codexVersions) {
  describe(`changes to a thread, Bobbin and Codex ${version}`, () => {
    it('a name, an archive, and the way back', LIMIT, async () => {
      await using home = await TwoTurns.open()
      const { scratch, threadId } = home
      await runBobbinJson(scratch, ['threads', 'name', threadId, 'By Bobbin', '--json'])
      await runBobbinJson(scratch, ['threads', 'archive', threadId, '--json'])
      await using codex = await CodexAppServer.start(binary, scratch)
      assert.deepEqual(await codexList(codex, false), [])
      assert.deepEqual((await codexList(codex, true)).map(idAndName), [[threadId, 'By Bobbin']])
      await codex.request('thread/unarchive', { threadId })
      await codex.request('thread/name/set', { threadId, name: 'By Codex' })
      assert.deepEqual((await listBobbinThreads(scratch)).map(idAndName), [[threadId, 'By Codex']])
    })

    it('a name and git facts that both have changed', LIMIT, async () => {
      await using home = await TwoTurns.open()
      const { scratch, threadId } = home
      await using codex = await CodexAppServer.start(binary, scratch)
      await codex.request('thread/name/set', { threadId, name: 'By Codex' })
      await codex.request('thread/metadata/update', { threadId, gitInfo: { branch: 'feat' } })
      await runBobbinJson(scratch, ['threads', 'name', threadId, 'By Bobbin', '--json'])
      assert.deepEqual((await codexList(codex, false)).map(idAndName), [[threadId, 'By Bobbin']])
      const { thread } = await codex.request('thread/read', { threadId, includeTurns: false })
      assert.equal(objectAt(thread as JsonObject, 'gitInfo')?.branch, 'feat')
      const [listed] = await listBobbinThreads(scratch)
      assert.equal(objectAt(listed ?? {}, 'git')?.branch, 'feat')
    })

    it('a rollback, and a turn after it', LIMIT, async () => {
      await using home = await TwoTurns.open()
      const { scratch, server, threadId } = home
      await runBobbinJson(scratch, ['threads', 'rollback', threadId, '--json'])
      await using codex = await CodexAppServer.start(binary, scratch)
      assert.deepEqual(await codexPrompts(codex, threadId), ['one'])
      await codex.request('thread/resume', { threadId })
      await codex.runTurn(threadId, 'three')
      const asked = JSON.stringify(server.modelRequests.at(-1)?.body.input)
      assert.ok(asked.includes('"one"') && !asked.includes('"two"'))
      const shown = await showBobbinThread(scratch, threadId)
      assert.deepEqual(shownPrompts(shown.turns), ['one', 'three'])
    })

    it('a fork at a turn', LIMIT, async () => {
      await using home = await TwoTurns.open()
      const { scratch, server, threadId } = home
      const [first] = (await showBobbinThread(scratch, threadId)).turns
      const args = ['threads', 'fork', threadId, '--at', String(first?.id), '--json']
      const fork = objectAt(await runBobbinJson(scratch, args), 'thread') ?? {}
      const forkId = String(fork.id)
      await using codex = await CodexAppServer.start(binary, scratch)
      assert.deepEqual(await codexPrompts(codex, forkId), ['one'])
      const { thread } = await codex.request('thread/resume', { threadId: forkId })
      assert.equal((thread as JsonObject).forkedFromId, threadId)
      await codex.runTurn(forkId, 'three')
      const asked = JSON.stringify(server.modelRequests.at(-1)?.body.input)
      assert.ok(asked.includes('"one"') && !asked.includes('"two"'))
      assert.deepEqual(await codexPrompts(codex, threadId), ['one', 'two'])
    })

    it('git facts', LIMIT, async () => {
      await using home = await TwoTurns.open()
      const { scratch, threadId } = home
      await using codex = await CodexAppServer.start(binary, scratch)
      await codex.request('thread/metadata/update', { threadId, gitInfo: { branch: 'feat' } })
      const [thread] = await listBobbinThreads(scratch)
      assert.equal(objectAt(thread ?? {}, 'git')?.branch, 'feat')
    })
  })
}
