import { randomBytes } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { errorCode, errorText } from '../../base/index.ts'
import { TransportError } from './transport-error.ts'

export interface KeptToken {
  readonly token: string
  readonly path: string
  /** It was made just now. */
  readonly isNew: boolean
}

/** The folder of a home where servers and their clients meet. */
export function controlFolder(home: string): string {
  return join(home, 'app-server-control')
}

const TOKEN = /^[\w-]{32,256}$/

/**
 * The token of a home, made on first use and readable by its owner alone. Whoever may read the home
 * may use the server. Throws `TransportError`.
 */
export function keptToken(home: string): KeptToken {
  const path = join(controlFolder(home), 'ws-token')
  try {
    const kept = read(path)
    if (kept !== undefined) return { token: kept, path, isNew: false }
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const token = randomBytes(32).toString('base64url')
    if (place(path, token)) return { token, path, isNew: true }
    const others = read(path)
    if (others !== undefined) return { token: others, path, isNew: false }
  } catch (error) {
    throw new TransportError('failed', `cannot keep a token at ${path}: ${errorText(error)}`, error)
  }
  throw new TransportError('failed', `${path} holds no token; remove it and start again`)
}

function read(path: string): string | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
  if (!TOKEN.test(text)) throw new Error('it holds no token; remove it and start again')
  chmodSync(path, 0o600)
  return text
}

/** Whole or not at all; false when another was first. */
function place(path: string, token: string): boolean {
  const made = `${path}.${process.pid}`
  try {
    writeFileSync(made, `${token}\n`, { mode: 0o600 })
    linkSync(made, path)
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  } finally {
    rmSync(made, { force: true })
  }
}
