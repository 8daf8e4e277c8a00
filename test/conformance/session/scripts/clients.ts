import type { JsonObject } from '../../../../src/base/index.ts'
import type { Answerer } from '../driver.ts'
import { functionCall } from '../model-server.ts'
import type { SessionScript, Subject } from '../script.ts'
import { concludes, held, heldAt, says } from './say.ts'

const lookUp: JsonObject = {
  name: 'look_up',
  description: 'Looks a word up.',
  inputSchema: { type: 'object', properties: { word: { type: 'string' } } },
}

const deferred: JsonObject = { ...lookUp, namespace: 'words', deferLoading: true }

const call = says(functionCall('look_up', { word: 'loom' }, 'call_1'))

function answers(result: JsonObject): Answerer {
  return ({ method }) => (method === 'item/tool/call' ? result : undefined)
}

const text = (text: string): JsonObject => ({ type: 'inputText', text })

function served(name: string, result: JsonObject): SessionScript {
  return {
    name,
    model: [call, concludes('Done.')],
    answer: answers(result),
    play: async (stage) => {
      await stage.turn(await stage.start({ dynamicTools: [lookUp] }), 'look it up')
    },
    differences: ['client-tool-kept'],
  }
}

const dynamicTools: readonly SessionScript[] = [
  served('a tool of the client', { contentItems: [text('A machine.')], success: true }),
  served('a tool of the client with several answers', {
    contentItems: [text('A machine.'), text('For weaving.')],
    success: true,
  }),
  served('a tool of the client that fails', { contentItems: [text('No.')], success: false }),
  {
    name: 'a tool of the client that the model is not told of',
    model: [
      says({ ...functionCall('look_up', { word: 'loom' }, 'call_1'), namespace: 'words' }),
      concludes('Done.'),
    ],
    answer: answers({ contentItems: [text('A machine.')], success: true }),
    play: async (stage) => {
      await stage.turn(await stage.start({ dynamicTools: [deferred] }), 'look it up')
    },
    differences: ['client-tool-kept'],
  },
  {
    name: 'tools of the client after a resume',
    model: [concludes('Hi.'), call, concludes('Done.')],
    answer: answers({ contentItems: [text('A machine.')], success: true }),
    play: async (stage) => {
      const thread = await stage.start({ dynamicTools: [lookUp] })
      await stage.turn(thread, 'hello')
      await stage.turn(await stage.reopen(thread), 'look it up')
    },
    differences: ['client-tool-kept'],
  },
  {
    name: 'interrupted while the client works',
    model: [heldAt(call, 'gate', 3), concludes('Next.')],
    play: async (stage) => {
      const thread = await stage.start({ dynamicTools: [lookUp] })
      const turnId = await stage.begin(thread, 'look it up')
      await stage.heard('item/tool/call')
      await thread.interrupt(turnId)
      await stage.ended(turnId)
      await stage.turn(thread, 'next')
    },
    differences: ['interrupted-tool-ends', 'count-of-a-broken-answer'],
  },
  {
    name: 'two tools of the client with one name',
    model: [],
    play: async (stage) => {
      await stage.refused(() => stage.start({ dynamicTools: [lookUp, lookUp] }))
    },
  },
]

const shell: readonly SessionScript[] = [
  {
    name: "a person's own command",
    model: [concludes('Hi.'), concludes('Seen.')],
    play: async (stage) => {
      const thread = await stage.start()
      await stage.turn(thread, 'hello')
      await thread.runShellCommand('echo mine; exit 3')
      await stage.endedCount(2)
      await stage.turn(thread, 'see?')
    },
    differences: ['command-kept'],
  },
  {
    name: "a person's own command beside a turn",
    model: [held(concludes('Hi.'), 'gate'), concludes('Seen.'), concludes('Done.')],
    play: async (stage) => {
      const thread = await stage.start()
      const turnId = await stage.begin(thread, 'hello')
      await stage.model.reached('gate')
      await thread.runShellCommand('echo mine')
      await stage.itemCompleted('commandExecution')
      stage.model.open('gate')
      await stage.ended(turnId)
      await stage.turn(thread, 'see?')
    },
    differences: ['command-kept'],
  },
]

const questions: readonly SessionScript[] = [
  {
    name: 'a picture that the model looks at, and one that is not there',
    model: [
      says(functionCall('view_image', { path: 'none.png' }, 'call_1')),
      says(functionCall('view_image', { path: '.' }, 'call_2')),
      concludes('Nothing.'),
    ],
    play: async (stage) => {
      await stage.turn(await stage.start(), 'look')
    },
  },
  {
    name: 'a question to the person outside of planning',
    model: [
      says(
        functionCall(
          'request_user_input',
          {
            questions: [
              {
                id: 'q1',
                header: 'Colour',
                question: 'Which?',
                options: [{ label: 'Red', description: 'r' }],
              },
            ],
          },
          'call_1',
        ),
      ),
      concludes('Then not.'),
    ],
    play: async (stage) => {
      await stage.turn(await stage.start(), 'ask me')
    },
  },
]

export const subject: Subject = {
  title: 'Clients',
  scripts: [...dynamicTools, ...shell, ...questions],
}
