/**
 * A model that refuses, cuts, stalls, talks rubbish or fails. Each turn ends and says why, what it
 * had brought is kept, history says of it what was told, and the next turn works.
 */
import assert from 'node:assert/strict'
import { assistantMessage, type ModelFault, type ScriptedResponse } from '../src/core/index.ts'
import { ScriptedResponsesServer } from '../test/support/responses-server.ts'
import { Incarnations } from './incarnations.ts'
import type { FaultClass } from './suite.ts'
import { Told } from './told.ts'

const status = (code: number, body = `{"error":{"message":"no ${code}"}}`): ModelFault => {
  return { kind: 'status', status: code, body }
}

const FAULTS: { readonly [what: string]: ModelFault } = {
  'refuses with 400': status(400),
  'refuses with 401': status(401),
  'refuses with 404': status(404),
  'refuses with 413': status(413),
  'refuses with 429': status(429),
  'refuses with 500': status(500),
  'refuses with 503 and no JSON': status(503, '<html>busy</html>'),
  'cuts before the first event': { kind: 'cut', afterEvents: 0 },
  'cuts in a message': { kind: 'cut', afterEvents: 3 },
  'cuts behind a message': { kind: 'cut', afterEvents: 5 },
  'ends early': { kind: 'close', afterEvents: 4 },
  'never answers': { kind: 'stall', afterEvents: 0 },
  'stalls in a message': { kind: 'stall', afterEvents: 3 },
  'fails in the stream': { kind: 'failed', error: { code: 'server_error', message: 'broken' } },
  'has no room': { kind: 'failed', error: { code: 'context_length_exceeded', message: 'long' } },
  'has no quota': { kind: 'failed', error: { code: 'insufficient_quota', message: 'pay' } },
  'is not done': { kind: 'incomplete', reason: 'max_output_tokens' },
  'talks rubbish': { kind: 'garbage', text: 'data: {"type":\n\ndata: [1,2\n\nrubbish' },
  'says nothing': { kind: 'garbage', text: '' },
  'sends bytes that are no UTF-8': { kind: 'binary', afterEvents: 3, bytes: [0xff, 0xfe, 0xc3] },
  'sends 40 MB at once': { kind: 'oversized', afterEvents: 2, sizeBytes: 40 * 2 ** 20 },
}

const LIMITS = 'request_max_retries = 0\nstream_max_retries = 0\nstream_idle_timeout_ms = 400\n'

export const badModel: FaultClass = {
  name: 'model: misbehaves',
  goals: 'G18 G19 G23',
  steps: { short: 1, long: 10 },
  async run(trial) {
    let fault: ModelFault | undefined
    await using model = await ScriptedResponsesServer.start((_, index): ScriptedResponse => {
      const items = [assistantMessage(`first ${index}`), assistantMessage(`second ${index}`)]
      return { items, ...(fault ? { fault } : {}) }
    })
    await using servers = await Incarnations.start(trial.lab, model.baseUrl, LIMITS)
    const threadId = await servers.startThread()
    const told = new Told()
    for (const [what, each] of Object.entries(FAULTS)) {
      await trial.fault(what, async (checks) => {
        fault = each
        const text = `prompt: it ${what}`
        const turnId = await servers.startTurn(threadId, text)
        told.message(threadId, turnId, text)
        const turn = await servers.endOf(turnId)
        if (each.kind !== 'oversized') assert.equal(turn.status, 'failed')
        if (turn.status === 'failed') assert.ok(turn.error, 'a turn that failed says why')
        fault = undefined
        const next = await servers.runTurn(threadId, `after: it ${what}`)
        assert.equal(next.status, 'completed', 'the next turn')
        checks.add(2)
      })
    }
    fault = undefined
    await trial.fault('kill behind all of them', async (checks) => {
      told.hear(await servers.kill())
      await servers.restart()
      await told.assertKept(servers.peer, checks)
    })
  },
}
