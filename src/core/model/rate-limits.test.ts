import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rateLimitsOf } from './rate-limits.ts'

const NOTHING = {
  limit_id: 'codex',
  limit_name: null,
  primary: null,
  secondary: null,
  credits: null,
  plan_type: null,
  rate_limit_reached_type: null,
}

describe('rate limits in response headers', () => {
  it('are null where nothing is told', () => {
    assert.deepEqual(rateLimitsOf({}), NOTHING)
  })

  it('have both windows and the credits', () => {
    const limits = rateLimitsOf({
      'x-codex-primary-used-percent': '12.5',
      'x-codex-primary-window-minutes': '300',
      'x-codex-primary-reset-at': '1795168465',
      'x-codex-secondary-used-percent': '0',
      'x-codex-credits-has-credits': 'True',
      'x-codex-credits-unlimited': 'false',
      'x-codex-credits-balance': '9.99',
    })
    assert.deepEqual(limits, {
      ...NOTHING,
      primary: { used_percent: 12.5, window_minutes: 300, resets_at: 1795168465 },
      secondary: { used_percent: 0, window_minutes: null, resets_at: null },
      credits: { has_credits: true, unlimited: false, balance: '9.99' },
    })
  })

  it('leave out a window without a usable share', () => {
    for (const share of ['', 'much']) {
      assert.deepEqual(rateLimitsOf({ 'x-codex-primary-used-percent': share }), NOTHING)
    }
  })

  it('have no balance where none is told', () => {
    const { credits } = rateLimitsOf({ 'x-codex-credits-has-credits': 'false' })
    assert.deepEqual(credits, { has_credits: false, unlimited: false, balance: null })
  })
})
