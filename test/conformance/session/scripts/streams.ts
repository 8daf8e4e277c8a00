import { assistantMessage, type ModelStep, refusal } from '../model-server.ts'
import type { SessionScript, Subject } from '../script.ts'
import { comments, concludes, held, patches, runs, says } from './say.ts'

const oneTurn: SessionScript['play'] = async (stage) => {
  await stage.turn(await stage.start(), 'hello')
}

const said = comments('Said before.')

function cut(step: ModelStep, afterEvents: number): ModelStep {
  return { ...step, fault: { kind: 'cut', afterEvents } }
}

export const subject: Subject = {
  title: 'Broken streams',
  scripts: [
    {
      name: 'cut before anything, then whole',
      model: [cut(concludes('Never.'), 0), concludes('Whole.')],
      play: oneTurn,
    },
    {
      name: 'cut in the middle of a message, then whole',
      model: [cut({ ...concludes('First part, second.'), deltas: 2 }, 3), concludes('Whole.')],
      play: oneTurn,
    },
    {
      name: 'cut behind a message, then whole',
      model: [cut(says(said), 4), concludes('Whole.')],
      play: oneTurn,
    },
    {
      name: 'cut behind a call, whose output goes out with the next try',
      model: [cut(says(runs('cat a.txt', 'call_1')), 3), concludes('Read.')],
      play: oneTurn,
      differences: ['command-kept'],
    },
    {
      name: 'cut behind a patch',
      model: [cut(says(patches('call_1', '*** Add File: b.txt', '+one')), 3), concludes('Done.')],
      play: oneTurn,
    },
    {
      name: 'closed too early, then whole',
      model: [{ ...says(said), fault: { kind: 'close', afterEvents: 4 } }, concludes('Whole.')],
      play: oneTurn,
    },
    {
      name: 'nothing more comes, then whole',
      provider: { stream_idle_timeout_ms: 300 },
      model: [{ ...says(said), fault: { kind: 'stall', afterEvents: 4 } }, concludes('Whole.')],
      play: oneTurn,
    },
    {
      name: 'several tries, and then it works',
      model: [
        refusal(404, 'no'),
        cut(concludes('Never.'), 0),
        { items: [], fault: { kind: 'failed', error: { code: 'server_error', message: 'x' } } },
        concludes('Whole.'),
      ],
      play: oneTurn,
    },
    {
      name: 'the count of tries begins anew with each answer',
      provider: { stream_max_retries: 1 },
      model: [
        refusal(404, 'no'),
        says(runs('true', 'call_1')),
        refusal(404, 'no'),
        concludes('Whole.'),
      ],
      play: oneTurn,
      differences: ['command-kept'],
    },
    {
      name: 'silent tries of a request that the server cannot serve',
      provider: { request_max_retries: 2 },
      model: [refusal(503, 'later'), refusal(502, 'later'), concludes('Whole.')],
      play: oneTurn,
    },
    {
      name: 'tries used up',
      provider: { request_max_retries: 1, stream_max_retries: 1 },
      model: () => refusal(503, 'later'),
      play: oneTurn,
      differences: ['error-kept'],
    },
    {
      name: 'the server says when to try again',
      model: [
        {
          items: [],
          fault: {
            kind: 'failed',
            error: { code: 'rate_limit_exceeded', message: 'Please try again in 0.3s.' },
          },
        },
        concludes('Whole.'),
      ],
      play: oneTurn,
    },
    {
      name: 'steered while it waits to try again',
      provider: { stream_max_retries: 3 },
      model: [refusal(404, 'no'), held(concludes('First.'), 'gate'), concludes('Second.')],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.heard('error')
        await thread.steer(turnId, ['more'])
        await stage.model.reached('gate')
        stage.model.open('gate')
        await stage.ended(turnId)
      },
    },
    {
      name: 'an answer behind its end',
      model: [
        {
          ...concludes('Whole.'),
          reshape: (events) => [
            ...events,
            { type: 'response.output_item.done', item: assistantMessage('Too late.') },
          ],
        },
      ],
      play: oneTurn,
    },
  ],
}
