import assert from 'node:assert/strict'
import { appendFile, truncate, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyLog } from '../../test/support/arbitrary-log.ts'
import { FaultyFileSystem } from '../../test/support/faulty-file-system.ts'
import { TempFolder } from '../../test/support/temp-folder.ts'
import { header, textOf, threadIdOf, turn } from '../../test/support/thread-log.ts'
import { nodeFileSystem } from '../base/index.ts'
import { type KnownRollout, type OutlinedRollout, outlineRollout } from './rollout-outline.ts'
import { loadRollout } from './rollout-reader.ts'

const RUNS = Number(process.env.BOBBIN_RUNS ?? 150)
const HEAD = textOf([header(threadIdOf(1))])

/** What is kept of an outline: plain JSON, and only the last turns that are shown. */
function knownOf(outlined: OutlinedRollout): KnownRollout {
  const { summary, foldedBytes, foldedLines, damage, damagedLines, fold } = outlined
  const lastTurns = fold.turns.filter((each) => !each.isTakenBack).slice(-64)
  const outline = { state: fold.state, lastTurns }
  const facts = { summary, outline, foldedBytes, foldedLines, damage, damagedLines }
  return JSON.parse(JSON.stringify(facts))
}

function factsOf({ fold, texts: _, isFromStart: _isFromStart, ...facts }: OutlinedRollout) {
  return { ...facts, state: fold.state }
}

const noise = fc.constantFrom('', '{"half":\n', 'no json\n', '\n', '\r\n', '{}\n', '\uFFFD\n')
const anyText = fc
  .array(fc.tuple(anyLog, noise), { maxLength: 4 })
  .map((parts) => parts.map(([log, bad]) => textOf(log.slice(0, 25)) + bad).join(''))

async function outlineOf(path: string, known?: KnownRollout): Promise<OutlinedRollout> {
  const outlined = await outlineRollout(nodeFileSystem, path, known)
  return outlined ?? assert.fail('it has no header')
}

describe('the outline of a rollout', () => {
  it('is the same in pieces, cut anywhere, as at once', async () => {
    const cuts = fc.array(fc.nat(), { maxLength: 4 })
    const property = fc.asyncProperty(anyText, cuts, fc.boolean(), async (text, all, hasBom) => {
      await using folder = await TempFolder.create()
      const path = folder.at('log.jsonl')
      const bytes = Buffer.from((hasBom ? '\uFEFF' : '') + HEAD + text)
      const head = Buffer.byteLength(HEAD) + (hasBom ? 3 : 0)
      const places = all.map((cut) => head + (cut % (bytes.length - head + 1)))
      let known: KnownRollout | undefined
      let from = 0
      for (const place of [...places.sort((a, b) => a - b), bytes.length]) {
        await appendFile(path, bytes.subarray(from, place))
        from = place
        const outlined = await outlineOf(path, known)
        const whole = await outlineOf(path)
        assert.deepEqual(factsOf(outlined), factsOf(whole))
        const { items, damage } = await loadRollout(nodeFileSystem, path)
        assert.deepEqual([...whole.damage, ...whole.tailDamage], damage.slice(0, 100))
        assert.equal(whole.damagedLines + whole.tailDamage.length, damage.length)
        if (whole.openTail) assert.deepEqual(whole.openTail.item, items.at(-1))
        known = knownOf(outlined)
      }
    })
    await fc.assert(property, { numRuns: RUNS })
  })

  it('of a file that became shorter, or another, is made from its start', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('log.jsonl')
    await writeFile(path, HEAD + textOf([...turn(1), ...turn(2)]))
    const known = knownOf(await outlineOf(path))
    await truncate(path, known.foldedBytes - 10)
    const cut = await outlineOf(path, known)
    assert.deepEqual([cut.isFromStart, cut.foldedBytes < known.foldedBytes], [true, true])
    await writeFile(path, HEAD + textOf(turn('of another, with a longer id').concat(turn(3))))
    const other = await outlineOf(path, known)
    assert.deepEqual(factsOf(other), factsOf(await outlineOf(path)))
  })

  it('counts all damage, keeps the first of it, and counts none twice', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('log.jsonl')
    await writeFile(path, `${HEAD}${'rubbish\n'.repeat(150)}torn`)
    const first = await outlineOf(path)
    assert.deepEqual(
      [first.damagedLines, first.damage.length, first.tailDamage.length],
      [150, 100, 1],
    )
    const again = await outlineOf(path, knownOf(first))
    assert.deepEqual(factsOf(again), factsOf(first))
    await appendFile(path, '\nmore\n')
    const more = await outlineOf(path, knownOf(again))
    assert.deepEqual([more.damagedLines, more.tailDamage], [152, []])
  })

  it('is none of a file without a header', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('log.jsonl')
    await writeFile(path, textOf(turn(1)))
    assert.equal(await outlineRollout(nodeFileSystem, path), undefined)
  })

  it('reads what came, and a byte to see where it began', async () => {
    await using folder = await TempFolder.create()
    const path = folder.at('log.jsonl')
    await writeFile(path, HEAD + textOf(turn(1)))
    const known = knownOf(await outlineOf(path))
    const text = textOf(turn(2))
    await appendFile(path, text)
    const files = new FaultyFileSystem()
    const outlined = await outlineRollout(files, path, known)
    assert.deepEqual([outlined?.isFromStart, files.bytesRead], [false, text.length + 1])
    assert.equal(files.openCount, 0)
  })
})
