import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { TransportError } from './transport-error.ts'

/** Where a server listens. */
export type ListenUrl =
  | { readonly kind: 'stdio' }
  | { readonly kind: 'off' }
  /** Without a path: the home's. */
  | { readonly kind: 'unix'; readonly path: string | undefined }
  | { readonly kind: 'websocket'; readonly host: string; readonly port: number }

const EXPECTED = '`stdio://`, `unix://`, `unix://PATH`, `ws://IP:PORT`, or `off`'
const WEBSOCKET = /^ws:\/\/(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/

/** Throws `TransportError` `usage`. Source: `reference/app-server.md` 13. */
export function parseListenUrl(url: string): ListenUrl {
  if (url === 'stdio://') return { kind: 'stdio' }
  if (url === 'off') return { kind: 'off' }
  if (url.startsWith('unix://')) {
    const path = url.slice('unix://'.length)
    return { kind: 'unix', path: path === '' ? undefined : resolve(path) }
  }
  if (!url.startsWith('ws://')) {
    throw new TransportError('usage', `unsupported --listen URL \`${url}\`; expected ${EXPECTED}`)
  }
  const [, six, four, digits] = WEBSOCKET.exec(url) ?? []
  const isAddress = six === undefined ? isIP(four ?? '') === 4 : isIP(six) === 6
  const port = Number(digits)
  if (!isAddress || port > 65_535) {
    const reason = `invalid websocket --listen URL \`${url}\`; expected \`ws://IP:PORT\``
    throw new TransportError('usage', reason)
  }
  return { kind: 'websocket', host: six ?? four ?? '', port }
}

/** Reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** `127.0.0.1:80`, `[::1]:80`. */
export function authority(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`
}
