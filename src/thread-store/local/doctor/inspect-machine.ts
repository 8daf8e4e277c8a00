import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { errorCode, errorText, systemFlock } from '../../../base/index.ts'
import { type Finding, finding } from './finding.ts'
import type { OwnIndex } from './open-index.ts'

const MIB = 1024 * 1024
const LITTLE_BYTES = 512 * MIB

/** The home as a folder, and the programs that are needed. `searchPath` is that of `$PATH`. */
export async function inspectMachine(
  home: string,
  own: OwnIndex | undefined,
  searchPath: string,
): Promise<Finding[]> {
  return [
    ...(await inspectFolder(home)),
    told('ok', 'node', `Node ${process.versions.node}`),
    own
      ? told('ok', 'sqlite', `SQLite ${own.library}`)
      : told('warn', 'sqlite', 'no index can be made here: lists are slow', null, MAKE_ROOM),
    (await isProgram('git', searchPath))
      ? told('ok', 'git', 'git is there')
      : told('warn', 'git', 'git is not there: threads are not told their branch', null, GET_GIT),
    await lockProgram(searchPath),
  ]
}

async function inspectFolder(home: string): Promise<Finding[]> {
  try {
    await access(home, constants.W_OK | constants.X_OK)
    return [told('ok', 'home', 'can be read and written', home), await freeSpace(home)]
  } catch (error) {
    if (errorCode(error) === 'ENOENT') {
      return [told('ok', 'no_home', 'is not there yet: the first thread makes it', home)]
    }
    const what = `cannot be written, only read (${errorText(error)})`
    return [told('warn', 'read_only', what, home, 'mend its permissions')]
  }
}

const INSTALL_FLOCK = 'install flock (util-linux), or bobbin again without --omit=optional'
const MAKE_ROOM = 'see that the folder for temporary files can be written and has room'
const GET_GIT = 'install git'

async function freeSpace(home: string): Promise<Finding> {
  try {
    const { bavail, bsize } = await statfs(home)
    const free = bavail * bsize
    const what = `${Math.floor(free / MIB)} MiB free`
    if (free >= LITTLE_BYTES) return told('ok', 'space', what, home)
    return told('warn', 'space', `only ${what}`, home, 'make room on that file system')
  } catch (error) {
    return told('warn', 'space', `free space is not known (${errorText(error)})`, home, null)
  }
}

async function lockProgram(searchPath: string): Promise<Finding> {
  if (systemFlock()) return told('ok', 'lock_program', 'threads are locked by flock(2) itself')
  if (await isProgram('flock', searchPath)) {
    return told('ok', 'lock_program', 'flock takes the locks of threads')
  }
  const what = 'nothing can lock files here: two programs could write to one thread'
  return told('warn', 'lock_program', what, null, INSTALL_FLOCK)
}

async function isProgram(name: string, searchPath: string): Promise<boolean> {
  for (const folder of searchPath.split(delimiter)) {
    const isThere = await access(join(folder, name), constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isThere && folder !== '') return true
  }
  return false
}

function told(
  severity: Finding['severity'],
  code: string,
  what: string,
  path: string | null = null,
  remedy: string | null = null,
): Finding {
  return finding({ severity, section: 'home', code, what, path, remedy })
}
