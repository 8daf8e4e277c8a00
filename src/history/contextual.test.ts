import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assistantText } from '../../test/support/thread-log.ts'
import { type ContentPart, type MessageItem, userText } from '../protocol/index.ts'
import { isContextual, isUserBoundary, TURN_ABORTED_MARKER } from './contextual.ts'

function user(...parts: readonly (string | ContentPart)[]): MessageItem {
  const content = parts.map(
    (part): ContentPart => (typeof part === 'string' ? { type: 'input_text', text: part } : part),
  )
  return { type: 'message', role: 'user', content }
}

const IMAGE: ContentPart = { type: 'input_image', image_url: 'data:' }
const SKILL = '<skill>s</skill>'

describe('text that the program wrote in the name of the person', () => {
  const written = [
    '# AGENTS.md instructions for /repo\n\n<INSTRUCTIONS>\nbe good\n</INSTRUCTIONS>',
    '<environment_context>\n  <cwd>/repo</cwd>\n</environment_context>',
    SKILL,
    '<user_shell_command>\n<command>\nls\n</command>\n</user_shell_command>',
    TURN_ABORTED_MARKER,
    '<subagent_notification>{}</subagent_notification>',
    '<goal_context>go on</goal_context>',
    '<hook_prompt hook="x">p</hook_prompt>',
    ' \n<ENVIRONMENT_CONTEXT></Environment_Context>\n ',
  ]
  for (const text of written) {
    it(`is known by its marks: ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.deepEqual([isContextual(user(text)), isUserBoundary(user(text))], [true, false])
    })
  }

  it('may be in several parts, if every one of them is marked', () => {
    assert.equal(isContextual(user(SKILL, '<goal_context></goal_context>')), true)
    assert.equal(isContextual(user(SKILL, 'hi')), false)
    assert.equal(isContextual(user(SKILL, IMAGE)), false)
  })
})

describe('what the person wrote', () => {
  const said = [
    'hi',
    '',
    'look at <environment_context></environment_context>',
    '<environment_context> is a tag',
    '# AGENTS.md instructions are nice',
    '<user_action>review</user_action>',
  ]
  for (const text of said) {
    it(`opens a turn: ${JSON.stringify(text)}`, () => {
      assert.deepEqual([isContextual(user(text)), isUserBoundary(user(text))], [false, true])
    })
  }

  it('may be a picture, or nothing', () => {
    assert.equal(isUserBoundary(user(IMAGE)), true)
    assert.equal(isUserBoundary(user()), true)
  })

  it('is of the role user', () => {
    assert.equal(isUserBoundary(assistantText('hi')), false)
    assert.equal(isUserBoundary({ ...userText('hi'), role: 'developer' }), false)
    assert.equal(isUserBoundary({ type: 'other' }), false)
  })
})
