import type { SessionScript, Subject } from '../script.ts'
import { concludes, held, patches, runs, says } from './say.ts'

const words = ['One.', 'Two.', 'Three.', 'Four.', 'Five.'].map(concludes)

const rollbacks: readonly SessionScript[] = [
  {
    name: 'rolled back by one turn, then a turn',
    model: words,
    play: async (stage) => {
      const thread = await stage.start()
      await stage.turn(thread, 'first')
      await stage.turn(thread, 'second')
      await thread.rollBack(1)
      await stage.turn(thread, 'third')
    },
    differences: ['estimated-size', 'rollback-before-its-count'],
  },
  {
    name: 'rolled back, then resumed by another process',
    model: words,
    play: async (stage) => {
      const thread = await stage.start()
      await stage.turn(thread, 'first')
      await stage.turn(thread, 'second')
      await thread.rollBack(1)
      await stage.turn(await stage.reopen(thread), 'third')
    },
    differences: ['estimated-size', 'rollback-before-its-count'],
  },
  {
    name: 'rolled back by more turns than there are',
    model: words,
    play: async (stage) => {
      const thread = await stage.start()
      await stage.turn(thread, 'first')
      await stage.refused(() => thread.rollBack(99))
      await stage.turn(thread, 'second')
    },
    differences: ['rollback-too-far-refused'],
  },
  {
    name: 'rolled back over steered words',
    model: [held(concludes('One.'), 'gate'), concludes('Two.'), concludes('Three.')],
    play: async (stage) => {
      const thread = await stage.start()
      const turnId = await stage.begin(thread, 'first')
      await stage.model.reached('gate')
      await thread.steer(turnId, ['more'])
      stage.model.open('gate')
      await stage.ended(turnId)
      await thread.rollBack(1)
      await stage.turn(thread, 'second')
    },
    differences: ['rollback-of-whole-turns'],
  },
  {
    name: 'rolled back by none, and in the middle of a turn',
    model: [concludes('One.'), held(concludes('Two.'), 'gate')],
    play: async (stage) => {
      const thread = await stage.start()
      await stage.turn(thread, 'first')
      await stage.refused(() => thread.rollBack(0))
      const turnId = await stage.begin(thread, 'second')
      await stage.model.reached('gate')
      await stage.refused(() => thread.rollBack(1))
      stage.model.open('gate')
      await stage.ended(turnId)
    },
    differences: ['rollback-refusals'],
  },
]

const forks: readonly SessionScript[] = [
  {
    name: 'forked, and both go on',
    model: words,
    play: async (stage) => {
      const thread = await stage.start()
      await stage.turn(thread, 'first')
      const other = await stage.fork(thread)
      await stage.turn(other, 'another way')
      await stage.turn(thread, 'the first way')
    },
  },
  {
    name: 'forked in the middle of a turn',
    model: [concludes('One.'), held(concludes('Two.'), 'gate'), concludes('Three.')],
    play: async (stage) => {
      const thread = await stage.start()
      await stage.turn(thread, 'first')
      const turnId = await stage.begin(thread, 'second')
      await stage.model.reached('gate')
      const other = await stage.fork(thread)
      await stage.turn(other, 'another way')
      stage.model.open('gate')
      await stage.ended(turnId)
    },
  },
  {
    name: 'forked with another model, after tools',
    model: [
      says(patches('call_1', '*** Add File: b.txt', '+one')),
      says(runs('cat b.txt', 'call_2')),
      ...words,
    ],
    play: async (stage) => {
      const thread = await stage.start()
      await stage.turn(thread, 'first')
      const other = await stage.fork(thread, { model: 'gpt-5.5' })
      await stage.turn(other, 'another way')
    },
    differences: ['command-kept'],
  },
  {
    name: 'forked, then rolled back',
    model: words,
    play: async (stage) => {
      const thread = await stage.start()
      await stage.turn(thread, 'first')
      await stage.turn(thread, 'second')
      const other = await stage.fork(thread)
      await other.rollBack(1)
      await stage.turn(other, 'another way')
    },
    differences: ['estimated-size', 'rollback-before-its-count'],
  },
]

export const subject: Subject = { title: 'Rollback and fork', scripts: [...rollbacks, ...forks] }
