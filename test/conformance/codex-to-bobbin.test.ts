/**
 * Rule: a thread that real Codex 0.133.0 wrote is a thread of Bobbin: listed, shown, resumed,
 * continued with the whole history; and what Bobbin appended is read by Codex, old and new.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { arrayAt, isObject, type JsonObject } from '../../src/base/index.ts'
import { ScriptedResponsesServer } from '../support/responses-server.ts'
import { bobbinExec, listBobbinThreads, showBobbinThread } from './bobbin-exec.ts'
import { CodexAppServer } from './codex-app-server.ts'
import { codexExec } from './codex-exec.ts'
import type { ExecProgram } from './exec-run.ts'
import { assertContinues, historyAfter } from './model-input.ts'
import { codex133, codex133Exec, codex169 } from './programs.ts'
import { Scratch } from './scratch.ts'
import { concludes, richAnswer, richTurn } from './scripts.ts'
import { listedFacts, shownPrompts, shownTurns } from './shown-thread.ts'

describe('a thread of real Codex in Bobbin', () => {
  it('is listed with the facts that Codex lists', { timeout: 60_000 }, async () => {
    await using server = await ScriptedResponsesServer.start(richTurn)
    await using scratch = await Scratch.create()
    await scratch.useModelServer(server.baseUrl)
    await codex133Exec(scratch, { prompt: 'change a.txt' })
    const listed = await listBobbinThreads(scratch)
    await using codex = await CodexAppServer.start(codex133, scratch)
    const found = await codex.request('thread/list', { sourceKinds: ['exec'] })
    const threads = (arrayAt(found, 'data') ?? []).filter(isObject)
    assert.equal(threads.length, 1)
    assert.deepEqual(listed.map(listedFacts), threads.map(listedFacts))
  })

  it('is shown with the turns and items that Codex shows', { timeout: 60_000 }, async () => {
    await using server = await ScriptedResponsesServer.start(richTurn)
    await using scratch = await Scratch.create()
    await scratch.useModelServer(server.baseUrl)
    const { threadId } = await codex133Exec(scratch, { prompt: 'change a.txt' })
    const shown = await showBobbinThread(scratch, threadId)
    assert.equal(shown.thread.id, threadId)
    const turns = await readInCodex(codex133, scratch, threadId)
    assert.deepEqual(shownTurns(shown.turns), turns)
    assert.deepEqual(shownPrompts(turns), ['change a.txt'])
  })

  it('goes from hand to hand without losing a word', { timeout: 120_000 }, async () => {
    const visits = relay.map((visit) => visit.answer)
    await using server = await ScriptedResponsesServer.start([...richTurn, ...visits])
    await using scratch = await Scratch.create()
    await scratch.useModelServer(server.baseUrl)
    const { threadId } = await codex133Exec(scratch, { prompt: 'change a.txt' })
    let answered = server.modelRequests[richTurn.length - 1]
    let answer = richAnswer
    for (const [index, visit] of relay.entries()) {
      assert.ok(answered)
      const history = historyAfter(answered, answer)
      const run = await visit.program(scratch, { prompt: visit.prompt, resume: threadId })
      assert.equal(run.code, 0, `${visit.prompt}: ${run.stderr}`)
      assert.equal(run.rollouts.length, 1)
      answered = server.modelRequests[richTurn.length + index]
      answer = visit.answer
      assertContinues(answered, history, visit.prompt)
    }
    const prompts = ['change a.txt', ...relay.map((visit) => visit.prompt)]
    const shown = await showBobbinThread(scratch, threadId)
    assert.deepEqual(shownPrompts(shown.turns), prompts)
    for (const binary of [codex133, codex169]) {
      assert.deepEqual(await readInCodex(binary, scratch, threadId), shownTurns(shown.turns))
    }
  })
})

interface Visit {
  readonly program: ExecProgram
  readonly prompt: string
  readonly answer: ReturnType<typeof concludes>
}

const codex169Exec = codexExec(codex169)

/** Who continues the thread, in turn. 0.169.0 keeps a legacy thread in the legacy format. */
const relay: readonly Visit[] = [
  { program: bobbinExec, prompt: 'Bobbin, go on', answer: concludes('Bobbin: done.') },
  { program: codex133Exec, prompt: 'old Codex, go on', answer: concludes('Old: done.') },
  { program: bobbinExec, prompt: 'Bobbin, once more', answer: concludes('Bobbin: again.') },
  { program: codex169Exec, prompt: 'new Codex, go on', answer: concludes('New: done.') },
  {
    program: bobbinExec,
    prompt: 'Bobbin, after the new',
    answer: concludes('Bobbin: still here.'),
  },
  { program: codex133Exec, prompt: 'old Codex, the end', answer: concludes('Old: the end.') },
]

async function readInCodex(binary: string, scratch: Scratch, threadId: string) {
  await using codex = await CodexAppServer.start(binary, scratch)
  const { thread } = await codex.request('thread/read', { threadId, includeTurns: true })
  const turns: JsonObject[] = isObject(thread)
    ? (arrayAt(thread, 'turns') ?? []).filter(isObject)
    : []
  return shownTurns(turns)
}
