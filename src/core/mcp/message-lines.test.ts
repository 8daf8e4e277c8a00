import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MessageLines } from './message-lines.ts'

const pushed = (lines: MessageLines, ...chunks: string[]) =>
  chunks.flatMap((chunk) => lines.push(Buffer.from(chunk)))

describe('lines of messages', () => {
  it('are put together from any pieces', () => {
    const messages = pushed(new MessageLines(), '{"a"', ':1}\r\n{"b":', '2}\n{"c":3}', '\n')
    assert.deepEqual(messages, [{ a: 1 }, { b: 2 }, { c: 3 }])
  })

  it('that are no messages are skipped', () => {
    assert.deepEqual(pushed(new MessageLines(), 'hello\n\n7\n{"a"\n{"a":1}\n'), [{ a: 1 }])
  })

  it('may not be larger than the limit, nor may what is between them', () => {
    const lines = new MessageLines(16)
    assert.deepEqual(pushed(lines, '{"a":1}\n', '{"a":1}\n', '{"a":1}\n'), [
      { a: 1 },
      { a: 1 },
      { a: 1 },
    ])
    assert.throws(() => pushed(lines, 'x'.repeat(10), 'x'.repeat(7)), { code: 'bad_answer' })
    assert.throws(() => pushed(new MessageLines(16), 'noise\n'.repeat(3)), { code: 'bad_answer' })
  })
})
