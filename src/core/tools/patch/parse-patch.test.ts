import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type PatchHunk, parsePatch } from './parse-patch.ts'
import { PatchError } from './patch-error.ts'

const aLine = fc.string({ maxLength: 8 }).map((text) => text.replace(/[\r\n]/g, '_'))
const aPath = fc.stringMatching(/^[a-z/.]{1,10}$/)
const aChunkLine = fc.tuple(fc.constantFrom(' ', '+', '-'), aLine)

const aChunk = fc.record({
  context: fc.option(fc.stringMatching(/^[a-z ]{1,6}$/)),
  lines: fc.array(aChunkLine, { minLength: 1, maxLength: 4 }),
  isEndOfFile: fc.boolean(),
})

const aHunk = fc.oneof(
  fc.record({ type: fc.constant('add' as const), path: aPath, lines: fc.array(aLine) }),
  fc.record({ type: fc.constant('delete' as const), path: aPath }),
  fc.record({
    type: fc.constant('update' as const),
    path: aPath,
    movePath: fc.option(aPath),
    chunks: fc.array(aChunk, { minLength: 1, maxLength: 3 }),
  }),
)

type Hunk = typeof aHunk extends fc.Arbitrary<infer T> ? T : never

function printHunk(hunk: Hunk): string[] {
  if (hunk.type === 'delete') return [`*** Delete File: ${hunk.path}`]
  if (hunk.type === 'add') {
    return [`*** Add File: ${hunk.path}`, ...hunk.lines.map((line) => `+${line}`)]
  }
  return [
    `*** Update File: ${hunk.path}`,
    ...(hunk.movePath === null ? [] : [`*** Move to: ${hunk.movePath}`]),
    ...hunk.chunks.flatMap(({ context, lines, isEndOfFile }) => [
      context === null ? '@@' : `@@ ${context}`,
      ...lines.map(([sign, line]) => sign + line),
      ...(isEndOfFile ? ['*** End of File'] : []),
    ]),
  ]
}

function meantBy(hunk: Hunk): PatchHunk {
  if (hunk.type === 'delete') return { type: 'delete', path: hunk.path }
  if (hunk.type === 'add') {
    const content = hunk.lines.map((line) => `${line}\n`).join('')
    return { type: 'add', path: hunk.path, content }
  }
  const chunks = hunk.chunks.map(({ context, lines, isEndOfFile }) => ({
    ...(context !== null && { context }),
    oldLines: lines.filter(([sign]) => sign !== '+').map(([, line]) => line),
    newLines: lines.filter(([sign]) => sign !== '-').map(([, line]) => line),
    isEndOfFile,
  }))
  const move = hunk.movePath === null ? {} : { movePath: hunk.movePath }
  return { type: 'update', path: hunk.path, ...move, chunks }
}

describe('parsePatch', () => {
  it('reads back every printed patch, in either line ending', () => {
    fc.assert(
      fc.property(fc.array(aHunk), fc.constantFrom('\n', '\r\n'), (hunks, lineEnd) => {
        const lines = ['*** Begin Patch', ...hunks.flatMap(printHunk), '*** End Patch']
        assert.deepEqual(parsePatch(lines.join(lineEnd)), hunks.map(meantBy))
      }),
    )
  })

  it('throws nothing but PatchError', () => {
    const aPiece = fc.constantFrom(
      '*** Begin Patch',
      '*** End Patch',
      '*** Update File: a',
      '*** Add File: b',
      '*** Move to: c',
      '*** End of File',
      "<<'EOF'",
      'EOF',
      '@@',
      '@@ x',
      '+y',
      '-y',
      ' y',
      '',
      'junk',
    )
    fc.assert(
      fc.property(fc.array(aPiece), (pieces) => {
        try {
          parsePatch(['*** Begin Patch', ...pieces, '*** End Patch'].join('\n'))
        } catch (error) {
          assert.ok(error instanceof PatchError)
        }
      }),
    )
  })
})
