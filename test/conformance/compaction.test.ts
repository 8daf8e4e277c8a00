/**
 * Rule: a thread that one program has condensed goes on in the other from the same summary.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'

import { stringAt } from '../../src/base/index.ts'
import { ScriptedResponsesServer } from '../support/responses-server.ts'
import { bobbinExec, listBobbinThreads, showBobbinThread } from './bobbin-exec.ts'
import { CodexAppServer } from './codex-app-server.ts'
import { codexVersions } from './programs.ts'
import { Scratch } from './scratch.ts'
import { concludes } from './scripts.ts'

const LIMIT = { timeout: 60_000 }

/** What the model was sent, without tags and long texts. */
function asked(server: ScriptedResponsesServer): string {
  return JSON.stringify(server.modelRequests.at(-1)?.body.input)
}

/** A home whose threads are condensed from 1000 tokens on, and a model that needs more for each. */
async function limitedHome() {
  const scratch = await Scratch.create()
  let count = 0
  const server = await ScriptedResponsesServer.start(({ body }) => {
    count += 1
    const isSummary = Array.isArray(body.tools) && body.tools.length === 0
    return concludes(isSummary ? 'NOTES OF THE MODEL' : `answer ${count}`)
  })
  await scratch.useModelServer(server.baseUrl)
  const config = join(scratch.home, 'config.toml')
  const text = await readFile(config, 'utf8')
  await writeFile(config, `model_auto_compact_token_limit = 1000\n${text}`)
  return { scratch, server }
}

for (const { version, binary } of codexVersions) {
  describe(`condensed threads, Bobbin and Codex ${version}`, () => {
    it('what Bobbin has condensed', LIMIT, async () => {
      const { scratch, server } = await limitedHome()
      await using _home = scratch
      await using _server = server
      await bobbinExec(scratch, { prompt: 'one' })
      const [thread] = await listBobbinThreads(scratch)
      const threadId = stringAt(thread ?? {}, 'id') ?? ''
      await bobbinExec(scratch, { prompt: 'two', resume: threadId })
      const lines = await readFile(String(thread?.path), 'utf8')
      assert.ok(lines.includes('"type":"compacted"'))
      await using codex = await CodexAppServer.start(binary, scratch)
      await codex.request('thread/resume', { threadId })
      await codex.runTurn(threadId, 'three')
      assert.ok(asked(server).includes('NOTES OF THE MODEL'))
      assert.ok(!asked(server).includes('answer 1'))
      const { turns } = await showBobbinThread(scratch, threadId)
      assert.ok(turns.length >= 3)
    })

    it('what real Codex has condensed', LIMIT, async () => {
      const { scratch, server } = await limitedHome()
      await using _home = scratch
      await using _server = server
      await bobbinExec(scratch, { prompt: 'zero' })
      const [thread] = await listBobbinThreads(scratch)
      const threadId = stringAt(thread ?? {}, 'id') ?? ''
      {
        await using codex = await CodexAppServer.start(binary, scratch)
        await codex.request('thread/resume', { threadId })
        await codex.runTurn(threadId, 'one')
      }
      const before = server.modelRequests.length
      await bobbinExec(scratch, { prompt: 'two', resume: threadId })
      assert.ok(asked(server).includes('NOTES OF THE MODEL'))
      assert.ok(server.modelRequests.length > before)
      assert.ok(!asked(server).includes('answer 1'))
    })
  })
}
