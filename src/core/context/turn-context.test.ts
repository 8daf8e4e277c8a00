import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SessionSettings } from '../settings.ts'
import { contextMessages, turnContextRecord } from './turn-context.ts'

const SETTINGS: SessionSettings = {
  cwd: '/w',
  model: 'gpt-5.4',
  modelProvider: 'mock',
  approvalPolicy: 'never',
  sandboxPolicy: { type: 'danger-full-access' },
}
const ENVIRONMENT = {
  shellName: 'bash',
  nowMs: new Date(2026, 10, 5, 0, 0, 1).getTime(),
  timezone: 'Etc/UTC',
}

function textsOf(messages: Awaited<ReturnType<typeof contextMessages>>): string[][] {
  return messages.map(({ role, content }) => [
    role,
    ...content.map((part) => ('text' in part ? part.text : part.type)),
  ])
}

describe('the record of a turn', () => {
  it('has the local date, and an effort only when one is set', () => {
    const record = turnContextRecord('t', { ...SETTINGS, effort: 'high' }, ENVIRONMENT)
    assert.deepEqual(
      [record.current_date, record.effort, record.collaboration_mode],
      [
        '2026-11-05',
        'high',
        {
          mode: 'default',
          settings: { model: 'gpt-5.4', reasoning_effort: 'high', developer_instructions: null },
        },
      ],
    )
    assert.ok(!('effort' in turnContextRecord('t', SETTINGS, ENVIRONMENT)))
  })
})

describe('the context of a turn', () => {
  const projectDocs = async () => 'Be kind.'
  const sources = { settings: SETTINGS, environment: ENVIRONMENT, projectDocs }
  const record = turnContextRecord('t', SETTINGS, ENVIRONMENT)

  it('has the shapes and marks of 0.133.0', async () => {
    const environment = [
      '<environment_context>',
      '  <cwd>/w</cwd>',
      '  <shell>bash</shell>',
      '  <current_date>2026-11-05</current_date>',
      '  <timezone>Etc/UTC</timezone>',
      '</environment_context>',
    ].join('\n')
    const [developer, user] = textsOf(await contextMessages(sources, record, undefined))
    assert.equal(developer?.length, 2)
    assert.match(
      developer?.[1] ?? '',
      /^<permissions instructions>\n.*<\/permissions instructions>$/s,
    )
    assert.deepEqual(user, [
      'user',
      '# AGENTS.md instructions for /w\n\n<INSTRUCTIONS>\nBe kind.\n</INSTRUCTIONS>',
      environment,
    ])
  })

  it('is empty when nothing differs, and does not read the documents then', async () => {
    const unread = { ...sources, projectDocs: () => assert.fail('not to be read') }
    assert.deepEqual(await contextMessages(unread, record, record), [])
  })

  it('names both models of a switch', async () => {
    const before = { ...record, model: 'gpt-5.1' }
    const [message, ...others] = textsOf(await contextMessages(sources, record, before))
    assert.equal(others.length, 0)
    assert.match(
      message?.[1] ?? '',
      /^<model_switch>\n.*from gpt-5\.1 to gpt-5\.4.*\n<\/model_switch>$/,
    )
  })

  it('has the surroundings again when the folder, the date or the zone differ', async () => {
    for (const change of [
      { cwd: '/v' },
      { current_date: '2026-11-04' },
      { timezone: 'Europe/Berlin' },
    ]) {
      const seen = textsOf(await contextMessages(sources, record, { ...record, ...change }))
      assert.deepEqual(
        seen.map(([role]) => role),
        ['user'],
      )
    }
  })
})
