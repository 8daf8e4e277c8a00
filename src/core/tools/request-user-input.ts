import type { UserInputAnswers, UserInputQuestion } from '../../protocol/index.ts'
import { type Fields, readArguments } from './exec/index.ts'
import { type Clients, NoAnswer, type Tool } from './tool.ts'

const OPTION_FIELDS = {
  label: { type: 'string', presence: 'required' },
  description: { type: 'string', presence: 'required' },
} as const satisfies Fields

const QUESTION_FIELDS = {
  id: { type: 'string', presence: 'required' },
  header: { type: 'string', presence: 'required' },
  question: { type: 'string', presence: 'required' },
  isSecret: { type: 'boolean', presence: 'default' },
  options: {
    type: { struct: 'RequestUserInputQuestionOption', fields: OPTION_FIELDS },
    presence: 'optional',
  },
} as const satisfies Fields

const FIELDS = {
  questions: {
    type: { struct: 'RequestUserInputQuestion', fields: QUESTION_FIELDS },
    presence: 'required',
  },
} as const satisfies Fields

function textField(description: string) {
  return { type: 'string', description } as const
}

const PARAMETERS = {
  type: 'object',
  properties: {
    questions: {
      type: 'array',
      description: 'One question, three at most.',
      items: {
        type: 'object',
        properties: {
          header: textField('A word or two above the question.'),
          id: textField('Names the answer, in snake_case.'),
          options: {
            type: 'array',
            description:
              'Two or three choices that exclude each other, the best one first. An answer in ' +
              'own words is always possible beside them.',
            items: {
              type: 'object',
              properties: {
                description: textField('What choosing it means, in a sentence.'),
                label: textField('A few words.'),
              },
              required: ['label', 'description'],
              additionalProperties: false,
            },
          },
          question: textField('One sentence.'),
        },
        required: ['id', 'header', 'question', 'options'],
        additionalProperties: false,
      },
    },
  },
  required: ['questions'],
  additionalProperties: false,
} as const

export interface RequestUserInputOptions {
  /** Whether the model may ask in the default mode. */
  readonly isAllowed?: boolean
}

/** Lets the model ask the person, and wait for what they say. */
export function requestUserInputTool({ isAllowed = false }: RequestUserInputOptions = {}): Tool {
  const where = isAllowed ? '' : ' Not available in Default mode.'
  const spec = {
    type: 'function',
    name: 'request_user_input',
    description: `Asks the person up to three short questions and waits for the answers.${where}`,
    strict: false,
    parameters: PARAMETERS,
  }
  return {
    name: 'request_user_input',
    kind: 'function',
    isParallel: () => false,
    spec: spec as unknown as Tool['spec'],
    run: async (call, { clients }) => {
      if (!isAllowed || !clients.canAsk('userInput')) {
        return 'request_user_input is unavailable in Default mode'
      }
      const { questions } = readArguments(call.input, 'RequestUserInputArgs', FIELDS)
      const asked: UserInputQuestion[] = []
      for (const { id, header, question, isSecret = false, options = [] } of questions) {
        if (options.length === 0) {
          return 'request_user_input requires non-empty options for every question'
        }
        asked.push({ id, header, question, isOther: true, isSecret, options })
      }
      const { answers } = await answersTo(asked, call.callId, clients)
      return JSON.stringify({ answers })
    },
  }
}

/** Nothing is answered where nobody could. */
async function answersTo(
  questions: readonly UserInputQuestion[],
  itemId: string,
  clients: Clients,
): Promise<UserInputAnswers> {
  try {
    return await clients.ask('userInput', { itemId, questions })
  } catch (error) {
    if (error instanceof NoAnswer) return { answers: {} }
    throw error
  }
}
