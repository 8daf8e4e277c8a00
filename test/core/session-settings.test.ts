import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assistantMessage } from '../../src/core/index.ts'
import type { Step } from '../support/played-model.ts'
import { runTurn, SessionKit, Watch } from '../support/session-kit.ts'

const done: Step = { items: [assistantMessage('done')] }

describe('the settings of a thread [A5, F8]', () => {
  it('change for the turns to come, are told, and kept with the next turn', async () => {
    await using kit = await SessionKit.open([done, done])
    const handle = await kit.start({ effort: 'low' })
    await runTurn(handle, 'one')
    using watch = new Watch(handle)
    const before = kit.lines().length
    const settings = handle.updateSettings({ model: 'gpt-5.4-mini', effort: null })
    assert.deepEqual([settings.model, settings.effort], ['gpt-5.4-mini', undefined])
    assert.equal(handle.settings, settings)
    assert.deepEqual(watch.events, [{ type: 'settingsChanged', turnId: null }])
    assert.equal(kit.lines().length, before)
    await runTurn(handle, 'two')
    const contexts = kit.payloads('turn_context').map(({ model, effort }) => [model, effort])
    assert.deepEqual(contexts, [
      ['gpt-5.4', 'low'],
      ['gpt-5.4-mini', undefined],
    ])
    assert.equal(kit.model.requests[1]?.model, 'gpt-5.4-mini')
    const input = JSON.stringify(kit.model.requests[1]?.input)
    assert.match(input, /<model_switch>/)
  })

  it('given with a turn hold from that turn on; the schema is of that turn alone', async () => {
    await using kit = await SessionKit.open([done, done])
    const handle = await kit.start()
    const outputSchema = { type: 'object' }
    const patch = { approvalPolicy: 'on-request', sandboxPolicy: { type: 'read-only' } } as const
    await runTurn(handle, 'one', { settings: patch, outputSchema })
    await runTurn(handle, 'two')
    const policies = kit
      .payloads('turn_context')
      .map(({ approval_policy, sandbox_policy }) => [approval_policy, sandbox_policy])
    const expected = ['on-request', { type: 'read-only' }]
    assert.deepEqual(policies, [expected, expected])
    assert.deepEqual(
      kit.model.requests.map((request) => request.outputSchema),
      [outputSchema, undefined],
    )
  })

  it('are refused whole when one of them is wrong, and the turn does not start', async () => {
    await using kit = await SessionKit.open([done])
    const handle = await kit.start()
    const before = handle.settings
    const wrong = { model: 'other', cwd: 'relative' }
    assert.throws(() => handle.updateSettings(wrong), { code: 'invalid_settings' })
    assert.throws(() => handle.updateSettings({ model: ' ' }), { code: 'invalid_settings' })
    await assert.rejects(runTurn(handle, 'one', { settings: wrong }), { code: 'invalid_settings' })
    assert.equal(handle.settings, before)
    await runTurn(handle, 'one')
    assert.equal(kit.model.requests[0]?.model, 'gpt-5.4')
  })

  it('in force after a resume are told: another model is warned of', async () => {
    await using kit = await SessionKit.open([done, done])
    const handle = await kit.start({ sandboxPolicy: { type: 'danger-full-access' } })
    await runTurn(handle, 'one')
    await kit.restart()
    const again = await kit.resume(
      handle.threadId,
      { sandboxPolicy: { type: 'read-only' } },
      { model: 'gpt-5.4-mini' },
    )
    assert.deepEqual(again.settings.sandboxPolicy, { type: 'read-only' })
    using watch = new Watch(again)
    await runTurn(again, 'two')
    const warnings = watch.of('warning').map(({ message }) => message)
    assert.equal(warnings.length, 1)
    assert.match(
      warnings[0] ?? '',
      /recorded with model `gpt-5.4` but is resuming with `gpt-5.4-mini`/,
    )
  })
})
