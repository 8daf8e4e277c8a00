import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseYamlMap, YamlError } from './small-yaml.ts'

const read = (text: string): unknown => JSON.parse(JSON.stringify(parseYamlMap(text)))

describe('the heads of skills', () => {
  it('are maps of texts, however those are written', () => {
    const text = `# said first
name: plain text # not this
quoted: "with: colon # and hash"
single: 'it''s'
folded: >
  one
  two
kept: |-
  one
  two
long: goes
  on here

empty:
below:
  short-description: inner
  deeper:
    x: y
tags: [a, b]
last: 5
`
    assert.deepEqual(read(text), {
      name: 'plain text',
      quoted: 'with: colon # and hash',
      single: "it's",
      folded: 'one two',
      kept: 'one\ntwo',
      long: 'goes on here',
      empty: '',
      below: { 'short-description': 'inner', deeper: { x: 'y' } },
      tags: '[a, b]',
      last: '5',
    })
  })

  it('are refused with the place of the fault', () => {
    const colon = 'mapping values are not allowed in this context at line 2 column 15'
    assert.throws(() => read('name: x\ndescription: a: b\n'), new YamlError(colon))
    const key = 'did not find expected key at line 2 column 1'
    assert.throws(() => read('name: "x"\n- item\n'), new YamlError(key))
  })

  it('cannot reach what objects inherit', () => {
    assert.equal(Object.getPrototypeOf(parseYamlMap('__proto__:\n  x: y\n')), null)
    assert.equal(({} as { x?: string }).x, undefined)
  })
})
