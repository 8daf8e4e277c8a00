import type { ReviewTarget } from '../../../../src/protocol/index.ts'
import type { SessionScript, Subject } from '../script.ts'
import type { Stage } from '../stage.ts'
import { concludes, held, runs, says } from './say.ts'

const FINDINGS = JSON.stringify({
  findings: [
    {
      title: '[P1] Bug here',
      body: 'Explain.',
      confidence_score: 0.9,
      priority: 1,
      code_location: { absolute_file_path: '/p/a.txt', line_range: { start: 3, end: 5 } },
    },
  ],
  overall_correctness: 'patch is incorrect',
  overall_explanation: 'Because.',
  overall_confidence_score: 0.8,
})

/** The only one of every scratch project. */
const COMMIT = '50f2199f1b5ff1ed70faaf84ec99ecdd6bb0f023'

const custom: ReviewTarget = { type: 'custom', instructions: 'Look at the names.' }

const review = (target: ReviewTarget) => {
  return async (stage: Stage) => {
    const thread = await stage.start()
    await stage.turn(thread, 'hello')
    await thread.startReview(target)
    await stage.endedCount(2)
    await stage.turn(thread, 'and?')
  }
}

function reviewed(name: string, answer: string, play = review(custom)): SessionScript {
  const model = [concludes('Hi.'), concludes(answer), concludes('Ok.')]
  return { name, model, play, differences: ['review-is-one-turn'] }
}

export const subject: Subject = {
  title: 'Review',
  scripts: [
    reviewed('a review with a finding', FINDINGS),
    reviewed('a review that is no JSON', 'Looks good.'),
    reviewed('a review of what is not committed', FINDINGS, review({ type: 'uncommittedChanges' })),
    reviewed(
      'a review of a commit',
      FINDINGS,
      review({ type: 'commit', sha: COMMIT, title: 'Subj' }),
    ),
    {
      name: 'a review that runs a command',
      model: [
        concludes('Hi.'),
        says(runs('cat a.txt', 'call_1')),
        concludes(FINDINGS),
        concludes('Ok.'),
      ],
      play: review(custom),
      differences: ['review-is-one-turn', 'command-kept'],
    },
    {
      name: 'a review interrupted',
      model: [concludes('Hi.'), held(concludes(FINDINGS), 'gate'), concludes('Ok.')],
      play: async (stage) => {
        const thread = await stage.start()
        await stage.turn(thread, 'hello')
        await thread.startReview(custom)
        const told = await stage.heard('turn/started', () => true, 2)
        const { id } = told.params.turn as { readonly id: string }
        await stage.model.reached('gate')
        await thread.interrupt(id)
        await stage.endedCount(2)
        await stage.turn(thread, 'and?')
      },
      differences: ['review-is-one-turn'],
    },
  ],
}
