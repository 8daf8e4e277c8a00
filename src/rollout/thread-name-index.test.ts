import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { TempFolder } from '../../test/support/temp-folder.ts'
import { threadIdOf } from '../../test/support/thread-log.ts'
import { nodeFileSystem } from '../base/index.ts'
import { NAME_INDEX_FILE, readThreadNames } from './thread-name-index.ts'

function entry(n: number, thread_name: unknown): string {
  return JSON.stringify({ id: threadIdOf(n), thread_name, updated_at: '2026-11-20T09:29:16.05Z' })
}

async function namesIn(content: string | Uint8Array): Promise<[string, string][]> {
  await using home = await TempFolder.create()
  await writeFile(home.at(NAME_INDEX_FILE), content)
  return [...(await readThreadNames(nodeFileSystem, home.path))]
}

const [ONE, TWO] = [threadIdOf(1), threadIdOf(2)]

describe('the names of threads', () => {
  it('are none where there is no index', async () => {
    await using home = await TempFolder.create()
    assert.deepEqual([...(await readThreadNames(nodeFileSystem, home.path))], [])
  })

  it('are those of the newest entries, trimmed; a blank one takes the name away', async () => {
    const lines = [
      entry(1, 'old'),
      entry(2, 'two'),
      entry(1, ' new '),
      entry(3, 'x'),
      entry(3, ' '),
    ]
    assert.deepEqual(await namesIn(lines.join('\n')), [
      [ONE, 'new'],
      [TWO, 'two'],
    ])
  })

  it('are read over damaged and foreign lines', async () => {
    const lines = [`\uFEFF${entry(1, 'one')}\r`, '{"id":', '7', '', entry(2, 7), '{"id":"x"}']
    assert.deepEqual(await namesIn(lines.join('\n')), [[ONE, 'one']])
  })

  it('cost no other name when the bytes of one are no UTF-8', async () => {
    const bytes = Buffer.from(`${entry(1, 'X')}\n${entry(2, 'two')}\n`)
    bytes[bytes.indexOf('"X"') + 1] = 0xff
    assert.deepEqual(await namesIn(bytes), [
      [ONE, '\uFFFD'],
      [TWO, 'two'],
    ])
  })

  it('are read from any file without failing', async () => {
    const anyLine = fc.oneof(fc.string(), fc.json(), fc.constantFrom(entry(1, 'one'), '{"id":1}'))
    await fc.assert(
      fc.asyncProperty(fc.array(anyLine, { maxLength: 5 }), async (lines) => {
        const names = await namesIn([...lines, entry(2, 'two')].join('\n'))
        assert.equal(new Map(names).get(TWO), 'two')
      }),
      { numRuns: 100 },
    )
  })
})
