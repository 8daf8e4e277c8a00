/** Rule: a thread that Bobbin's doctor has repaired is one that real Codex reads and resumes. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'

import { arrayAt, isObject, type JsonObject, stringAt } from '../../src/base/index.ts'
import { ScriptedResponsesServer } from '../support/responses-server.ts'
import { bobbinExec, listBobbinThreads, runBobbinJson, showBobbinThread } from './bobbin-exec.ts'
import { CodexAppServer } from './codex-app-server.ts'
import { codexVersions } from './programs.ts'
import { Scratch } from './scratch.ts'
import { concludes } from './scripts.ts'
import { shownPrompts } from './shown-thread.ts'

const LIMIT = { timeout: 60_000 }
const TORN = '{"timestamp":"2026-'

/** Each of them takes the whole thread from Codex, or its next line. */
const DAMAGES: { readonly [what: string]: (text: string) => Buffer } = {
  'a lost header': (text) => Buffer.from(`rub${text.slice(text.indexOf('\n'))}`),
  'bytes that are no UTF-8': (text) =>
    Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0xfe, 0x0a])]),
  'a torn tail': (text) => Buffer.from(text + TORN),
}

async function prompts(codex: CodexAppServer, threadId: string): Promise<unknown[]> {
  const { thread } = await codex.request('thread/read', { threadId, includeTurns: true })
  const turns = (arrayAt(thread as JsonObject, 'turns') ?? []).filter(isObject)
  return turns.map((turn) => {
    const [item] = (arrayAt(turn, 'items') ?? []).filter(isObject)
    const [part] = (arrayAt(item ?? {}, 'content') ?? []).filter(isObject)
    return part?.text
  })
}

for (const { version, binary } of codexVersions) {
  describe(`a repaired thread and Codex ${version}`, () => {
    for (const [what, damage] of Object.entries(DAMAGES)) {
      it(`which had ${what}`, LIMIT, async () => {
        await using scratch = await Scratch.create()
        await using server = await ScriptedResponsesServer.start(() => concludes('Done.'))
        await scratch.useModelServer(server.baseUrl)
        await bobbinExec(scratch, { prompt: 'one' })
        const [thread] = await listBobbinThreads(scratch)
        const threadId = stringAt(thread ?? {}, 'id') ?? ''
        await bobbinExec(scratch, { prompt: 'two', resume: threadId })
        const path = stringAt(thread ?? {}, 'path') ?? ''
        await writeFile(path, damage(await readFile(path, 'utf8')))
        const { damaged } = await runBobbinJson(scratch, ['doctor', '--repair', '--json'])
        assert.equal(damaged, false)
        await using codex = await CodexAppServer.start(binary, scratch)
        assert.deepEqual(await prompts(codex, threadId), ['one', 'two'])
        await codex.request('thread/resume', { threadId })
        await codex.runTurn(threadId, 'three')
        const asked = JSON.stringify(server.modelRequests.at(-1)?.body.input)
        assert.ok(['"one"', '"two"', '"three"'].every((text) => asked.includes(text)))
        const shown = await showBobbinThread(scratch, threadId)
        assert.deepEqual(shownPrompts(shown.turns), ['one', 'two', 'three'])
      })
    }
  })
}
