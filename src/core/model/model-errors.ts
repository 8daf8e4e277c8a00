import { isObject, type JsonObject, objectAt, stringAt } from '../../base/index.ts'
import type { HttpHeaders } from './http-post.ts'
import { ModelError } from './model-client.ts'
import { rateLimitsOf } from './rate-limits.ts'

/**
 * From what the endpoint answered to what a person reads. Texts and kinds are 0.133.0's, because
 * clients match on them. Source: `reference/session-runtime.md` C7, C8.
 */

const HIGH_DEMAND = "We're currently experiencing high demand, which may cause temporary errors."
const AT_CAPACITY = 'Selected model is at capacity. Please try a different model.'
const NO_ROOM =
  "Codex ran out of room in the model's context window. Start a new thread or clear earlier " +
  'history before retrying.'
const QUOTA = 'Quota exceeded. Check your plan and billing details.'
const USAGE_LIMIT = "You've hit your usage limit."
const UPGRADE = 'Your plan does not include this model. Upgrade it, or choose another model.'
const BAD_IMAGE = 'Invalid image in your last message. Please remove it and try again.'

function isOverloaded(code: string | undefined): boolean {
  return code === 'server_is_overloaded' || code === 'slow_down'
}

function parseBody(body: string): JsonObject {
  try {
    const value: unknown = JSON.parse(body)
    return isObject(value) ? value : {}
  } catch {
    // Proxies answer in HTML and plain text; the raw body is shown instead.
    return {}
  }
}

export interface HttpFailure {
  readonly status: number
  readonly body: string
  readonly url: string
  readonly headers: HttpHeaders
  readonly nowMs: number
}

/** The error of a response that was no success. */
export function httpError(failure: HttpFailure): ModelError {
  const { status, body } = failure
  const error = objectAt(parseBody(body), 'error') ?? {}
  const code = stringAt(error, 'code')
  if (status === 400) return badRequest(body, error, code)
  if (status === 429) return tooMany(error, rateLimitsOf(failure.headers))
  if (status === 503 && isOverloaded(code)) {
    return new ModelError(AT_CAPACITY, { codexErrorInfo: 'serverOverloaded', httpStatus: status })
  }
  const retryAfterMs = retryAfter(failure.headers, failure.nowMs)
  const retry = { isRetryable: true, httpStatus: status, ...(retryAfterMs ? { retryAfterMs } : {}) }
  if (status === 500) {
    return new ModelError(HIGH_DEMAND, { codexErrorInfo: 'internalServerError', ...retry })
  }
  const said = (stringAt(error, 'message') ?? body) || 'Unknown error'
  const { STATUS_CODES } = process.getBuiltinModule('node:http')
  const reason = STATUS_CODES[status] ?? ''
  const text = `unexpected status ${status} ${reason}: ${said}, url: ${failure.url}`
  const ray = failure.headers['cf-ray']
  return new ModelError(ray ? `${text}, cf-ray: ${ray}` : text, retry)
}

function badRequest(body: string, error: JsonObject, code: string | undefined): ModelError {
  const message = stringAt(error, 'message') ?? ''
  if (code === 'context_length_exceeded') return contextWindowExceeded()
  if (code === 'cyber_policy') return new ModelError(message, { codexErrorInfo: 'cyberPolicy' })
  if (code === 'invalid_image' || /does not represent a valid image/i.test(message)) {
    return new ModelError(BAD_IMAGE, { codexErrorInfo: 'badRequest' })
  }
  return new ModelError(body || 'the model endpoint refused the request (400)', { httpStatus: 400 })
}

function tooMany(error: JsonObject, rateLimits: JsonObject): ModelError {
  const type = stringAt(error, 'type')
  if (type === 'usage_limit_reached') {
    const codexErrorInfo = 'usageLimitExceeded'
    return new ModelError(usageLimitText(error), { codexErrorInfo, rateLimits })
  }
  if (type === 'usage_not_included') {
    return new ModelError(UPGRADE, { codexErrorInfo: 'usageLimitExceeded' })
  }
  return new ModelError('exceeded retry limit, last status: 429 Too Many Requests', {
    codexErrorInfo: { responseTooManyFailedAttempts: { httpStatusCode: 429 } },
    httpStatus: 429,
  })
}

function usageLimitText(error: JsonObject): string {
  const resetsAt = error.resets_at
  const when = new Date(typeof resetsAt === 'number' ? resetsAt * 1000 : Number.NaN)
  if (Number.isNaN(when.getTime())) return USAGE_LIMIT
  return `${USAGE_LIMIT} Try again at ${when.toLocaleString()}.`
}

function contextWindowExceeded(): ModelError {
  return new ModelError(NO_ROOM, { codexErrorInfo: 'contextWindowExceeded' })
}

/** The error of a `response.failed` event. */
export function failedResponse(response: JsonObject): ModelError {
  const error = objectAt(response, 'error') ?? {}
  const code = stringAt(error, 'code')
  const message = stringAt(error, 'message') ?? ''
  if (code === 'context_length_exceeded') return contextWindowExceeded()
  if (code === 'insufficient_quota') {
    return new ModelError(QUOTA, { codexErrorInfo: 'usageLimitExceeded' })
  }
  if (code === 'usage_not_included') {
    return new ModelError(UPGRADE, { codexErrorInfo: 'usageLimitExceeded' })
  }
  if (isOverloaded(code)) return new ModelError(AT_CAPACITY, { codexErrorInfo: 'serverOverloaded' })
  if (code === 'cyber_policy') return new ModelError(message, { codexErrorInfo: 'cyberPolicy' })
  if (code === 'invalid_prompt') return new ModelError(message)
  const retryAfterMs = code === 'rate_limit_exceeded' ? tryAgainIn(message) : undefined
  return disconnected(message || 'response.failed event received', { retryAfterMs })
}

/** A stream that ended before its response was complete. */
export function disconnected(
  what: string,
  options: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined } = {},
): ModelError {
  return new ModelError(`stream disconnected before completion: ${what}`, {
    isRetryable: true,
    ...(options.cause === undefined ? {} : { cause: options.cause }),
    ...(options.retryAfterMs === undefined ? {} : { retryAfterMs: options.retryAfterMs }),
  })
}

/** No server can hang a turn by the wait that it asks for. */
const MAX_WAIT_MS = 60_000

/** The wait in a text such as "Please try again in 1.2s" or "in 250ms". */
function tryAgainIn(message: string): number | undefined {
  const match = /try again in\s*(\d+(?:\.\d+)?)\s*(ms|s|seconds?)/i.exec(message)
  if (!match?.[1]) return undefined
  const waitMs = Number(match[1]) * (match[2]?.toLowerCase() === 'ms' ? 1 : 1000)
  return Math.min(waitMs, MAX_WAIT_MS)
}

/** `Retry-After` in seconds or as a date. */
function retryAfter(headers: HttpHeaders, nowMs: number): number | undefined {
  const value = headers['retry-after']
  if (value === undefined) return undefined
  const seconds = Number(value)
  const waitMs = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - nowMs
  return waitMs > 0 ? Math.min(waitMs, MAX_WAIT_MS) : undefined
}
