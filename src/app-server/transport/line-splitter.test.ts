import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LineSplitter } from './line-splitter.ts'

function split(chunks: readonly Buffer[], mostBytes?: number) {
  const lines: string[] = []
  const faults: (string | undefined)[][] = []
  const splitter = new LineSplitter({
    onLine: (text) => lines.push(text),
    onFault: (...fault) => faults.push(fault),
    ...(mostBytes === undefined ? {} : { mostBytes }),
  })
  for (const chunk of chunks) splitter.push(chunk)
  splitter.end()
  return { lines, faults }
}

describe('LineSplitter', () => {
  it('gives the lines whatever the pieces that they come in', () => {
    const line = fc
      .string({ unit: 'grapheme' })
      .map((text) => `x${text.replaceAll('\n', '\u2028')}`)
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(200)), (lines, cuts) => {
        const bytes = Buffer.from(lines.join('\n'))
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b)]
        const chunks = at.map((from, index) => bytes.subarray(from, at[index + 1]))
        assert.deepEqual(split(chunks), { lines, faults: [] })
      }),
    )
  })

  it('passes over blank lines and lines that are too long, and goes on', () => {
    const bytes = Buffer.from(`\n \r\nfirst\n${'x'.repeat(30)}\nlast`)
    const chunks = Array.from(bytes, (byte) => Buffer.of(byte))
    const faults = [['a line of 30 bytes was passed over: 20 at most']]
    assert.deepEqual(split(chunks, 20), { lines: ['first', 'last'], faults })
  })

  it('tells bytes that are no UTF-8, not the character that stands for them', () => {
    const bytes = Buffer.concat([Buffer.from('\uFFFD\n'), Buffer.of(0x61, 0xff, 0x0a)])
    const faults = [['a line held bytes that are no UTF-8', 'a\uFFFD']]
    assert.deepEqual(split([bytes]), { lines: ['\uFFFD'], faults })
  })
})
