import { createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { getSystemErrorMap } from 'node:util'
import { errorText } from '../../base/index.ts'
import { refuseToken, type TokenRules } from './signed-token.ts'
import { TransportError } from './transport-error.ts'

/** How clients of a WebSocket show who they are, at the upgrade. */
export type WebSocketAuth =
  | { readonly mode: 'none' }
  /** SHA-256 of the one token. */
  | { readonly mode: 'capability-token'; readonly digest: Buffer }
  | ({ readonly mode: 'signed-bearer-token' } & TokenRules)

export const AUTH_MODES = ['capability-token', 'signed-bearer-token', 'none'] as const

/** The flags as they were given; paths count from the working folder. */
export interface AuthFlags {
  readonly wsAuth?: string
  readonly wsTokenFile?: string
  readonly wsTokenSha256?: string
  readonly wsSharedSecretFile?: string
  readonly wsIssuer?: string
  readonly wsAudience?: string
  readonly wsMaxClockSkewSeconds?: string
}

const DEFAULT_SKEW_SECONDS = 30
const LEAST_SECRET_BYTES = 32

/** Undefined when no flag asks for anything. Throws `TransportError`. */
export function readAuth(flags: AuthFlags): WebSocketAuth | undefined {
  const mode = AUTH_MODES.find((each) => each === flags.wsAuth)
  if (mode === undefined && flags.wsAuth !== undefined) {
    const values = `[possible values: ${AUTH_MODES.join(', ')}]`
    const reason = `invalid value '${flags.wsAuth}' for '--ws-auth <MODE>' ${values}`
    throw new TransportError('usage', reason)
  }
  const skew = skewSeconds(flags.wsMaxClockSkewSeconds)
  const { wsTokenFile, wsTokenSha256, wsSharedSecretFile, wsIssuer, wsAudience } = flags
  const hasToken = [wsTokenFile, wsTokenSha256].some((flag) => flag !== undefined)
  const hasSigned = [wsSharedSecretFile, wsIssuer, wsAudience, skew].some(
    (flag) => flag !== undefined,
  )
  if (mode === undefined || mode === 'none') {
    if (hasToken || hasSigned) throw failed(`websocket auth flags require ${BOTH}`)
    return mode && { mode }
  }
  if (mode === 'capability-token') {
    if (hasSigned) throw failed(`${SIGNED_FLAGS} require \`--ws-auth signed-bearer-token\``)
    return { mode, digest: tokenDigest(flags) }
  }
  if (hasToken)
    throw failed(`${TOKEN_FLAGS} require \`--ws-auth capability-token\`, not \`${mode}\``)
  return {
    mode,
    secret: sharedSecret(wsSharedSecretFile),
    issuer: wsIssuer,
    audience: wsAudience,
    maxSkewSeconds: skew ?? DEFAULT_SKEW_SECONDS,
  }
}

const BOTH = '`--ws-auth capability-token` or `--ws-auth signed-bearer-token`'
const TOKEN_FLAGS = '`--ws-token-file` and `--ws-token-sha256`'
const SIGNED_FLAGS =
  '`--ws-shared-secret-file`, `--ws-issuer`, `--ws-audience`, and `--ws-max-clock-skew-seconds`'

export function capabilityToken(token: string): WebSocketAuth {
  return { mode: 'capability-token', digest: sha256(token) }
}

/** Non-loopback listeners have to have one of these. */
export function missingAuth(address: string): TransportError {
  const start = `refusing to start non-loopback websocket listener ${address} without auth`
  return failed(`${start}; configure ${BOTH}`)
}

const BEARER = /^bearer +(\S+) *$/i

/** Why the `Authorization` header does not do; undefined when it does. */
export function refuseHeader(
  auth: WebSocketAuth,
  header: string | undefined,
  nowMs: number,
): string | undefined {
  if (auth.mode === 'none') return undefined
  if (header === undefined) return 'missing websocket bearer token'
  const token = BEARER.exec(header)?.[1]
  if (token === undefined) return 'invalid authorization header'
  if (auth.mode === 'signed-bearer-token') return refuseToken(token, auth, nowMs)
  return timingSafeEqual(sha256(token), auth.digest) ? undefined : 'invalid websocket bearer token'
}

function tokenDigest({ wsTokenFile, wsTokenSha256 }: AuthFlags): Buffer {
  const flags = ['`--ws-token-file`', '`--ws-token-sha256`'] as const
  if (wsTokenFile !== undefined && wsTokenSha256 !== undefined) {
    throw failed(`${flags.join(' and ')} are mutually exclusive`)
  }
  if (wsTokenFile !== undefined) return sha256(readSecret(wsTokenFile).text)
  if (wsTokenSha256 === undefined) {
    throw failed(`${flags.join(' or ')} is required when \`--ws-auth capability-token\` is set`)
  }
  if (!/^[0-9a-f]{64}$/i.test(wsTokenSha256)) {
    throw failed('--ws-token-sha256 must be a 64-character hex SHA-256 digest')
  }
  return Buffer.from(wsTokenSha256, 'hex')
}

function sharedSecret(file: string | undefined): Buffer {
  if (file === undefined) {
    const flag = '`--ws-shared-secret-file`'
    throw failed(`${flag} is required when \`--ws-auth signed-bearer-token\` is set`)
  }
  const { path, text } = readSecret(file)
  const secret = Buffer.from(text)
  if (secret.length >= LEAST_SECRET_BYTES) return secret
  const reason = `must be at least ${LEAST_SECRET_BYTES} bytes`
  throw failed(`signed websocket bearer secret ${path} ${reason}`)
}

function readSecret(file: string): { readonly path: string; readonly text: string } {
  const path = resolve(file)
  let text: string
  try {
    text = readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw failed(`failed to read websocket auth secret ${path}: ${systemText(error)}`, error)
  }
  if (text === '') throw failed(`websocket auth secret ${path} must not be empty`)
  return { path, text }
}

/** `No such file or directory (os error 2)`. */
function systemText(error: unknown): string {
  const { errno } = error as { errno?: number }
  const words = errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]
  if (errno === undefined || words === undefined) return errorText(error)
  return `${words.charAt(0).toUpperCase()}${words.slice(1)} (os error ${-errno})`
}

function skewSeconds(flag: string | undefined): number | undefined {
  if (flag === undefined) return undefined
  if (/^\d{1,9}$/.test(flag)) return Number(flag)
  const name = '--ws-max-clock-skew-seconds <SECONDS>'
  throw new TransportError('usage', `invalid value '${flag}' for '${name}': not a whole number`)
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function failed(message: string, cause?: unknown): TransportError {
  return new TransportError('failed', message, cause)
}
