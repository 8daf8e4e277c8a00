/**
 * Rule: `bobbin exec --json` prints the lines that `codex exec --json` of 0.133.0 prints for the
 * same script, and ends with the same exit code.
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { Json } from '../../src/base/index.ts'
import { assistantMessage } from '../../src/core/model/script.ts'
import type { ScriptedStep } from '../support/responses-server.ts'
import { runBoth, type Session, type Side } from './both.ts'
import { concludes, patches, plans, richTurn, runs, says } from './scripts.ts'

const ONE_RETRY = ['model_providers.mock.stream_max_retries=1']
const NO_REQUEST_RETRY = ['model_providers.mock.request_max_retries=0', ...ONE_RETRY]

function failsWith(status: number, body: string): ScriptedStep {
  return { items: [], fault: { kind: 'status', status, body } }
}

function failedResponse(code: string, message: string): ScriptedStep {
  return { items: [], fault: { kind: 'failed', error: { code, message } } }
}

const sessions: { [name: string]: Session } = {
  'the rich turn': { script: richTurn, prompts: ['change a.txt'] },
  'a thread that is resumed': {
    script: [...richTurn, says(runs('cat b.txt', 'call_more')), concludes('Again.')],
    prompts: ['change a.txt', 'once more'],
  },
  'a failed command and a patch that deletes': {
    script: [
      says(runs('echo out; exit 7', 'call_1')),
      says(patches(['*** Delete File: a.txt'], 'call_2')),
      says(runs('printf ""', 'call_3')),
      concludes('Gone.'),
    ],
    prompts: ['delete it'],
  },
  'a plan that is updated thrice': {
    script: [
      says(plans('call_1', 'pending', 'pending')),
      says(plans('call_2', 'in_progress', 'pending')),
      says(plans('call_3', 'completed', 'in_progress')),
      concludes('Planned.'),
    ],
    prompts: ['plan it'],
  },
  'calls that cannot be served': {
    script: [
      says(patches(['*** Update File: a.txt', '@@', '-nowhere', '+x'], 'call_1')),
      says(plans('call_2', 'bogus')),
      concludes('No luck.'),
    ],
    prompts: ['try it'],
  },
  'a model that nobody knows': {
    script: [concludes('Hi.')],
    prompts: ['hello'],
    model: 'model-of-my-own',
  },
  'HTTP 400': {
    script: [failsWith(400, '{"error":{"message":"bad request body","type":"invalid"}}')],
    prompts: ['fail'],
  },
  'HTTP 401, retried once': {
    script: Array(2).fill(failsWith(401, '{"error":{"message":"no such key"}}')),
    prompts: ['fail'],
    config: ONE_RETRY,
  },
  'HTTP 429': {
    script: [failsWith(429, '{"error":{"message":"slow down","type":"rate_limit"}}')],
    prompts: ['fail'],
  },
  'HTTP 500, retried once': {
    script: Array(2).fill(failsWith(500, 'oops')),
    prompts: ['fail'],
    config: NO_REQUEST_RETRY,
  },
  'response.failed that is final': {
    script: [failedResponse('context_length_exceeded', 'too long')],
    prompts: ['fail'],
  },
  'response.failed that is retried once': {
    script: Array(2).fill(failedResponse('server_error', 'it broke')),
    prompts: ['fail'],
    config: ONE_RETRY,
  },
  'response.incomplete, retried once': {
    script: Array(2).fill({
      items: [],
      fault: { kind: 'incomplete', reason: 'max_output_tokens' },
    }),
    prompts: ['fail'],
    config: ONE_RETRY,
  },
  'a failed turn that is resumed': {
    script: [failsWith(400, 'no'), concludes('Better now.')],
    prompts: ['fail', 'try again'],
  },
  'a stream that is cut, then whole': {
    script: [
      { ...says(assistantMessage('lost')), fault: { kind: 'cut', afterEvents: 1 } },
      concludes('Here it is.'),
    ],
    prompts: ['stream it'],
  },
  'a stream that is cut after an item': {
    script: [
      {
        ...says(assistantMessage('Looking.', { phase: 'commentary' }), runs('cat a.txt', 'call_1')),
        fault: { kind: 'cut', afterEvents: 6 },
      },
      concludes('Here it is.'),
    ],
    prompts: ['stream it'],
  },
  'a stream that closes early, then garbage, then whole': {
    script: [
      { ...says(assistantMessage('lost')), fault: { kind: 'close', afterEvents: 3 } },
      { items: [], fault: { kind: 'garbage', text: 'data: {not json\n\n' } },
      concludes('Here it is.'),
    ],
    prompts: ['stream it'],
  },
}

describe('exec --json', () => {
  for (const [name, session] of Object.entries(sessions)) {
    it(`prints the lines of real Codex: ${name}`, async () => {
      const { codex, bobbin } = await runBoth(session)
      assert.deepEqual(printed(bobbin), printed(codex))
    })
  }
})

function printed(side: Side): Json {
  return side.normalise(side.runs.map(({ events, code }) => [...events, { exitCode: code }]))
}
