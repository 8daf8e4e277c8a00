import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TaskScope } from './task-scope.ts'

describe('TaskScope', () => {
  it('aborts its tasks when disposed, and waits until they have ended', async () => {
    const seen: string[] = []
    const scope = new TaskScope(() => seen.push('failed'))
    scope.run(async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      await Promise.resolve()
      seen.push('ended')
    })
    await scope[Symbol.asyncDispose]()
    assert.deepEqual(seen, ['ended'])
  })

  it('reports a task that fails, but not one that fails because it was aborted', async () => {
    const errors: unknown[] = []
    const failure = new Error('no')
    const told = Promise.withResolvers<void>()
    const scope = new TaskScope((error) => {
      errors.push(error)
      told.resolve()
    })
    scope.run(async () => {
      throw failure
    })
    await told.promise
    scope.run(async (signal) => {
      await new Promise((_resolve, reject) => signal.addEventListener('abort', reject))
    })
    await scope[Symbol.asyncDispose]()
    assert.deepEqual(errors, [failure])
  })
})
