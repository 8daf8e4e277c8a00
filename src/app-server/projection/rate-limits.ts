import { isObject, type Json, type JsonObject, numberAt } from '../../base/index.ts'

/** `account/rateLimits/updated`, also when nothing is known. Source: `app-server.md` 5.4. */
export function wireRateLimits(limits: JsonObject | null): JsonObject {
  return {
    limitId: limits?.limit_id ?? 'codex',
    limitName: limits?.limit_name ?? null,
    primary: windowOf(limits?.primary),
    secondary: windowOf(limits?.secondary),
    credits: creditsOf(limits?.credits),
    planType: limits?.plan_type ?? null,
    rateLimitReachedType: limits?.rate_limit_reached_type ?? null,
  }
}

function windowOf(window: Json | undefined): Json {
  if (!isObject(window)) return null
  return {
    usedPercent: Math.round(numberAt(window, 'used_percent') ?? 0),
    windowDurationMins: window.window_minutes ?? null,
    resetsAt: window.resets_at ?? null,
  }
}

function creditsOf(credits: Json | undefined): Json {
  if (!isObject(credits)) return null
  const { has_credits, unlimited, balance } = credits
  return {
    hasCredits: has_credits ?? false,
    unlimited: unlimited ?? false,
    balance: balance ?? null,
  }
}
