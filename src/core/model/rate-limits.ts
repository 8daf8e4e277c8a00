import {
  isObject,
  type Json,
  type JsonObject,
  numberAt,
  objectAt,
  stringAt,
} from '../../base/index.ts'
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

/**
 * The snapshot of a `codex.rate_limits` frame: on a kept connection there are no headers to tell
 * it. Source: observed of 0.133.0.
 */
export function rateLimitsOfFrame(frame: JsonObject): JsonObject {
  const limits = objectAt(frame, 'rate_limits') ?? {}
  const credits = objectAt(frame, 'credits')
  return {
    limit_id: 'codex',
    limit_name: null,
    primary: frameWindow(limits.primary),
    secondary: frameWindow(limits.secondary),
    credits: credits
      ? {
          has_credits: credits.has_credits === true,
          unlimited: credits.unlimited === true,
          balance: stringAt(credits, 'balance') ?? null,
        }
      : null,
    plan_type: stringAt(frame, 'plan_type') ?? null,
    rate_limit_reached_type: null,
  }
}

function frameWindow(window: Json | undefined): Json {
  if (!isObject(window)) return null
  const used = numberAt(window, 'used_percent')
  if (used === undefined) return null
  return {
    used_percent: used,
    window_minutes: numberAt(window, 'window_minutes') ?? null,
    resets_at: numberAt(window, 'reset_at') ?? null,
  }
}

/** A snapshot that says nothing of credits and plan leaves what was known of them. */
export function mergeRateLimits(known: JsonObject | null, news: JsonObject): JsonObject {
  return {
    ...news,
    credits: news.credits ?? known?.credits ?? null,
    plan_type: news.plan_type ?? known?.plan_type ?? null,
  }
}
