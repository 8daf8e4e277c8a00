import assert from 'node:assert/strict'
import { it } from 'node:test'
import { ExecError } from './exec-error.ts'
import { formatAnswer, formatExecFailure, formatWriteFailure } from './format-answer.ts'

const pwd = ['/bin/bash', '-lc', 'pwd']

it('an answer reads as that of Codex', () => {
  const answer = {
    chunkId: '16df04',
    wallTimeMs: 11.5,
    output: 'out\nerr\n',
    originalTokenCount: 2,
  }
  assert.equal(
    formatAnswer({ ...answer, exitCode: 3 }),
    'Chunk ID: 16df04\nWall time: 0.0115 seconds\nProcess exited with code 3\n' +
      'Original token count: 2\nOutput:\nout\nerr\n',
  )
  assert.equal(
    formatAnswer({
      ...answer,
      wallTimeMs: 250,
      output: '',
      originalTokenCount: 0,
      sessionId: 75675,
    }),
    'Chunk ID: 16df04\nWall time: 0.2500 seconds\nProcess running with session ID 75675\n' +
      'Original token count: 0\nOutput:\n',
  )
})

it('a command that did not run reads as that of Codex', () => {
  const reason = 'No such file or directory (os error 2)'
  assert.equal(
    formatExecFailure(pwd, new ExecError({ code: 'spawn_failed', reason }).message),
    'exec_command failed for `/bin/bash -lc pwd`: CreateProcess { message: ' +
      '"Rejected(\\"Failed to create unified exec process: ' +
      'No such file or directory (os error 2)\\")" }',
  )
  assert.equal(
    formatExecFailure(['/bin/bash', '-lc', 'touch a1'], 'rejected by user'),
    "exec_command failed for `/bin/bash -lc 'touch a1'`: " +
      'CreateProcess { message: "Rejected(\\"rejected by user\\")" }',
  )
  assert.equal(
    formatExecFailure(['/bin/bash', '-lc', 'a\0b'], 'nul'),
    'exec_command failed for `<command included NUL byte>`: ' +
      'CreateProcess { message: "Rejected(\\"nul\\")" }',
  )
})

it('a reason is quoted twice, as Rust does', () => {
  assert.equal(
    formatExecFailure(pwd, 'a "b" \\ c\n\u0001é'),
    'exec_command failed for `/bin/bash -lc pwd`: CreateProcess { message: ' +
      '"Rejected(\\"a \\\\\\"b\\\\\\" \\\\\\\\ c\\\\n\\\\u{1}é\\")" }',
  )
})

it('a write that reached no process reads as that of Codex', () => {
  assert.equal(
    formatWriteFailure(new ExecError({ code: 'unknown_process', sessionId: 999999 })),
    'write_stdin failed: Unknown process id 999999',
  )
  assert.equal(
    formatWriteFailure(new ExecError({ code: 'stdin_closed' })),
    'write_stdin failed: stdin is closed for this session; ' +
      'rerun exec_command with tty=true to keep stdin open',
  )
})
