import { arch, platform, release } from 'node:os'
import { isObject, type Json, type JsonObject } from '../base/index.ts'
import type { ClientInfo } from './connection.ts'

/** What may stand in an HTTP header, where the name ends up. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/

export function isHeaderValue(name: string): boolean {
  return HEADER_VALUE.test(name)
}

/**
 * What a client tells of itself in a handshake of the usual shape. Undefined for any other, good or
 * bad: `parseHandshake` tells them apart, but takes longer to load than a client needs to wait.
 */
export function usualClient(params: Json | undefined): ClientInfo | undefined {
  if (!isObject(params) || !isObject(params.clientInfo)) return undefined
  const { name, version, title } = params.clientInfo
  if (typeof name !== 'string' || typeof version !== 'string' || !isHeaderValue(name)) {
    return undefined
  }
  const capabilities = params.capabilities ?? {}
  if (!isTextOrNone(title) || !isObject(capabilities)) return undefined
  const { experimentalApi, requestAttestation, eventCursors } = capabilities
  const optOuts = capabilities.optOutNotificationMethods ?? []
  const flags = [experimentalApi, requestAttestation, eventCursors].map((each) => each ?? false)
  if (!flags.every((each) => typeof each === 'boolean') || !isTexts(optOuts)) return undefined
  return {
    name,
    version,
    hasExperimentalApi: experimentalApi === true,
    hasEventCursors: eventCursors === true,
    optOuts: new Set(optOuts),
  }
}

/** What a client is told of the server. Source: `reference/app-server.md` 2. */
export function welcomeOf(
  client: ClientInfo,
  { home, version }: { readonly home: string; readonly version: string },
): JsonObject {
  const { name, version: clientVersion } = client
  const system = `${platform()} ${release()}; ${arch()}`
  return {
    userAgent: `${name}/${version} (${system}) bobbin (${name}; ${clientVersion})`,
    codexHome: home,
    platformFamily: platform() === 'win32' ? 'windows' : 'unix',
    platformOs: platform() === 'darwin' ? 'macos' : platform(),
  }
}

function isTextOrNone(value: Json | undefined): boolean {
  return value === undefined || value === null || typeof value === 'string'
}

function isTexts(value: Json): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}
