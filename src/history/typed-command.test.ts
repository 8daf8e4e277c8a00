import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { shellQuote } from '../base/index.ts'
import { typedCommand } from './typed-command.ts'

describe('a command as it was typed', () => {
  it('is the script of a shell', () => {
    const script = fc
      .string({ unit: 'binary', minLength: 1 })
      .filter((text) => !text.includes('\0'))
    const shell = fc.constantFrom('/bin/bash', 'sh', '/usr/bin/zsh')
    fc.assert(
      fc.property(shell, script, (program, text) => {
        assert.equal(typedCommand(shellQuote([program, '-lc', text])), text)
      }),
    )
    assert.equal(typedCommand('bash -c "it\'s \\"so\\""'), 'it\'s "so"')
  })

  it('is all of what is no script, or has more than that', () => {
    for (const command of [
      '',
      'git commit',
      'bash a.sh',
      "bash -c 'ls' x",
      "bash -c 'ls",
      'fish -c ls',
    ]) {
      assert.equal(typedCommand(command), command)
    }
  })
})
