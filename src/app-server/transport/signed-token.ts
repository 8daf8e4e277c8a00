import { createHmac, timingSafeEqual } from 'node:crypto'
import { isObject, type Json, type JsonObject } from '../../base/index.ts'

export interface TokenRules {
  readonly secret: Buffer
  readonly issuer: string | undefined
  readonly audience: string | undefined
  readonly maxSkewSeconds: number
}

const INVALID = 'invalid websocket jwt'

/**
 * Why a JSON Web Token is refused; undefined when it is good. Only HS256, `exp` has to be there,
 * `nbf`, `iss` and `aud` count. Source of the texts: `reference/app-server.md` 13.2.
 */
export function refuseToken(token: string, rules: TokenRules, nowMs: number): string | undefined {
  const [header = '', payload = '', signature = '', ...more] = token.split('.')
  if (more.length > 0 || !isSigned(`${header}.${payload}`, signature, rules.secret)) return INVALID
  const head = parsePart(header)
  // `crit` names extensions that have to be understood: we know none.
  if (head?.alg !== 'HS256' || head.crit !== undefined) return INVALID
  const claims = parsePart(payload)
  if (!claims) return INVALID
  const { exp, nbf } = claims
  const hasStart = nbf !== undefined && nbf !== null
  if (!isSeconds(exp) || (hasStart && !isSeconds(nbf))) return INVALID
  const now = Math.floor(nowMs / 1000)
  if (now > exp + rules.maxSkewSeconds) return 'expired websocket jwt'
  if (isSeconds(nbf) && now + rules.maxSkewSeconds < nbf) return 'websocket jwt is not valid yet'
  if (rules.issuer !== undefined && claims.iss !== rules.issuer) {
    return 'websocket jwt issuer mismatch'
  }
  return isFor(rules.audience, claims.aud) ? undefined : 'websocket jwt audience mismatch'
}

function isSigned(signed: string, signature: string, secret: Buffer): boolean {
  const expected = createHmac('sha256', secret).update(signed).digest()
  const given = Buffer.from(signature, 'base64url')
  const isCanonical = given.toString('base64url') === signature
  return isCanonical && given.length === expected.length && timingSafeEqual(given, expected)
}

function parsePart(part: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    // Garbage: refused like a bad signature.
    return undefined
  }
}

function isSeconds(value: Json | undefined): value is number {
  return Number.isSafeInteger(value)
}

function isFor(audience: string | undefined, claimed: Json | undefined): boolean {
  if (audience === undefined) return true
  return Array.isArray(claimed) ? claimed.includes(audience) : claimed === audience
}
