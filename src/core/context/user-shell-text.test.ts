import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ABORTED_USER_SHELL, type UserShellResult, userShellMessage } from './user-shell-text.ts'

const tagged = (command: string, result: string) =>
  `<user_shell_command>\n<command>\n${command}\n</command>\n<result>\n${result}\n</result>\n` +
  '</user_shell_command>'

/** Commands that Codex 0.133.0 ran for a person, and what it told the model. */
const OBSERVED: readonly (readonly [command: string, result: UserShellResult, told: string])[] = [
  [
    'echo hi; echo err >&2',
    { exitCode: 0, durationMs: 22.6, output: 'hi\nerr\n' },
    'Exit code: 0\nDuration: 0.0226 seconds\nOutput:\nhi\nerr\n',
  ],
  [
    'exit 3',
    { exitCode: 3, durationMs: 7.9, output: '' },
    'Exit code: 3\nDuration: 0.0079 seconds\nOutput:\n',
  ],
  [
    'printf "no newline"',
    { exitCode: 0, durationMs: 11.6, output: 'no newline' },
    'Exit code: 0\nDuration: 0.0116 seconds\nOutput:\nno newline',
  ],
  [
    'sleep 2; echo late',
    { exitCode: 0, durationMs: 2011.9, output: 'late\n' },
    'Exit code: 0\nDuration: 2.0119 seconds\nOutput:\nlate\n',
  ],
  [
    'echo "</result>"',
    { exitCode: 0, durationMs: 13.4, output: '</result>\n' },
    'Exit code: 0\nDuration: 0.0134 seconds\nOutput:\n</result>\n',
  ],
  [
    'echo start; sleep 20; echo end',
    ABORTED_USER_SHELL,
    'Exit code: -1\nDuration: 0.0000 seconds\nOutput:\ncommand aborted by user',
  ],
]

const count = (last: number) => Array.from({ length: last }, (_, at) => `${at + 1}\n`).join('')

/** Output over the limit, and what was left of it. */
const CUT: readonly (readonly [output: string, lines: number, head: string, tail: string])[] = [
  ['a'.repeat(40_001), 1, 'a'.repeat(20_000), `…1 tokens truncated…${'a'.repeat(20_000)}`],
  ['é'.repeat(30_000), 1, 'é'.repeat(10_000), `…5000 tokens truncated…${'é'.repeat(10_000)}`],
  [
    count(20_000),
    20_000,
    count(20_000).slice(0, 20_000),
    `…17224 tokens truncated…${count(20_000).slice(-20_000)}`,
  ],
]

describe('what the model reads of a command that a person ran', () => {
  for (const [command, result, told] of OBSERVED) {
    it(command, () => assert.equal(userShellMessage(command, result), tagged(command, told)))
  }

  it('has its output cut in the middle', () => {
    const head = 'Exit code: 0\nDuration: 0.0203 seconds\nOutput:\n'
    for (const [output, lines, start, end] of CUT) {
      assert.equal(
        userShellMessage('x', { exitCode: 0, durationMs: 20.3, output }),
        tagged('x', `${head}Total output lines: ${lines}\n\n${start}${end}`),
      )
    }
    const output = 'a'.repeat(40_000)
    const whole = userShellMessage('x', { exitCode: 0, durationMs: 20.3, output })
    assert.equal(whole, tagged('x', head + output))
  })
})
