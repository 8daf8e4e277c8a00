import { refusal } from '../model-server.ts'
import type { Subject } from '../script.ts'
import { comments, concludes, held, heldAt, patches, runs, says } from './say.ts'

const slow = says(comments('Starting.'), runs('touch begun; sleep 30', 'call_1'))

export const subject: Subject = {
  title: 'Interrupts',
  scripts: [
    {
      name: 'interrupted before the answer',
      model: [held(concludes('Never.'), 'gate'), concludes('Next.')],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.model.reached('gate')
        await thread.interrupt(turnId)
        await stage.ended(turnId)
        await stage.turn(thread, 'next')
      },
    },
    {
      name: 'interrupted in the middle of an answer',
      model: [
        heldAt({ ...concludes('First part, second.'), deltas: 2 }, 'gate', 3),
        concludes('Next.'),
      ],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.heard('item/agentMessage/delta')
        await thread.interrupt(turnId)
        await stage.ended(turnId)
        await stage.turn(thread, 'next')
      },
      differences: ['count-of-a-broken-answer'],
    },
    {
      name: 'interrupted between two items of an answer',
      model: [heldAt(says(comments('One.'), comments('Two.')), 'gate', 4), concludes('Next.')],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.itemCompleted('agentMessage')
        await thread.interrupt(turnId)
        await stage.ended(turnId)
        await stage.turn(thread, 'next')
      },
      differences: ['count-of-a-broken-answer'],
    },
    {
      name: 'interrupted while a command runs',
      model: [slow, concludes('Next.')],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.itemStarted('commandExecution')
        await stage.made(stage.at('begun'))
        await thread.interrupt(turnId)
        await stage.ended(turnId)
        await stage.turn(thread, 'next')
      },
      differences: ['interrupted-command-ends'],
    },
    {
      name: 'interrupted while the answer goes on beside a command',
      model: [
        heldAt(says(runs('sleep 30', 'call_1'), comments('Meanwhile.')), 'gate', 3),
        concludes('Next.'),
      ],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.itemStarted('commandExecution')
        await thread.interrupt(turnId)
        await stage.ended(turnId)
        await stage.turn(thread, 'next')
      },
      differences: ['interrupted-command-ends', 'count-of-a-broken-answer'],
    },
    {
      name: 'interrupted while two commands run, one of which is done',
      model: [
        heldAt(
          says(
            runs('echo fast', 'call_fast'),
            runs('sleep 30', 'call_slow'),
            comments('Meanwhile.'),
          ),
          'gate',
          5,
        ),
        concludes('Next.'),
      ],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.itemCompleted('commandExecution')
        await stage.itemStarted('commandExecution', 2)
        await thread.interrupt(turnId)
        await stage.ended(turnId)
        await stage.turn(thread, 'next')
      },
      differences: ['interrupted-command-ends', 'count-of-a-broken-answer', 'parallel-order'],
    },
    {
      name: 'interrupted with a command in the background',
      model: [
        says(runs('echo on; sleep 30', 'call_1', { yield_time_ms: 250 })),
        held(concludes('Never.'), 'gate'),
        concludes('Next.'),
      ],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.model.reached('gate')
        await thread.interrupt(turnId)
        await stage.ended(turnId)
        await stage.turn(thread, 'next')
      },
    },
    {
      name: 'interrupted after a patch',
      model: [
        says(patches('call_1', '*** Add File: b.txt', '+one')),
        held(concludes('Never.'), 'gate'),
        concludes('Next.'),
      ],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.model.reached('gate')
        await thread.interrupt(turnId)
        await stage.ended(turnId)
        await stage.turn(thread, 'next')
      },
    },
    {
      name: 'interrupted while it waits to try again',
      provider: { stream_max_retries: 5 },
      model: (_request, index) => {
        if (index === 2) return held(refusal(404, 'no'), 'gate')
        return index < 2 ? refusal(404, 'no') : concludes('Next.')
      },
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.model.reached('gate')
        await thread.interrupt(turnId)
        await stage.ended(turnId)
        await stage.turn(thread, 'next')
      },
    },
    {
      name: 'interrupted, then resumed by another process',
      model: [held(concludes('Never.'), 'gate'), concludes('Next.')],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.model.reached('gate')
        await thread.interrupt(turnId)
        await stage.ended(turnId)
        await stage.turn(await stage.reopen(thread), 'next')
      },
    },
    {
      name: 'a turn to interrupt that is none',
      model: [held(concludes('First.'), 'gate'), concludes('Next.')],
      play: async (stage) => {
        const thread = await stage.start()
        const wrong = '01a1ff10-ab63-7a60-a4ea-2ee6d1677813'
        await stage.refused(() => thread.interrupt(wrong))
        const turnId = await stage.begin(thread, 'hello')
        await stage.model.reached('gate')
        await stage.refused(() => thread.interrupt(wrong))
        stage.model.open('gate')
        await stage.ended(turnId)
        await stage.refused(() => thread.interrupt(turnId))
      },
      differences: ['interrupt-of-none'],
    },
    {
      name: 'the program ends in the middle of a turn',
      model: [held(concludes('Never.'), 'gate'), concludes('Next.')],
      play: async (stage) => {
        const thread = await stage.start()
        await stage.begin(thread, 'hello')
        await stage.model.reached('gate')
        await stage.turn(await stage.reopen(thread), 'next')
      },
      differences: ['end-told-on-close'],
    },
  ],
}
