import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { noClients } from '../../../test/support/clients.ts'
import type { UserInputAnswers, UserInputQuestions } from '../../protocol/index.ts'
import { EventHub } from '../session/event-hub.ts'
import { EventRecorder } from '../session/event-recorder.ts'
import { TurnDiff } from '../turn/turn-diff.ts'
import { requestUserInputTool } from './request-user-input.ts'
import { type Clients, NoAnswer } from './tool.ts'

/** Answers by the first question's id; keeps what was asked. */
class Person implements Clients {
  readonly asked: UserInputQuestions[] = []
  readonly canAsk: Clients['canAsk'] = (kind) => kind === 'userInput'
  readonly ask: Clients['ask'] = async (_kind, params) => {
    const asked = params as unknown as UserInputQuestions
    this.asked.push(asked)
    if (asked.questions[0]?.id === 'silent') throw new NoAnswer('left')
    const answers = asked.questions.map(({ id }) => [id, { answers: ['A', 'user_note: b'] }])
    return { answers: Object.fromEntries(answers) } satisfies UserInputAnswers as never
  }
}

async function ask(input: unknown, clients: Clients, isAllowed = true): Promise<unknown> {
  const text = typeof input === 'string' ? input : JSON.stringify(input)
  const call = { callId: 'c1', name: 'request_user_input', kind: 'function', input: text } as const
  const context = {
    turnId: 'turn',
    settings: {
      cwd: '/',
      model: 'm',
      modelProvider: 'p',
      approvalPolicy: 'never',
      sandboxPolicy: { type: 'danger-full-access' },
    },
    recorder: new EventRecorder(undefined, new EventHub()),
    clients,
    turnDiff: new TurnDiff('/'),
    remember: async () => undefined,
    interruptTurn: () => undefined,
    signal: new AbortController().signal,
  } as const
  const tool = requestUserInputTool({ isAllowed })
  return await tool.run(call, context).catch((error: Error) => error.message)
}

const options = [{ label: 'A', description: 'a' }]
const question = { id: 'q1', header: 'H', question: 'Q?', options }

describe('request_user_input [D6]', () => {
  it('hands the questions to a person, and their answers to the model', async () => {
    const person = new Person()
    const secret = { ...question, id: 'q2', isSecret: true, isOther: false }
    const answer = await ask({ questions: [question, secret] }, person)
    const answers = ['A', 'user_note: b']
    assert.equal(answer, JSON.stringify({ answers: { q1: { answers }, q2: { answers } } }))
    assert.deepEqual(person.asked, [
      {
        itemId: 'c1',
        questions: [
          { ...question, isOther: true, isSecret: false },
          { ...question, id: 'q2', isOther: true, isSecret: true },
        ],
      },
    ])
  })

  it('has no answers where the person gives none', async () => {
    const silent = { ...question, id: 'silent' }
    assert.equal(await ask({ questions: [silent] }, new Person()), '{"answers":{}}')
    assert.equal(await ask({ questions: [] }, new Person()), '{"answers":{}}')
  })

  it('is not there in the default mode, nor where nobody can be asked', async () => {
    const unavailable = 'request_user_input is unavailable in Default mode'
    const input = { questions: [question] }
    assert.equal(await ask(input, new Person(), false), unavailable)
    assert.equal(await ask(input, noClients), unavailable)
  })

  it('answers in the words of 0.133.0 what is wrong with the questions', async () => {
    const empty = 'request_user_input requires non-empty options for every question'
    const broken = 'failed to parse function arguments: '
    const observed: [unknown, string][] = [
      [{ questions: [{ ...question, options: [] }] }, empty],
      [{ questions: [{ ...question, options: undefined }] }, empty],
      [{ questions: [{ ...question, options: null }] }, empty],
      [{}, `${broken}missing field \`questions\` at line 1 column 2`],
      [{ questions: [{ id: 'x' }] }, `${broken}missing field \`header\` at line 1 column 24`],
      ['{', `${broken}EOF while parsing an object at line 1 column 1`],
      [
        { questions: 'x' },
        `${broken}invalid type: string "x", expected a sequence at line 1 column 16`,
      ],
      [
        { questions: [5] },
        `${broken}invalid type: integer \`5\`, expected struct RequestUserInputQuestion ` +
          'at line 1 column 15',
      ],
    ]
    const person = new Person()
    for (const [input, text] of observed) assert.equal(await ask(input, person), text)
    assert.deepEqual(person.asked, [])
  })
})
