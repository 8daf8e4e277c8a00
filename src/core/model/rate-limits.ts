import type { Json, JsonObject } from '../../base/index.ts'

/** A window of the provider's rate limit, read from response headers; null where none is told. */
function windowOf(headers: Headers, name: 'primary' | 'secondary'): Json {
  const number = (field: string) => {
    const value = headers.get(`x-codex-${name}-${field}`)
    return value === null || value === '' || Number.isNaN(Number(value)) ? null : Number(value)
  }
  const used = number('used-percent')
  if (used === null) return null
  return {
    used_percent: used,
    window_minutes: number('window-minutes'),
    resets_at: number('reset-at'),
  }
}

/** The snapshot that a `token_count` line carries. */
export function rateLimitsOf(headers: Headers): JsonObject {
  const hasCredits = headers.get('x-codex-credits-has-credits')
  return {
    limit_id: 'codex',
    limit_name: null,
    primary: windowOf(headers, 'primary'),
    secondary: windowOf(headers, 'secondary'),
    credits:
      hasCredits === null
        ? null
        : {
            has_credits: hasCredits.toLowerCase() === 'true',
            unlimited: headers.get('x-codex-credits-unlimited')?.toLowerCase() === 'true',
            balance: headers.get('x-codex-credits-balance'),
          },
    plan_type: null,
    rate_limit_reached_type: null,
  }
}
