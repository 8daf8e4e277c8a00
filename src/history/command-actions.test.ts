import assert from 'node:assert/strict'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { JsonObject } from '../base/index.ts'
import type { ParsedCommand, StoredEvent } from '../protocol/index.ts'
import { commandActions } from './command-actions.ts'
import { commandItem } from './turn-items.ts'

type StoredCommand = Extract<StoredEvent, { type: 'exec_command_end' }>

const COMMAND: StoredCommand = {
  type: 'exec_command_end',
  ...{ call_id: 'c', turn_id: 't', command: ['bash', '-lc', 'x'], cwd: '/w', parsed_cmd: [] },
  ...{ source: 'agent', stdout: '', stderr: '', aggregated_output: '', exit_code: 0 },
  ...{ duration: { secs: 0, nanos: 0 }, formatted_output: '', status: 'completed' },
}

function actionsOf(parsed_cmd: unknown) {
  return commandActions({ ...COMMAND, parsed_cmd: parsed_cmd as JsonObject[] })
}

describe('the actions of a stored command', () => {
  it('have the spelling of clients, and whole paths of what is read', () => {
    const parsed: ParsedCommand[] = [
      { type: 'read', cmd: 'cat ../a', name: 'a', path: 'src/../a' },
      { type: 'read', cmd: 'cat ~/a', name: 'a', path: '~/a' },
      { type: 'list_files', cmd: 'ls', path: null },
      { type: 'search', cmd: 'rg x src', query: 'x', path: 'src' },
      { type: 'unknown', cmd: 'make' },
    ]
    assert.deepEqual(actionsOf(parsed), [
      { type: 'read', command: 'cat ../a', name: 'a', path: '/w/a' },
      { type: 'read', command: 'cat ~/a', name: 'a', path: join(homedir(), 'a') },
      { type: 'listFiles', command: 'ls', path: null },
      { type: 'search', command: 'rg x src', query: 'x', path: 'src' },
      { type: 'unknown', command: 'make' },
    ])
    assert.deepEqual(actionsOf([]), [])
  })

  it('are unknown where the log says something else', () => {
    const unknown = { type: 'unknown', command: 'x' }
    for (const parsed of [
      undefined,
      null,
      'ls',
      [7],
      [{}],
      [{ type: 'read' }],
      [{ type: 'new' }],
    ]) {
      assert.deepEqual(actionsOf(parsed), [unknown])
    }
  })
})

describe('the source and the process of a stored command', () => {
  it('have the spelling of clients; an unknown source is the agent', () => {
    const shown = (source: unknown, process_id: unknown) => {
      const event = { ...COMMAND, source, process_id } as StoredCommand
      const item = commandItem(event)
      return [item.source, item.processId]
    }
    assert.deepEqual(shown('user_shell', undefined), ['userShell', null])
    assert.deepEqual(shown('unified_exec_startup', '17'), ['unifiedExecStartup', '17'])
    assert.deepEqual(shown('unified_exec_interaction', 17), ['unifiedExecInteraction', null])
    assert.deepEqual(shown('agent', null), ['agent', null])
    assert.deepEqual(shown(undefined, ''), ['agent', ''])
  })
})
