import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assistantMessage } from '../../src/core/index.ts'
import { runTurn, SessionKit, text } from '../support/session-kit.ts'

const done = { items: [assistantMessage('done')] }

describe('metadata of a thread', () => {
  it('are changed by one entry, whether the thread is loaded or not', async () => {
    await using kit = await SessionKit.open([done, done])
    const handle = await kit.start()
    await runTurn(handle, text('go'))
    const { threadId } = handle
    const name = async (text: string | null) =>
      (await kit.manager.updateMetadata(threadId, { name: text })).name
    assert.equal(await name('Loaded'), 'Loaded')
    await runTurn(handle, text('go'))
    await handle.close()
    assert.equal(await name('Cold'), 'Cold')
    await kit.restart()
    assert.equal((await kit.store.readThread(threadId)).name, 'Cold')
    const told = kit.payloads('event_msg thread_name_updated').map((each) => each.thread_name)
    assert.deepEqual(told, ['Loaded', 'Cold'])
    assert.equal(kit.kinds().filter((kind) => kind === 'event_msg task_complete').length, 2)
  })

  it('make the log of a loaded thread that has had no turn', async () => {
    await using kit = await SessionKit.open([])
    const { threadId } = await kit.start()
    assert.deepEqual(kit.logs(), [])
    await kit.manager.updateMetadata(threadId, { memoryMode: 'disabled' })
    assert.equal((await kit.store.readThread(threadId)).memoryMode, 'disabled')
  })

  it('are refused for an ephemeral thread, of which no byte is in the home', async () => {
    await using kit = await SessionKit.open([done])
    const handle = await kit.start({}, true)
    await runTurn(handle, text('go'))
    const update = kit.manager.updateMetadata(handle.threadId, { name: 'N' })
    await assert.rejects(update, { code: 'ephemeral' })
    await handle.close()
    assert.deepEqual(kit.homeFiles(), [])
  })
})
