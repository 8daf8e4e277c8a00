import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assistantText } from '../../test/support/thread-log.ts'
import { messageText, type ResponseItem, userText } from '../protocol/index.ts'
import { compactedHistory, estimateTokens, SUMMARY_PREFIX } from './compaction.ts'

const SUMMARY = `${SUMMARY_PREFIX}\nnotes`

function texts(items: readonly ResponseItem[]): string[] {
  return items.map((item) => (item.type === 'message' ? messageText(item) : item.type))
}

describe('what a compaction leaves', () => {
  it('is what the person said, in order, and the summary', () => {
    const items = [
      userText('<environment_context>x</environment_context>'),
      userText('one'),
      assistantText('answer'),
      userText('two'),
    ]
    assert.deepEqual(texts(compactedHistory(items, SUMMARY)), ['one', 'two', SUMMARY])
    assert.deepEqual(texts(compactedHistory([], SUMMARY)), [SUMMARY])
  })

  it('holds no summary of before, be it ours or of real Codex', () => {
    const theirs = 'Another language model started to solve this problem and …'
    const items = [userText(`${SUMMARY_PREFIX}\nold`), userText(theirs), userText('one')]
    assert.deepEqual(texts(compactedHistory(items, SUMMARY)), ['one', SUMMARY])
  })

  it('has the context before the last words of the person', () => {
    const context = [userText('<environment_context>x</environment_context>')]
    const left = compactedHistory([userText('one'), userText('two')], SUMMARY, context)
    assert.deepEqual(texts(left), ['one', texts(context)[0], 'two', SUMMARY])
    assert.deepEqual(texts(compactedHistory([], SUMMARY, context)), [texts(context)[0], SUMMARY])
  })

  it('has the newest messages that fit, and cuts the one that does not, between characters', () => {
    const items = ['first', '😀'.repeat(30_000), 'x'.repeat(20_001)].map(userText)
    const [cut = '', last, ...rest] = texts(compactedHistory(items, SUMMARY))
    assert.deepEqual([last?.length, rest], [20_001, [SUMMARY]])
    assert.match(cut, /^(😀)+\n\[… cut\]$/u)
    assert.ok(Buffer.byteLength(cut) + 20_001 <= 80_000 + 20)
  })

  it('is estimated by its bytes', () => {
    assert.equal(estimateTokens([]), 0)
    const items = [userText('ä'.repeat(400))]
    assert.equal(estimateTokens(items), Math.ceil(Buffer.byteLength(JSON.stringify(items[0])) / 4))
  })
})
