import type { Json, JsonObject } from '../../base/index.ts'
import type { HttpHeaders } from './http-post.ts'

/** A window of the provider's rate limit, read from response headers; null where none is told. */
function windowOf(headers: HttpHeaders, name: 'primary' | 'secondary'): Json {
  const number = (field: string) => {
    const value = headers[`x-codex-${name}-${field}`]
    return !value || Number.isNaN(Number(value)) ? null : Number(value)
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
export function rateLimitsOf(headers: HttpHeaders): JsonObject {
  const hasCredits = headers['x-codex-credits-has-credits']
  return {
    limit_id: 'codex',
    limit_name: null,
    primary: windowOf(headers, 'primary'),
    secondary: windowOf(headers, 'secondary'),
    credits:
      hasCredits === undefined
        ? null
        : {
            has_credits: hasCredits.toLowerCase() === 'true',
            unlimited: headers['x-codex-credits-unlimited']?.toLowerCase() === 'true',
            balance: headers['x-codex-credits-balance'] ?? null,
          },
    plan_type: null,
    rate_limit_reached_type: null,
  }
}
