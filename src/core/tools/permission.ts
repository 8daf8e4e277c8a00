import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { errorCode } from '../../base/index.ts'
import { PROTECTED_FOLDERS, writableRoots } from '../context/permissions.ts'
import type { SessionSettings } from '../settings.ts'
import { classifyCommand } from './exec/index.ts'

const NOBODY = 'there is nobody to ask here'
const BY_SETTINGS = 'rejected by user approval settings'

/**
 * Why a command may not run, in words for the model and the person; undefined when it may. Nobody
 * can be asked yet, so what would ask is refused. Bobbin has no operating-system sandbox of its
 * own yet, so what would need one is refused too. Source: `reference/session-runtime.md` E2.
 */
export function commandRefusal(
  settings: Pick<SessionSettings, 'approvalPolicy' | 'sandboxPolicy'>,
  command: { readonly text: string; readonly argvText: string; readonly wantsEscalation: boolean },
): string | undefined {
  const { approvalPolicy, sandboxPolicy } = settings
  const mode = sandboxPolicy.type
  const isUnconfined = mode === 'danger-full-access' || mode === 'external-sandbox'
  if (command.wantsEscalation && !isUnconfined) {
    return escalationRefusal(approvalPolicy)
  }
  const risk = classifyCommand(command.text)
  if (risk === 'safe') return undefined
  if (isUnconfined && approvalPolicy === 'never') return undefined
  if (risk === 'dangerous' && approvalPolicy === 'never') {
    return `\`${command.argvText}\` rejected: blocked by policy`
  }
  if (approvalPolicy === 'untrusted' || risk === 'dangerous') {
    return `this command needs approval (policy \`${policyLabel(approvalPolicy)}\`), and ${NOBODY}`
  }
  if (isUnconfined) return undefined
  return (
    `sandbox mode \`${mode}\` would have to confine this command, and Bobbin cannot confine ` +
    'commands on this system yet; only commands known to be read-only run. ' +
    'The user can allow all commands with --sandbox danger-full-access'
  )
}

/**
 * Why a patch may not be applied; undefined when it may. Links are followed, so that none leads a
 * write out of the folders that may be written. Source: `reference/session-runtime.md` E4.
 */
export async function patchRefusal(
  settings: Pick<SessionSettings, 'approvalPolicy' | 'sandboxPolicy' | 'cwd'>,
  paths: readonly string[],
): Promise<string | undefined> {
  const { approvalPolicy, sandboxPolicy, cwd } = settings
  if (approvalPolicy === 'untrusted') {
    return `patch rejected: every patch needs approval (policy \`untrusted\`), and ${NOBODY}`
  }
  const roots = writableRoots(sandboxPolicy, cwd)
  if (roots === undefined) return undefined
  if (roots.length === 0) {
    return `patch rejected: writing is blocked by read-only sandbox; ${BY_SETTINGS}`
  }
  const realRoots = await Promise.all(roots.map(realPathOf))
  for (const path of await Promise.all(paths.map(realPathOf))) {
    if (path === undefined || !isWritable(realRoots, path)) {
      return `patch rejected: writing outside of the project; ${BY_SETTINGS}`
    }
  }
  return undefined
}

/** Roots may hold one another: what one of them protects stays protected. */
function isWritable(roots: readonly (string | undefined)[], path: string): boolean {
  const known = roots.filter((root) => root !== undefined)
  return (
    known.some((root) => isWithin(root, path)) && !known.some((root) => isProtected(root, path))
  )
}

function escalationRefusal(policy: SessionSettings['approvalPolicy']): string {
  if (policy === 'on-request') return `running outside the sandbox needs approval, and ${NOBODY}`
  const name = policyName(policy)
  return (
    `approval policy is ${name}; reject command — you cannot ask for escalated permissions if ` +
    `the approval policy is ${name}`
  )
}

function isWithin(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)
}

function isProtected(root: string, path: string): boolean {
  return PROTECTED_FOLDERS.some((name) => isWithin(join(root, name), path))
}

/**
 * The path with all links followed, as far as it is there. Undefined behind a link to nothing:
 * writing through it would make a file wherever it points.
 */
async function realPathOf(path: string): Promise<string | undefined> {
  try {
    return await realpath(path)
  } catch (error) {
    const code = errorCode(error)
    if ((code !== 'ENOENT' && code !== 'ENOTDIR') || dirname(path) === path) throw error
    if (await isLink(path)) return undefined
    const folder = await realPathOf(dirname(path))
    return folder === undefined ? undefined : join(folder, basename(path))
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink()
  } catch {
    // Nothing is there, so no link is.
    return false
  }
}

function policyLabel(policy: SessionSettings['approvalPolicy']): string {
  return typeof policy === 'string' ? policy : 'granular'
}

const POLICY_NAMES: { readonly [policy: string]: string } = {
  untrusted: 'UnlessTrusted',
  'on-failure': 'OnFailure',
  'on-request': 'OnRequest',
  never: 'Never',
}

function policyName(policy: SessionSettings['approvalPolicy']): string {
  return POLICY_NAMES[policyLabel(policy)] ?? 'Granular'
}
