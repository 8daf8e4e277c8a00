import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_MODEL, modelInfo } from './model-catalog.ts'

const KNOWN = {
  contextWindow: 258_400,
  autoCompactTokens: 244_800,
  defaultEffort: 'medium',
  defaultVerbosity: 'low',
  hasParallelToolCalls: true,
  hasPatchTool: true,
}
const PLAIN = {
  contextWindow: 258_400,
  autoCompactTokens: 244_800,
  defaultEffort: undefined,
  defaultVerbosity: undefined,
  hasParallelToolCalls: false,
  hasPatchTool: false,
}

describe('what a model can do', () => {
  it('is all that is asked of the known families', () => {
    for (const model of [DEFAULT_MODEL, 'gpt-5', 'gpt-5-mini', 'codex-mini-latest']) {
      assert.deepEqual(modelInfo(model), KNOWN)
    }
  })

  it('is the plain request for a name we do not know', () => {
    for (const model of ['mock-model', 'my-gpt-5', '']) assert.deepEqual(modelInfo(model), PLAIN)
  })

  it('takes the window that it is given, and leaves a twentieth of it free', () => {
    assert.deepEqual(modelInfo('local', 10_001), {
      ...PLAIN,
      contextWindow: 9500,
      autoCompactTokens: 9000,
    })
  })
})
