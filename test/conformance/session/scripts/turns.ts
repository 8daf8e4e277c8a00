import { writeFile } from 'node:fs/promises'
import type { JsonObject } from '../../../../src/base/index.ts'
import { reasoning } from '../model-server.ts'
import type { SessionScript, Subject } from '../script.ts'
import { comments, concludes, says } from './say.ts'

const oneTurn: SessionScript['play'] = async (stage) => {
  await stage.turn(await stage.start(), 'hello')
}

const webSearch: JsonObject = {
  type: 'web_search_call',
  id: 'ws_1',
  status: 'completed',
  action: { type: 'search', query: 'weather' },
}

/** A PNG of one pixel. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

export const subject: Subject = {
  title: 'Turns',
  scripts: [
    { name: 'a plain turn', model: [concludes('Hi.')], play: oneTurn },
    {
      name: 'two turns',
      model: [concludes('One.'), concludes('Two.')],
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'first')
        await stage.turn(thread, 'second – with ✓')
      },
    },
    {
      name: 'resumed by another process, then a turn',
      model: [concludes('One.'), concludes('Two.'), concludes('Three.')],
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'first')
        const again = await stage.reopen(thread)
        await stage.turn(again, 'second')
        await stage.turn(again, 'third')
      },
    },
    {
      name: 'reasoning, then the answer',
      model: [
        says(
          { ...reasoning('**Thinking** of it'), encrypted_content: 'c2VjcmV0' },
          ...concludes('Done.').items,
        ),
        concludes('Two.'),
      ],
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'hello')
        await stage.turn(thread, 'again')
      },
    },
    {
      name: 'commentary, then the answer, in many pieces',
      model: [{ ...says(comments('Let me see.'), ...concludes('Seen – ✓.').items), deltas: 4 }],
      play: oneTurn,
    },
    {
      name: 'a web search of the provider',
      model: [says(webSearch, ...concludes('Sunny.').items), concludes('Still sunny.')],
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'weather?')
        await stage.turn(thread, 'and now?')
      },
    },
    {
      name: 'the model says that it is not done',
      model: [{ ...says(comments('First part.')), endTurn: false }, concludes('Second part.')],
      play: oneTurn,
    },
    {
      name: 'an answer without items',
      model: [says(), concludes('Now.')],
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'hello')
        await stage.turn(thread, 'hello?')
      },
    },
    {
      name: 'an answer without usage',
      model: [{ ...concludes('Hi.'), usage: null }],
      play: oneTurn,
    },
    {
      name: 'items of kinds that nobody knows',
      model: [
        says({ type: 'hologram', id: 'hg_1', shape: 'cube' }, ...concludes('Hi.').items),
        concludes('Again.'),
      ],
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'hello')
        await stage.turn(thread, 'again')
      },
    },
    {
      name: 'a malformed item among good ones',
      model: [says({ type: 'message', id: 'msg_0', role: 'assistant' }, ...concludes('Hi.').items)],
      play: oneTurn,
    },
    {
      name: 'rate limits and a state that the server wants back',
      model: [
        {
          ...says(comments('Part.')),
          endTurn: false,
          headers: {
            'x-codex-turn-state': 'state-1',
            'x-codex-primary-used-percent': '12.5',
            'x-codex-primary-window-minutes': '300',
            'x-codex-primary-reset-at': '1795200000',
          },
        },
        concludes('Whole.'),
        concludes('Next turn.'),
      ],
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'hello')
        await stage.turn(thread, 'again')
      },
    },
    {
      name: 'developer instructions',
      model: [concludes('Hi.'), concludes('Two.')],
      play: async (stage) => {
        const thread = await stage.start({ developerInstructions: 'Speak plainly.' })
        await stage.turn(thread, 'hello')
        await stage.turn(thread, 'again')
      },
    },
    {
      name: 'AGENTS.md of the home and of the project, changed between turns',
      model: [concludes('Hi.'), concludes('Two.'), concludes('Three.')],
      play: async (stage) => {
        await writeFile(`${stage.scratch.home}/AGENTS.md`, 'Home rules.\n')
        const thread = await stage.start()
        await stage.turn(thread, 'hello')
        await writeFile(stage.at('AGENTS.md'), 'Other rules.\n')
        await stage.turn(thread, 'again')
        await stage.turn(await stage.reopen(thread), 'once more')
      },
    },
    {
      name: 'another folder on resume',
      model: [concludes('Hi.'), concludes('Elsewhere.')],
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'hello')
        const again = await stage.reopen(thread, { cwd: stage.scratch.user })
        await stage.turn(again, 'where?')
      },
    },
    {
      name: 'another model on resume',
      model: [concludes('Hi.'), concludes('New.'), concludes('Same.')],
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'hello')
        const again = await stage.reopen(thread, { model: 'gpt-5.5' })
        await stage.turn(again, 'who?')
        await stage.turn(again, 'and now?')
      },
    },
    {
      name: 'other permissions on resume',
      model: [concludes('Hi.'), concludes('Careful.')],
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'hello')
        const again = await stage.reopen(thread, {
          approvalPolicy: 'on-request',
          sandbox: 'read-only',
        })
        await stage.turn(again, 'may you?')
      },
    },
    {
      name: 'a model that nobody knows',
      model: [concludes('Hi.'), concludes('Two.')],
      play: async (stage) => {
        const thread = await stage.start({ model: 'model-of-my-own' })
        await stage.turn(thread, 'hello')
        await stage.turn(thread, 'again')
      },
      differences: ['unknown-model-silent'],
    },
    {
      name: 'effort, summary and verbosity from the configuration',
      config: {
        model_reasoning_effort: 'high',
        model_reasoning_summary: 'detailed',
        model_verbosity: 'high',
      },
      model: [concludes('Hi.')],
      play: oneTurn,
    },
    {
      name: 'an output schema for one turn',
      model: [concludes('{"ok":true}'), concludes('Free.')],
      play: async (stage) => {
        const thread = await stage.start()
        const properties = { ok: { type: 'boolean' } }
        const outputSchema = { type: 'object', properties, required: ['ok'] }
        await stage.turn(thread, 'as JSON', { outputSchema })
        await stage.turn(thread, 'as you like')
      },
    },
    {
      name: 'a local image, and one that is not there',
      model: [concludes('Nice.'), concludes('Nothing.'), concludes('Both.')],
      play: async (stage) => {
        await writeFile(stage.at('dot.png'), Buffer.from(PIXEL, 'base64'))
        const thread = await stage.start()
        await stage.turn(thread, [{ image: stage.at('dot.png') }, 'what is it?'])
        await stage.turn(thread, [{ image: stage.at('none.png') }, 'and this?'])
        await stage.turn(await stage.reopen(thread), 'which?')
      },
    },
    {
      name: 'an empty text',
      model: [concludes('Say something.')],
      play: async (stage) => {
        await stage.turn(await stage.start(), '')
      },
    },
  ],
}
