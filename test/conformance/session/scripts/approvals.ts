import type { JsonObject } from '../../../../src/base/index.ts'
import type { DifferenceId } from '../differences.ts'
import type { SessionScript, Subject } from '../script.ts'
import type { Stage } from '../stage.ts'
import type { WireMessage } from '../wire-log.ts'
import { concludes, heldAt, patches, runs, says } from './say.ts'

const COMMAND = 'item/commandExecution/requestApproval'
const PATCH = 'item/fileChange/requestApproval'

/** Asks for every command that is not known to be harmless; nothing is confined. */
const UNTRUSTED = { approvalPolicy: 'untrusted', sandbox: 'danger-full-access' } as const

function decides(decision: string | JsonObject) {
  return ({ method }: WireMessage): JsonObject | undefined =>
    method === COMMAND || method === PATCH ? { decision } : undefined
}

/** Of a command that somebody was asked about. */
const ASKED: readonly DifferenceId[] = ['command-kept', 'approval-flag']

const oneTurn = async (stage: Stage) => {
  await stage.turn(await stage.start(UNTRUSTED), 'do it')
}

const touch = says(runs('touch b.txt', 'call_1'))
const patch = says(patches('call_1', '*** Add File: b.txt', '+new'))

function decided(
  name: string,
  step: ReturnType<typeof says>,
  decision: string | JsonObject,
  differences: readonly DifferenceId[],
): SessionScript {
  const model = [step, concludes('Done.')]
  return { name, model, answer: decides(decision), play: oneTurn, differences }
}

/** Interrupted while the question is open; the answer that comes then goes nowhere. */
function leftOpen(
  name: string,
  step: ReturnType<typeof says>,
  method: string,
  differences: readonly DifferenceId[],
): SessionScript {
  return {
    name,
    model: [heldAt(step, 'gate', 3), concludes('Next.')],
    play: async (stage) => {
      const thread = await stage.start(UNTRUSTED)
      const turnId = await stage.begin(thread, 'do it')
      await stage.heard(method)
      await thread.interrupt(turnId)
      await stage.ended(turnId)
      await stage.heard('serverRequest/resolved')
      await stage.turn(thread, 'next')
    },
    differences,
  }
}

const amendment = {
  acceptWithExecpolicyAmendment: { execpolicy_amendment: ['touch', 'b.txt'] },
}

export const subject: Subject = {
  title: 'Approvals',
  scripts: [
    decided('a command approved', touch, 'accept', ASKED),
    decided('a command declined', touch, 'decline', ASKED),
    decided('a command cancelled', touch, 'cancel', ASKED),
    {
      name: 'a command approved for the session is not asked for again',
      model: [
        touch,
        says(runs('touch b.txt', 'call_2')),
        says(runs('touch c.txt', 'call_3')),
        concludes('Done.'),
      ],
      answer: decides('acceptForSession'),
      play: oneTurn,
      differences: ASKED,
    },
    {
      name: 'a command approved for good',
      model: [touch, says(runs('touch b.txt c.txt', 'call_2')), concludes('Done.')],
      answer: decides(amendment),
      play: oneTurn,
      differences: ASKED,
    },
    {
      name: 'a command known to be harmless is not asked for',
      model: [says(runs('cat a.txt', 'call_1')), concludes('Done.')],
      play: oneTurn,
      differences: ['command-kept'],
    },
    {
      name: 'two questions open at once',
      model: [
        says(runs('touch b.txt', 'call_1'), runs('touch c.txt', 'call_2')),
        concludes('Done.'),
      ],
      answer: async ({ method }, stage) => {
        if (method !== COMMAND) return undefined
        await stage.heard(COMMAND, () => true, 2)
        return { decision: 'accept' }
      },
      play: oneTurn,
      differences: ['command-kept', 'parallel-order', 'approval-flag'],
    },
    {
      name: 'a dangerous command with full access',
      model: [says(runs('rm -rf gone', 'call_1')), concludes('Done.')],
      play: async (stage) => {
        await stage.turn(await stage.start(), 'do it')
      },
      differences: ['command-kept'],
    },
    {
      name: 'an escalation where nobody is asked',
      model: [
        says(runs('touch b.txt', 'call_1', { sandbox_permissions: 'require_escalated' })),
        concludes('Done.'),
      ],
      play: async (stage) => {
        await stage.turn(await stage.start(), 'do it')
      },
    },
    {
      name: 'an escalation that a person approves',
      model: [
        says(
          runs('touch b.txt', 'call_1', {
            sandbox_permissions: 'require_escalated',
            justification: 'May I make a file?',
          }),
        ),
        concludes('Done.'),
      ],
      answer: decides('accept'),
      play: async (stage) => {
        const asking = { approvalPolicy: 'on-request', sandbox: 'read-only' } as const
        await stage.turn(await stage.start(asking), 'do it')
      },
      differences: ASKED,
    },
    decided('a patch approved', patch, 'accept', []),
    decided('a patch declined', patch, 'decline', ['approval-flag']),
    decided('a patch cancelled', patch, 'cancel', ['unanswered-item-ends']),
    {
      name: 'a patch approved for the session is not asked for again',
      model: [
        patch,
        says(patches('call_2', '*** Update File: b.txt', '@@', '-new', '+newer')),
        concludes('Done.'),
      ],
      answer: decides('acceptForSession'),
      play: oneTurn,
    },
    {
      name: 'a patch where nothing may be written',
      model: [patch, concludes('Done.')],
      play: async (stage) => {
        await stage.turn(await stage.start({ sandbox: 'read-only' }), 'do it')
      },
    },
    {
      name: 'a patch outside of the project where nobody is asked',
      model: [says(patches('call_1', '*** Add File: /opt/none/b.txt', '+new')), concludes('No.')],
      play: async (stage) => {
        await stage.turn(await stage.start({ sandbox: 'workspace-write' }), 'do it')
      },
      differences: ['memories-root'],
    },
    leftOpen('interrupted while a command waits for approval', touch, COMMAND, [
      'unanswered-item-ends',
      'approval-flag',
      'count-of-a-broken-answer',
    ]),
    leftOpen('interrupted while a patch waits for approval', patch, PATCH, [
      'unanswered-item-ends',
      'count-of-a-broken-answer',
    ]),
  ],
}
