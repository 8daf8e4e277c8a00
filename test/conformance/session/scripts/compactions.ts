import type { DifferenceId } from '../differences.ts'
import { type AskedModel, type ModelScript, type ModelStep, refusal } from '../model-server.ts'
import type { Subject } from '../script.ts'
import { comments, concludes, held, runs, says } from './say.ts'

const SUMMED: readonly DifferenceId[] = ['count-of-a-broken-answer', 'estimated-size']

function isSummary({ body }: AskedModel): boolean {
  return Array.isArray(body.tools) && body.tools.length === 0
}

/** Steps for the turns, and one for each summary. */
function withSummary(steps: readonly ModelStep[], summary: ModelStep): ModelScript {
  return (request, index, asked) => {
    if (isSummary(request)) return summary
    const before = asked.slice(0, index).filter((each) => !isSummary(each))
    return steps[before.length] ?? concludes('More.')
  }
}

const usage = { input_tokens: 2000, output_tokens: 100 }
/** So much that the limit of 1000 tokens is reached. */
const large = (step: ModelStep): ModelStep => ({ ...step, usage })
const LIMITED = { model_auto_compact_token_limit: 1000 }

export const subject: Subject = {
  title: 'Compaction',
  scripts: [
    {
      name: 'condensed by hand, then a turn, then resumed',
      model: withSummary(
        [concludes('One.'), concludes('Two.'), concludes('Three.')],
        says(comments('NOTES')),
      ),
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'first')
        await thread.compact()
        await stage.endedCount(2)
        await stage.turn(thread, 'second')
        await stage.turn(await stage.reopen(thread), 'third')
      },
      differences: SUMMED,
    },
    {
      name: 'condensed twice by hand',
      model: withSummary(
        [concludes('One.'), concludes('Two.'), concludes('Three.')],
        concludes('NOTES'),
      ),
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'first')
        await thread.compact()
        await stage.endedCount(2)
        await stage.turn(thread, 'second')
        await thread.compact()
        await stage.endedCount(4)
        await stage.turn(thread, 'third')
      },
      differences: SUMMED,
    },
    {
      name: 'condensed before a turn, by itself',
      config: LIMITED,
      model: withSummary([large(concludes('One.')), concludes('Two.')], concludes('NOTES')),
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'first')
        await stage.turn(thread, 'second')
      },
      differences: ['words-before-summary'],
    },
    {
      name: 'condensed in the middle of a turn',
      config: LIMITED,
      model: withSummary(
        [large(says(comments('Reading.'), runs('cat a.txt', 'call_1'))), concludes('Read.')],
        concludes('NOTES'),
      ),
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'read it')
        await stage.turn(thread, 'again')
      },
      differences: ['command-kept', ...SUMMED],
    },
    {
      name: 'condensed after the window was full',
      model: (request, index) => {
        if (isSummary(request)) return concludes('NOTES')
        return index === 0
          ? { items: [], fault: { kind: 'failed', error: { code: 'context_length_exceeded' } } }
          : concludes('Said.')
      },
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'first')
        await stage.turn(thread, 'second')
      },
      differences: ['words-before-summary'],
    },
    {
      name: 'a summary that fails',
      provider: { stream_max_retries: 0 },
      model: withSummary([concludes('One.'), concludes('Two.')], refusal(400, 'no')),
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'first')
        await thread.compact()
        await stage.endedCount(2)
        await stage.turn(thread, 'second')
      },
      differences: ['error-kept'],
    },
    {
      name: 'a summary that fails before a turn',
      config: LIMITED,
      provider: { stream_max_retries: 0 },
      model: withSummary([large(concludes('One.')), concludes('Two.')], refusal(400, 'no')),
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'first')
        await stage.turn(thread, 'second')
      },
      differences: ['words-before-summary'],
    },
    {
      name: 'a summary without words',
      model: withSummary([concludes('One.'), concludes('Two.')], says()),
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'first')
        await thread.compact()
        await stage.endedCount(2)
        await stage.turn(thread, 'second')
      },
      differences: ['empty-summary-refused'],
    },
    {
      name: 'no room even for the summary: the oldest goes',
      model: (request, index) => {
        if (!isSummary(request)) return concludes('Said.')
        const isRoomy = index >= 4
        return isRoomy
          ? concludes('NOTES')
          : { items: [], fault: { kind: 'failed', error: { code: 'context_length_exceeded' } } }
      },
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'first')
        await stage.turn(thread, 'second')
        await thread.compact()
        await stage.endedCount(3)
        await stage.turn(thread, 'third')
      },
      differences: SUMMED,
    },
    {
      name: 'a compaction interrupted',
      model: withSummary([concludes('One.'), concludes('Two.')], held(concludes('NOTES'), 'gate')),
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'first')
        await thread.compact()
        const told = await stage.heard('turn/started', () => true, 2)
        const { id } = told.params.turn as { readonly id: string }
        await stage.model.reached('gate')
        await thread.interrupt(id)
        await stage.ended(id)
        await stage.turn(thread, 'second')
      },
    },
    {
      name: 'a stream of a summary cut and tried again',
      model: (request, index) => {
        if (!isSummary(request)) return concludes('Said.')
        return index === 1
          ? { ...concludes('Never.'), fault: { kind: 'cut', afterEvents: 2 } }
          : concludes('NOTES')
      },
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'first')
        await thread.compact()
        await stage.endedCount(2)
        await stage.turn(thread, 'second')
      },
      differences: SUMMED,
    },
    {
      name: 'nothing to condense',
      model: withSummary([concludes('One.')], concludes('NOTES')),
      play: async (stage) => {
        const thread = await stage.start()
        await thread.compact()
        await stage.endedCount(1)
        await stage.turn(thread, 'first')
      },
      differences: SUMMED,
    },
  ],
}
