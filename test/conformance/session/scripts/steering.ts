import type { Subject } from '../script.ts'
import { comments, concludes, held, heldAt, runs, says } from './say.ts'

/** `response.created` and the start of the message; then the text would follow. */
const MID_STREAM = 2

export const subject: Subject = {
  title: 'Steering',
  scripts: [
    {
      name: 'steered before the first answer',
      model: [held(concludes('First.'), 'gate'), concludes('Second.')],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.model.reached('gate')
        await thread.steer(turnId, ['more'])
        stage.model.open('gate')
        await stage.ended(turnId)
      },
    },
    {
      name: 'steered in the middle of an answer',
      model: [
        heldAt({ ...concludes('First part, second.'), deltas: 2 }, 'gate', MID_STREAM + 1),
        concludes('Second.'),
      ],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.heard('item/agentMessage/delta')
        await thread.steer(turnId, ['more'])
        stage.model.open('gate')
        await stage.ended(turnId)
      },
    },
    {
      name: 'steered while a tool runs',
      model: [says(comments('Wait.'), runs('sleep 0.5; echo done', 'call_1')), concludes('Ok.')],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.itemStarted('commandExecution')
        await thread.steer(turnId, ['more'])
        await stage.ended(turnId)
        await stage.commandsEnded()
      },
      differences: ['command-kept', 'command-completed'],
    },
    {
      name: 'steered as the turn is about to end',
      model: [heldAt(concludes('First.'), 'gate', 4), concludes('Second.')],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.itemCompleted('agentMessage')
        await thread.steer(turnId, ['more'])
        stage.model.open('gate')
        await stage.ended(turnId)
      },
    },
    {
      name: 'steered several times',
      model: [held(concludes('First.'), 'gate'), concludes('All of it.'), concludes('Next.')],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.model.reached('gate')
        await thread.steer(turnId, ['one'])
        await thread.steer(turnId, ['two', 'and a half'])
        await thread.steer(turnId, ['three'])
        stage.model.open('gate')
        await stage.ended(turnId)
        await stage.turn(thread, 'next')
      },
    },
    {
      name: 'steered in two rounds',
      model: [
        held(concludes('First.'), 'gate-1'),
        held(concludes('Second.'), 'gate-2'),
        concludes('Third.'),
      ],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        for (const gate of ['gate-1', 'gate-2']) {
          await stage.model.reached(gate)
          await thread.steer(turnId, [`at ${gate}`])
          stage.model.open(gate)
        }
        await stage.ended(turnId)
      },
    },
    {
      name: 'steered, then interrupted',
      model: [held(concludes('First.'), 'gate'), concludes('Next.')],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.model.reached('gate')
        await thread.steer(turnId, ['more'])
        await thread.interrupt(turnId)
        await stage.ended(turnId)
        await stage.turn(thread, 'next')
      },
    },
    {
      name: 'a turn to steer that is none',
      model: [held(concludes('First.'), 'gate')],
      play: async (stage) => {
        const thread = await stage.start()
        const wrong = '01a1ff10-ab63-7a60-a4ea-2ee6d1677813'
        await stage.refused(() => thread.steer(wrong, ['too early']))
        const turnId = await stage.begin(thread, 'hello')
        await stage.refused(() => thread.steer(wrong, ['not this one']))
        await stage.refused(() => thread.steer(turnId, []))
        stage.model.open('gate')
        await stage.ended(turnId)
        await stage.refused(() => thread.steer(turnId, ['too late']))
      },
    },
    {
      name: 'a compaction takes no words',
      model: [concludes('One.'), held(concludes('Notes.'), 'gate')],
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'hello')
        await thread.compact()
        const told = await stage.heard('turn/started', () => true, 2)
        const { id } = told.params.turn as { readonly id: string }
        await stage.model.reached('gate')
        await stage.refused(() => thread.steer(id, ['more']))
        stage.model.open('gate')
        await stage.ended(id)
      },
      differences: ['count-of-a-broken-answer', 'estimated-size'],
    },
    {
      name: 'a turn begun while another runs',
      model: [held(concludes('First.'), 'gate'), concludes('Second.')],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'hello')
        await stage.model.reached('gate')
        await thread.startTurn(['more'])
        stage.model.open('gate')
        await stage.ended(turnId)
      },
      differences: ['turn-beside-turn'],
    },
  ],
}
