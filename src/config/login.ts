import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode, isObject } from '../base/index.ts'
import { replaceFile } from './replace-file.ts'

/** What the home's `auth.json` says: who is logged in, and how. */
export type Login =
  | { readonly kind: 'apiKey'; readonly key: string }
  /** Tokens of an account, which Bobbin does not use. */
  | { readonly kind: 'account' }

const FILE = 'auth.json'

/** Undefined when nobody is logged in. A file that cannot be understood counts as nobody. */
export async function readLogin(home: string): Promise<Login | undefined> {
  let login: unknown
  try {
    login = JSON.parse(await readFile(join(home, FILE), 'utf8'))
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
  if (!isObject(login)) return undefined
  if (typeof login.OPENAI_API_KEY === 'string') return { kind: 'apiKey', key: login.OPENAI_API_KEY }
  return isObject(login.tokens) ? { kind: 'account' } : undefined
}

/** Keeps the key in place of what was there; readable by the user alone. */
export async function saveApiKey(home: string, key: string): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 })
  const login = { auth_mode: 'apikey', OPENAI_API_KEY: key }
  await replaceFile(join(home, FILE), JSON.stringify(login, null, 2))
}

export async function forgetLogin(home: string): Promise<void> {
  await rm(join(home, FILE), { force: true })
}
