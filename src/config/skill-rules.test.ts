import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { editSkillRule } from './skill-rules.ts'

const off = (name: string) => `[[skills.config]]\nname = "${name}"\nenabled = false\n`
const head = 'model = "x" # why\n\n[tui]\na = 1\n'

describe('rules about skills', () => {
  it('are added behind what is said of skills, and taken away without a trace', () => {
    const one = editSkillRule(head, { name: 'a' }, false)
    assert.equal(one, `${head}\n${off('a')}`)
    assert.equal(editSkillRule(one, { name: 'a' }, false), one)
    const two = editSkillRule(one, { name: 'b' }, false)
    assert.equal(two, `${head}\n${off('a')}\n${off('b')}`)
    assert.equal(editSkillRule(two, { name: 'a' }, true), `${head}\n${off('b')}`)
    assert.equal(editSkillRule(one, { name: 'a' }, true), head)
    assert.equal(editSkillRule(head, { name: 'a' }, true), head)
  })

  it('stand where skills are spoken of', () => {
    const text = '[skills.bundled]\nenabled = false\n[tui]\na = 1\n'
    const edited = '[skills.bundled]\nenabled = false\n\n[[skills.config]]\n'
    const rule = 'path = "/x/SKILL.md"\nenabled = false\n'
    const path = '/x/SKILL.md'
    assert.equal(editSkillRule(text, { path }, false), `${edited}${rule}[tui]\na = 1\n`)
    assert.equal(editSkillRule('', { path }, false), `[[skills.config]]\n${rule}`)
  })

  it('are switched in place, with what is said about them', () => {
    const text = '[[skills.config]]\n# mine\npath = "/z/../x/SKILL.md"\nenabled = true # on\n'
    const path = '/x/SKILL.md'
    assert.equal(editSkillRule(text, { path }, false), text.replace('= true', '= false'))
    const bare = '[[skills.config]]\nname = " a "\n'
    const switched = '[[skills.config]]\nenabled = false\nname = " a "\n'
    assert.equal(editSkillRule(bare, { name: 'a' }, false), switched)
  })

  it('are kept in a list on one line where they are in one', () => {
    const text = '[skills]\nconfig = [{ name = "a", enabled = false }] # all\n'
    const both = '[{ name = "a", enabled = false }, { name = "b", enabled = false }]'
    assert.equal(editSkillRule(text, { name: 'b' }, false), `[skills]\nconfig = ${both} # all\n`)
    assert.equal(editSkillRule(text, { name: 'a' }, true), '[skills]\n')
  })
})
