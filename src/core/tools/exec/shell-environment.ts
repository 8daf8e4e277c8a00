import { existsSync } from 'node:fs'
import { basename } from 'node:path'

export interface UserShell {
  readonly path: string
  readonly name: string
}

const SHELL_NAMES = new Set(['bash', 'zsh', 'sh'])

const PLAIN_OUTPUT = {
  NO_COLOR: '1',
  TERM: 'dumb',
  LANG: 'C.UTF-8',
  LC_CTYPE: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  COLORTERM: '',
  PAGER: 'cat',
  GIT_PAGER: 'cat',
  GH_PAGER: 'cat',
  CODEX_CI: '1',
} as const

/** What a command sees: `base`, with colours, pagers and odd encodings switched off. */
export function shellEnvironment(
  base: NodeJS.ProcessEnv,
  threadId: string,
): { [name: string]: string } {
  const environment: { [name: string]: string } = {}
  for (const [name, value] of Object.entries(base)) {
    if (value !== undefined) environment[name] = value
  }
  return { ...environment, ...PLAIN_OUTPUT, CODEX_THREAD_ID: threadId }
}

/** `$SHELL` when it is a bash, zsh or sh that exists, else /bin/bash, else /bin/sh. */
export function userShell(environment: NodeJS.ProcessEnv): UserShell {
  return knownShell(environment.SHELL) ?? knownShell('/bin/bash') ?? { path: '/bin/sh', name: 'sh' }
}

/**
 * The shell that a model asked for by name or path: that path when it is one of ours and exists,
 * else the system's shell of that name, else /bin/sh.
 */
export function requestedShell(requested: string): UserShell {
  const name = basename(requested)
  const system = ['/bin', '/usr/bin'].map((folder) => knownShell(`${folder}/${name}`))
  const found = knownShell(requested) ?? system.find((shell) => shell !== undefined)
  return found ?? { path: '/bin/sh', name: 'sh' }
}

/** The arguments that make `shell` run `script`. */
export function shellArgv(shell: UserShell, script: string, isLogin: boolean): string[] {
  return [shell.path, isLogin ? '-lc' : '-c', script]
}

function knownShell(path: string | undefined): UserShell | undefined {
  if (!path?.startsWith('/')) return undefined
  const name = basename(path)
  return SHELL_NAMES.has(name) && existsSync(path) ? { path, name } : undefined
}
