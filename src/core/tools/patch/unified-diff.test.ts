import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { applyPatch } from 'diff'
import fc from 'fast-check'
import { unifiedDiff } from './unified-diff.ts'

const aText = fc
  .array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 })
  .map((lines) => lines.map((line) => `${line}\n`).join(''))

describe('unifiedDiff', () => {
  it('gives the hunks of Codex 0.133.0', () => {
    const lines = readFileSync(new URL('./observed-diffs.jsonl', import.meta.url), 'utf8')
    for (const line of lines.trimEnd().split('\n')) {
      const [before, after, diff]: string[] = JSON.parse(line)
      assert.equal(unifiedDiff(before ?? '', after ?? ''), diff, line)
    }
  })

  it('is empty only for equal texts', () => {
    fc.assert(
      fc.property(aText, aText, (before, after) => {
        assert.equal(unifiedDiff(before, after) === '', before === after)
      }),
    )
  })

  it('turns one text into the other, after one change', () => {
    const change = fc.record({
      head: fc.array(fc.constantFrom('p', 'q'), { maxLength: 6 }),
      old: fc.array(fc.constantFrom('x', 'y'), { maxLength: 3 }),
      new: fc.array(fc.constantFrom('z'), { maxLength: 3 }),
      tail: fc.array(fc.constantFrom('r', 's'), { maxLength: 6 }),
    })
    fc.assert(
      fc.property(change, ({ head, old, new: added, tail }) => {
        const before = [...head, ...old, ...tail].map((line) => `${line}\n`).join('')
        const after = [...head, ...added, ...tail].map((line) => `${line}\n`).join('')
        const diff = unifiedDiff(before, after)
        if (diff !== '') assert.equal(applyPatch(before, diff), after)
      }),
    )
  })

  it('is quick on a large file with a few changes', () => {
    const before = Array.from({ length: 20_000 }, (_, n) => `line ${n}\n`)
    const after = before.with(10, 'x\n').with(19_000, 'y\n')
    const diff = unifiedDiff(before.join(''), after.join(''))
    assert.equal(diff.split('\n').filter((line) => line.startsWith('@@')).length, 2)
  })

  it('shows texts without anything in common as replaced, however long they are', () => {
    const lines = (word: string) => Array.from({ length: 20_000 }, (_, at) => `${word} ${at}\n`)
    const [before, after] = [lines('old'), lines('new')]
    const removed = before.map((line) => `-${line}`).join('')
    const added = after.map((line) => `+${line}`).join('')
    const diff = unifiedDiff(before.join(''), after.join(''))
    assert.equal(diff, `@@ -1,20000 +1,20000 @@\n${removed}${added}`)
  })
})
