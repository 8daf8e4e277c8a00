/**
 * Rule: a response that fails leaves the same counts and limits in the log as real Codex 0.133.0
 * leaves, is tried as often, and is told in the same words.
 */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'

import { isObject, type Json, type JsonObject } from '../../src/base/index.ts'
import {
  assistantMessage,
  type ModelFault,
  type ScriptedStep,
} from '../../src/core/testing/index.ts'
import { type BothSides, runBoth, type Side } from './both.ts'
import { PROVIDER } from './scratch.ts'
import { concludes, runs, says } from './scripts.ts'

const limits = {
  'x-codex-primary-used-percent': '7',
  'x-codex-primary-window-minutes': '60',
  'x-codex-primary-reset-at': '1795290534',
  'x-codex-credits-has-credits': 'true',
  'x-codex-credits-unlimited': 'false',
  'x-codex-credits-balance': '12',
}
const part = assistantMessage('part', { id: 'msg_part' })

function fails(fault: ModelFault, headers: { [name: string]: string } = limits): ScriptedStep {
  return { items: [part], headers, fault }
}

function failed(code: string, message = 'boom'): ScriptedStep {
  return fails({ kind: 'failed', error: { code, message } })
}

function status(code: number, error: JsonObject, headers = {}): ScriptedStep {
  return fails({ kind: 'status', status: code, body: JSON.stringify({ error }), headers }, {})
}

const usage = { input_tokens: 1 }
const halfUsage = JSON.stringify({ type: 'response.completed', response: { id: 'r', usage } })
const done = concludes('Done.')
const again = (step: ScriptedStep) => [step, step, step, step, step]

const scripts: { readonly [name: string]: readonly ScriptedStep[] } = {
  'a failure of unknown code, then an answer': [failed('strange'), done],
  'a failure each time': again(failed('strange')),
  'a rate limit with a wait': [failed('rate_limit_exceeded', 'Try again in 0.3s.'), done],
  'a full window': [failed('context_length_exceeded')],
  'an invalid prompt': [failed('invalid_prompt', 'rephrase')],
  'a spent quota': [failed('insufficient_quota')],
  'an overloaded model': [failed('server_is_overloaded')],
  'an incomplete response': [fails({ kind: 'incomplete', reason: 'max_output_tokens' }), done],
  'a cut': [fails({ kind: 'cut', afterEvents: 4 }), done],
  'a clean close': [fails({ kind: 'close', afterEvents: 4 }), done],
  '400': [status(400, { message: 'bad' })],
  '401': [status(401, { message: 'who?' }), done],
  '403': [status(403, { message: 'no' }), done],
  '404': [status(404, { message: 'where?' }), done],
  '429': [status(429, { type: 'rate', message: 'slow' })],
  '500': [status(500, { message: 'oops' }), status(500, { message: 'oops' }), done],
  '503, overloaded': again(status(503, { code: 'server_is_overloaded', message: 'busy' })),
  'news of limits without credits': [
    { ...says(runs('true', 'call_1')), headers: limits },
    { ...done, headers: { 'x-codex-primary-used-percent': '9' } },
  ],
  'a usage without numbers': [fails({ kind: 'garbage', text: `data: ${halfUsage}\n\n` }), done],
}

const config = ['stream_max_retries=2', 'request_max_retries=1'].map(
  (setting) => `model_providers.${PROVIDER}.${setting}`,
)

for (const [name, script] of Object.entries(scripts)) {
  describe(`after ${name}`, () => {
    let both: BothSides
    before(async () => {
      both = await runBoth({ script, prompts: ['hello'], config })
    })

    it('the log holds the same', () => {
      assert.deepEqual(kept(both.bobbin), kept(both.codex))
    })

    it('the model was asked as often, and the person was told the same', () => {
      assert.deepEqual(told(both.bobbin), told(both.codex))
    })
  })
}

describe('after a spent usage limit', () => {
  it('both keep the limits that came with it; the words are those of each', async () => {
    const error = { type: 'usage_limit_reached', message: 'x', resets_at: 1795290534 }
    const both = await runBoth({ script: [status(429, error, limits)], prompts: ['hello'], config })
    assert.deepEqual(kept(both.bobbin), kept(both.codex))
  })
})

/** Behind the opening of the turn: messages, and counts whole. */
function kept({ rollout, normalise }: Side): Json {
  const lines = rollout.flatMap(({ payload }): Json[] => {
    if (!isObject(payload)) return []
    // Bobbin keeps the error too: a reader of the log sees why a turn has failed.
    if (payload.type === 'token_count') return [payload]
    const isEnd = payload.type === 'task_complete' || payload.type === 'agent_message'
    return isEnd
      ? [[payload.type ?? null, payload.message ?? payload.last_agent_message ?? null]]
      : []
  })
  return normalise(lines)
}

function told({ runs: done, requests, normalise }: Side): Json {
  const words = done.flatMap(({ events }) =>
    events.flatMap((event): Json[] => (event.type === 'error' ? [event.message ?? null] : [])),
  )
  return normalise([requests.length, words])
}
