import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ResponseItem } from '../../protocol/index.ts'
import { inputSince, type PreviousResponse } from './incremental-input.ts'

const message = (role: 'user' | 'assistant', text: string): ResponseItem => ({
  type: 'message',
  role,
  content: [{ type: role === 'user' ? 'input_text' : 'output_text', text }],
})

const [asked, said, more] = [message('user', 'a'), message('assistant', 'b'), message('user', 'c')]
const fields = { model: 'm', tools: [{ name: 'look' }] }
const previous: PreviousResponse = { id: 'r', fields, input: [asked], output: [said] }

describe('what is new since the previous response', () => {
  it('is what stands behind its input and output, however the items were made', () => {
    const copies = structuredClone([asked, said])
    assert.deepEqual(inputSince(previous, structuredClone(fields), [...copies, more]), [more])
  })

  it('may be nothing', () => {
    assert.deepEqual(inputSince(previous, fields, [asked, said]), [])
    const warm = { ...previous, input: [], output: [] }
    assert.deepEqual(inputSince(warm, fields, []), [])
  })

  it('cannot be told when anything else differs', () => {
    assert.equal(inputSince(previous, { ...fields, model: 'n' }, [asked, said, more]), undefined)
    assert.equal(inputSince(previous, fields, [asked, more]), undefined)
    assert.equal(inputSince(previous, fields, [asked]), undefined)
    assert.equal(inputSince(previous, fields, [said, asked, more]), undefined)
  })
})
