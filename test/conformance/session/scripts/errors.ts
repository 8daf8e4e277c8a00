import type { DifferenceId } from '../differences.ts'
import { assistantMessage, type ModelStep, refusal } from '../model-server.ts'
import type { SessionScript, Subject } from '../script.ts'
import { concludes, says } from './say.ts'

function error(members: { readonly [key: string]: string | number }): string {
  return JSON.stringify({ error: members })
}

/** A turn that fails in this way, and the next, which does not. */
function fails(name: string, step: ModelStep, more: readonly DifferenceId[] = []): SessionScript {
  return {
    name,
    provider: { request_max_retries: 0, stream_max_retries: 1, stream_idle_timeout_ms: 300 },
    model: ({ body }) => {
      const isSummary = Array.isArray(body.tools) && body.tools.length === 0
      if (isSummary) return concludes('Notes.')
      return JSON.stringify(body.input).includes('try again') ? concludes('Well.') : step
    },
    play: async (stage) => {
      const thread = await stage.start()
      await stage.turn(thread, 'hello')
      await stage.turn(thread, 'try again')
    },
    differences: ['error-kept', ...more],
  }
}

/** The same without the next turn, before which the history is condensed. */
function fillsWindow(name: string, step: ModelStep, more: readonly DifferenceId[]): SessionScript {
  const play: SessionScript['play'] = async (stage) => {
    await stage.turn(await stage.start(), 'hello')
  }
  return { ...fails(name, step), play, differences: more }
}

function failed(code: string, message: string): ModelStep {
  return { items: [], fault: { kind: 'failed', error: { code, message } } }
}

const html = '<html><body>Not here</body></html>'
const said = assistantMessage('Said before.', { phase: 'commentary' })

export const subject: Subject = {
  title: 'Errors of the model',
  scripts: [
    fails('401', refusal(401, error({ message: 'bad key', code: 'invalid_api_key' }))),
    fails('403', refusal(403, error({ message: 'forbidden' }))),
    fails('404 in HTML', refusal(404, html)),
    fails('404 with a ray id', {
      items: [],
      fault: { kind: 'status', status: 404, body: 'gone', headers: { 'cf-ray': 'ray-1' } },
    }),
    fails('409', refusal(409, error({ message: 'conflict' }))),
    fails('an empty 404', refusal(404, '')),
    fails('400', refusal(400, error({ message: 'no such thing', type: 'invalid_request_error' }))),
    fails(
      '400, an image that is none',
      refusal(
        400,
        error({ message: 'The image data you provided does not represent a valid image' }),
      ),
    ),
    fails('400, a policy', refusal(400, error({ message: 'not this', code: 'cyber_policy' }))),
    fillsWindow(
      '400, the context is too long',
      refusal(400, error({ message: 'too long', code: 'context_length_exceeded' })),
      ['context-length-of-400'],
    ),
    fails(
      '429, the usage limit',
      refusal(429, error({ type: 'usage_limit_reached', message: 'x', plan_type: 'pro' })),
      ['plan-texts'],
    ),
    fails('429, not in the plan', refusal(429, error({ type: 'usage_not_included' })), [
      'plan-texts',
    ]),
    fails('429', refusal(429, error({ message: 'slow down' }))),
    fails('429, no quota', refusal(429, error({ code: 'insufficient_quota', message: 'pay' }))),
    fails('500', refusal(500, error({ message: 'oops' })), ['status-of-500']),
    fails('502', refusal(502, 'bad gateway')),
    fails('503', refusal(503, error({ message: 'later' }))),
    fails('503, overloaded', refusal(503, error({ code: 'server_is_overloaded', message: 'x' }))),
    fails('503, slow down', refusal(503, error({ code: 'slow_down', message: 'x' }))),
    fillsWindow('failed: the context is too long', failed('context_length_exceeded', 'too long'), [
      'error-kept',
    ]),
    fails('failed: no quota', failed('insufficient_quota', 'pay')),
    fails('failed: not in the plan', failed('usage_not_included', 'x'), ['plan-texts']),
    fails('failed: overloaded', failed('server_is_overloaded', 'x')),
    fails('failed: slow down', failed('slow_down', 'x')),
    fails('failed: a policy', failed('cyber_policy', 'not this')),
    fails('failed: a bad prompt', failed('invalid_prompt', 'I do not get it')),
    fails(
      'failed: a rate limit',
      failed('rate_limit_exceeded', 'Rate limit reached. Please try again in 0.2s.'),
    ),
    fails('failed: anything else', failed('server_error', 'It broke.')),
    fails('failed after an item', {
      ...says(said),
      ...failed('invalid_prompt', 'x'),
      items: [said],
    }),
    fails('incomplete', { items: [], fault: { kind: 'incomplete', reason: 'max_output_tokens' } }),
    fails('closed before its end', { items: [said], fault: { kind: 'close', afterEvents: 4 } }),
    fails('nothing more comes', { items: [said], fault: { kind: 'stall', afterEvents: 4 } }),
    fails('cut', { items: [said], fault: { kind: 'cut', afterEvents: 4 } }),
    fails('garbage', { items: [], fault: { kind: 'garbage', text: 'data: {"type":\n\nno\n\n' } }),
    fails('usage that is none', {
      ...concludes('Hi.'),
      reshape: (events) =>
        events.map((event) =>
          event.type === 'response.completed'
            ? { ...event, response: { id: 'resp_1', usage: { input_tokens: 3 } } }
            : event,
        ),
    }),
  ],
}
