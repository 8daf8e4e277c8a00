import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ResponseItem, TurnItem } from '../protocol/index.ts'
import { callText, searchText } from './search-text.ts'
import { commandItem } from './turn-items.ts'

function command(...argv: readonly string[]): TurnItem {
  return commandItem({
    ...{ type: 'exec_command_end', call_id: 'c', turn_id: 't', command: [...argv], cwd: '/repo' },
    ...{ parsed_cmd: [], source: 'agent', stdout: '', stderr: '', aggregated_output: 'output' },
    ...{ exit_code: 0, duration: { secs: 0, nanos: 0 }, formatted_output: '' },
    status: 'completed',
  })
}

describe('what search finds of an item', () => {
  it('is a command as it was typed, all of it, without the shell around it', () => {
    assert.equal(searchText(command('git', 'commit', '-m', 'message')), 'git commit -m message')
    for (const shell of ['bash', '/usr/bin/zsh', 'sh']) {
      assert.equal(searchText(command(shell, '-lc', "echo 'a b'")), "echo 'a b'")
    }
    assert.equal(searchText(command()), '')
  })

  it('is the words of a message, without its pictures', () => {
    const text = { type: 'text', text: 'look', text_elements: [] } as const
    const image = { type: 'image', detail: null, url: 'data:image/png;base64,AAAA' } as const
    assert.equal(searchText({ type: 'userMessage', id: 'u', content: [image, text] }), 'look')
  })
})

describe('what search finds of a tool call', () => {
  const call = (text: string): ResponseItem => ({
    ...{ type: 'function_call', name: 'exec_command', call_id: 'c', arguments: text },
  })

  it('is each text of its arguments, without the keys', () => {
    assert.equal(
      callText(call('{"cmd":["npm","test"],"in":{"cwd":"/repo"},"ms":5}')),
      'npm\ntest\n/repo',
    )
    assert.equal(callText(call('"plain"')), 'plain')
    assert.equal(callText(call('{"half":')), '{"half":')
    assert.equal(callText(call('null')), '')
  })

  it('is the input of a patch, and nothing of what comes out', () => {
    const patch = { type: 'custom_tool_call', name: 'apply_patch', call_id: 'p' } as const
    assert.equal(callText({ ...patch, input: '*** Begin Patch' }), '*** Begin Patch')
    assert.equal(callText({ type: 'function_call_output', call_id: 'c', output: 'seen' }), '')
  })
})
