import type { CommandRunner } from './command-runner.ts'
import {
  ExecError,
  formatAnswer,
  formatWriteFailure,
  parseWriteStdinArguments,
} from './exec/index.ts'
import type { Tool } from './tool.ts'

const number = (description: string) => ({ type: 'number', description })

const SPEC = {
  type: 'function',
  name: 'write_stdin',
  description: 'Writes to a command that is still running, and answers with its newest output.',
  strict: false,
  parameters: {
    type: 'object',
    properties: {
      chars: { type: 'string', description: 'What to write; empty to only look for output.' },
      max_output_tokens: number('Longer output is cut in the middle.'),
      session_id: number('The session ID that exec_command answered.'),
      yield_time_ms: number('How long to wait before answering.'),
    },
    required: ['session_id'],
    additionalProperties: false,
  },
} as const

/** Talks to a command that `exec_command` left running. */
export function writeStdinTool(runner: CommandRunner): Tool {
  return {
    name: 'write_stdin',
    kind: 'function',
    isParallel: () => false,
    spec: SPEC as unknown as Tool['spec'],
    run: async (call, { signal }) => {
      const args = parseWriteStdinArguments(call.input)
      try {
        return formatAnswer(await runner.write({ ...args, signal }))
      } catch (error) {
        if (error instanceof ExecError) return formatWriteFailure(error)
        throw error
      }
    },
  }
}
