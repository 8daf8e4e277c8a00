import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { customToolCall } from '../../src/core/model/script.ts'
import { runTurn, SessionKit, Watch } from '../support/session-kit.ts'

const done = { items: [] }

function patch(lines: readonly string[], callId: string) {
  const text = ['*** Begin Patch', ...lines, '*** End Patch'].join('\n')
  return { items: [customToolCall('apply_patch', text, callId)] }
}

describe('what a turn has changed', () => {
  it('is told behind each patch and each response, until nothing is left of it', async () => {
    await using kit = await SessionKit.open([
      done,
      patch(['*** Add File: a', '+one'], 'call_1'),
      patch(['*** Delete File: a'], 'call_2'),
      done,
    ])
    const handle = await kit.start()
    using watch = new Watch(handle)
    await runTurn(handle, 'nothing')
    await runTurn(handle, 'go')
    const told = watch.events.flatMap((event) => {
      if (event.type === 'turnDiff') return [event.diff === '' ? 'no diff' : 'diff']
      const isPatch = event.type === 'itemCompleted' && event.item.type === 'fileChange'
      return isPatch || event.type === 'tokenCount' ? [event.type] : []
    })
    const [patched, responded] = ['itemCompleted', 'tokenCount']
    assert.deepEqual(told, [
      responded,
      ...[patched, 'diff', responded, 'diff'],
      ...[patched, 'no diff', responded],
      responded,
    ])
    assert.match(
      watch.of('turnDiff')[0]?.diff ?? '',
      /^diff --git a\/a b\/a\nnew file mode 100644\n/,
    )
  })

  it('is forgotten with the turn', async () => {
    await using kit = await SessionKit.open([
      patch(['*** Add File: a', '+one'], 'call_1'),
      done,
      patch(['*** Update File: a', '@@', '-one', '+two'], 'call_2'),
      done,
    ])
    const handle = await kit.start()
    await runTurn(handle, 'one')
    using watch = new Watch(handle)
    await runTurn(handle, 'two')
    assert.match(watch.of('turnDiff')[0]?.diff ?? '', /\n-one\n\+two\n$/)
  })
})
