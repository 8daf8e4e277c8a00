import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { OpenFile } from './file-system.ts'
import { type JsonlLine, visitLines } from './jsonl.ts'

/** A file that answers with at most `most` bytes a read. */
function fileOf(bytes: Buffer, most = bytes.length): Pick<OpenFile, 'read'> {
  return {
    read: async (into, position) => {
      const part = bytes.subarray(position, position + Math.min(most, into.byteLength))
      part.copy(into)
      return part.length
    },
  }
}

async function linesOf(bytes: Buffer, start?: number, most?: number): Promise<JsonlLine[]> {
  const lines: JsonlLine[] = []
  const options = start === undefined ? {} : { start }
  await visitLines(fileOf(bytes, most) as OpenFile, options, (line) => {
    lines.push(line)
  })
  return lines
}

describe('visitLines', () => {
  it('tells where each line starts, how long it is, and whether it is whole', async () => {
    assert.deepEqual(await linesOf(Buffer.from('a\n\nüb\nrest')), [
      { text: 'a', offset: 0, sizeBytes: 2, isTerminated: true, isUtf8: true },
      { text: '', offset: 2, sizeBytes: 1, isTerminated: true, isUtf8: true },
      { text: 'üb', offset: 3, sizeBytes: 4, isTerminated: true, isUtf8: true },
      { text: 'rest', offset: 7, sizeBytes: 4, isTerminated: false, isUtf8: true },
    ])
  })

  it('starts at a byte', async () => {
    assert.deepEqual(await linesOf(Buffer.from('a\nb\n'), 2), [
      { text: 'b', offset: 2, sizeBytes: 2, isTerminated: true, isUtf8: true },
    ])
  })

  it('splits at LF only', async () => {
    const text = 'a\r\u2028\u2029\u0085b\u000b\u000c'
    const [line] = await linesOf(Buffer.from(`${text}\n`))
    assert.equal(line?.text, text)
  })

  it('marks a line with bytes that are no UTF-8, and only that one', async () => {
    const bytes = Buffer.concat([Buffer.from('a\nb'), Buffer.of(0xff), Buffer.from('\nc\n')])
    const lines = await linesOf(bytes)
    assert.deepEqual(
      lines.map(({ text, isUtf8 }) => [text, isUtf8]),
      [
        ['a', true],
        ['b\uFFFD', false],
        ['c', true],
      ],
    )
  })

  it('gives the same lines however the file is cut into reads', async () => {
    const text = fc.array(fc.constantFrom('a', '\n', '€', '😀', '{"x":1}\n'), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 7 }), async (parts, most) => {
        const bytes = Buffer.from(parts.join(''))
        const lines = await linesOf(bytes, 0, most)
        assert.deepEqual(lines, await linesOf(bytes))
        const joined = lines.map(({ text, isTerminated }) => text + (isTerminated ? '\n' : ''))
        assert.equal(joined.join(''), parts.join(''))
      }),
    )
  })
})
