import { mkdir } from 'node:fs/promises'
import type { Subject } from '../script.ts'
import { concludes, held } from './say.ts'

const words = ['One.', 'Two.', 'Three.', 'Four.'].map(concludes)

export const subject: Subject = {
  title: 'Settings and metadata of turns',
  scripts: [
    {
      name: 'a model and an effort from one turn on',
      model: words,
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'first')
        await stage.turn(thread, 'second', { model: 'gpt-5.5', effort: 'high' })
        await stage.turn(thread, 'third')
        await stage.turn(await stage.reopen(thread), 'fourth')
      },
    },
    {
      name: 'a folder from one turn on',
      model: words,
      play: async (stage) => {
        await mkdir(stage.at('below'))
        const thread = await stage.start()
        await stage.turn(thread, 'first')
        await stage.turn(thread, 'second', { cwd: stage.at('below') })
        await stage.turn(thread, 'third')
      },
    },
    {
      name: 'permissions from one turn on',
      model: words,
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'first')
        await stage.turn(thread, 'second', {
          approvalPolicy: 'on-request',
          sandboxPolicy: { type: 'readOnly' },
        })
        await stage.turn(thread, 'third')
      },
    },
    {
      name: 'settings changed between turns',
      differences: ['settings-kept'],
      model: words,
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'first')
        await thread.updateSettings({ model: 'gpt-5.5', effort: 'low' })
        await stage.turn(thread, 'second')
      },
    },
    {
      name: 'settings changed in the middle of a turn',
      differences: ['settings-kept'],
      model: [held(concludes('One.'), 'gate'), concludes('Two.'), concludes('Three.')],
      play: async (stage) => {
        const thread = await stage.start()
        const turnId = await stage.begin(thread, 'first')
        await stage.model.reached('gate')
        await thread.updateSettings({ model: 'gpt-5.5' })
        await thread.steer(turnId, ['more'])
        stage.model.open('gate')
        await stage.ended(turnId)
        await stage.turn(thread, 'second')
      },
    },
    {
      name: 'metadata of the client for one turn',
      model: words,
      play: async (stage) => {
        const thread = await stage.start()
        const clientMetadata = { task: 'tidy – up', turn_id: 'not-yours' }
        await stage.turn(thread, 'first', { clientMetadata })
        await stage.turn(thread, 'second')
      },
    },
  ],
}
