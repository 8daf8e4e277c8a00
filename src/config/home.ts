import { randomUUID } from 'node:crypto'
import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { errorCode, errorText } from '../base/index.ts'
import { ConfigError } from './errors.ts'

/** `BOBBIN_HOME`, else `CODEX_HOME`, else `~/.codex`: a Bobbin home is a Codex home. Absolute. */
export function resolveHome(environment: NodeJS.ProcessEnv): string {
  const named = environment.BOBBIN_HOME || environment.CODEX_HOME
  return named ? resolve(named) : join(homedir(), '.codex')
}

/** Throws `home_unreadable` unless the home is a folder that can be entered, or not there yet. */
export function checkHome(home: string): void {
  try {
    if (!statSync(home).isDirectory()) throw new Error('it is not a folder')
    accessSync(home, constants.R_OK | constants.X_OK)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return
    const remedy = 'set BOBBIN_HOME to a folder that you can read, or mend its permissions'
    const message = `cannot use the home ${home}: ${errorText(error)}`
    throw new ConfigError('home_unreadable', message, remedy, { cause: error })
  }
}

const INSTALLATION_ID_FILE = 'installation_id'
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * The id that endpoints are told, shared with real Codex. Made and kept on first use, unless the
 * run may leave no trace; a home that cannot be written gets a new one each time.
 */
export async function installationId(home: string, mayWrite: boolean): Promise<string> {
  const path = join(home, INSTALLATION_ID_FILE)
  try {
    const kept = readFileSync(path, 'utf8').trim()
    if (UUID.test(kept)) return kept
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? await newInstallationId(path, mayWrite) : randomUUID()
  }
  const made = randomUUID()
  if (!mayWrite) return made
  // Whatever the file says, it is no id.
  await writeFile(path, made, { mode: 0o600 }).catch(() => undefined)
  return made
}

async function newInstallationId(path: string, mayWrite: boolean): Promise<string> {
  const made = randomUUID()
  if (!mayWrite) return made
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  // Another process may have been first: then its id stands.
  return await writeFile(path, made, { mode: 0o600, flag: 'wx' }).then(
    () => made,
    () => readFileSync(path, 'utf8').trim(),
  )
}
