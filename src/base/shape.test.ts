import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  aCount,
  anAbsolutePath,
  anAmount,
  aText,
  givenOf,
  listOf,
  maybe,
  members,
  oneOf,
  onlyMembers,
  someWords,
} from './shape.ts'

describe('a shape', () => {
  it('says what the value has to be, by its name, and what it is', () => {
    const thing = members({ name: someWords, sizes: maybe(listOf(aCount)) })
    const faults = [
      [thing, undefined, 'x must be an object, but is undefined'],
      [thing, [], 'x must be an object, but is a list'],
      [thing, { name: ' ' }, 'x.name must be a text that is not blank, but is " "'],
      [thing, { name: 'n', sizes: 3 }, 'x.sizes must be a list, but is 3'],
      [
        thing,
        { name: 'n', sizes: [1, -1] },
        'x.sizes[1] must be a whole number from 0 on, but is -1',
      ],
      [anAmount, Number.NaN, 'x must be a number from 0 on, but is NaN'],
      [anAbsolutePath, './a', 'x must be an absolute path, but is "./a"'],
      [oneOf(['a', 'b']), 'c', 'x must be one of a, b, but is "c"'],
      [onlyMembers({ a: maybe(aText) }), { b: 1 }, 'x has no member b; it may have a'],
      [aCount, 'secret'.repeat(20), 'x must be a whole number from 0 on, but is another text'],
    ] as const
    for (const [shape, value, fault] of faults) assert.equal(shape(value, 'x'), fault)
  })

  it('finds nothing wrong with what fits, whatever else is there', () => {
    const thing = members({ name: someWords, sizes: maybe(listOf(aCount)) })
    for (const value of [{ name: 'n' }, { name: 'n', sizes: undefined, more: 1 }]) {
      assert.equal(thing(value, 'x'), undefined)
    }
    assert.equal(anAmount(Number.POSITIVE_INFINITY, 'x'), undefined)
  })
})

it('options that were given as undefined were not given', () => {
  assert.deepEqual(givenOf({ a: 1, b: undefined, c: null }), { a: 1, c: null })
})
