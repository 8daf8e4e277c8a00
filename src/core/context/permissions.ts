import { tmpdir } from 'node:os'
import type { JsonObject } from '../../base/index.ts'
import type { ApprovalPolicy, SandboxPolicy } from '../../protocol/index.ts'

/** Folders that commands and patches may write in; undefined: everywhere. */
export function writableRoots(policy: SandboxPolicy, cwd: string): string[] | undefined {
  switch (policy.type) {
    case 'danger-full-access':
    case 'external-sandbox':
      return undefined
    case 'read-only':
      return []
    case 'workspace-write': {
      const temporary = [
        ...(policy.exclude_slash_tmp ? [] : ['/tmp']),
        ...(policy.exclude_tmpdir_env_var ? [] : [tmpdir()]),
      ]
      return [...new Set([cwd, ...(policy.writable_roots ?? []), ...temporary])]
    }
  }
}

/** Folders below a writable root that stay read-only: they steer programs. */
export const PROTECTED_FOLDERS = ['.git', '.agents', '.codex'] as const

const SANDBOX_TEXT: { readonly [type in SandboxPolicy['type']]: string } = {
  'danger-full-access': 'commands and patches may read and write everything',
  'external-sandbox': 'an outer sandbox decides what commands may touch',
  'read-only': 'files may be read; nothing may be written',
  'workspace-write': 'files may be read; only the folders named below may be written',
}

const APPROVAL_TEXT: { readonly [policy: string]: string } = {
  never: 'Nobody can be asked: what is not allowed is refused, and the refusal says why.',
  'on-request': 'The user can be asked before a command that needs more rights runs.',
  'on-failure': 'The user can be asked when the sandbox stops a command.',
  untrusted: 'The user is asked before any command that is not known to be harmless.',
}

/** The developer text that tells the model what it may do. */
export function permissionsText(
  approval: ApprovalPolicy,
  sandbox: SandboxPolicy,
  cwd: string,
): string {
  const roots = writableRoots(sandbox, cwd)
  const lines = [
    `Sandbox mode is \`${sandbox.type}\`: ${SANDBOX_TEXT[sandbox.type]}.`,
    ...(roots && roots.length > 0
      ? [`Writable: ${roots.map((at) => `\`${at}\``).join(', ')}.`]
      : []),
    `Network access is ${hasNetwork(sandbox) ? 'enabled' : 'restricted'}.`,
    typeof approval === 'string'
      ? `Approval policy is \`${approval}\`. ${APPROVAL_TEXT[approval] ?? ''}`.trim()
      : 'Approval policy is granular: some kinds of request are refused without asking.',
  ]
  return `<permissions instructions>\n${lines.join('\n')}\n</permissions instructions>`
}

function hasNetwork(sandbox: SandboxPolicy): boolean {
  if (sandbox.type === 'danger-full-access') return true
  return sandbox.network_access === true || sandbox.network_access === 'enabled'
}

/** The same policy in the newer form, which real Codex keeps beside it in `turn_context`. */
export function permissionProfile(sandbox: SandboxPolicy, cwd: string): JsonObject {
  if (sandbox.type === 'danger-full-access') return { type: 'disabled' }
  const network = hasNetwork(sandbox) ? 'enabled' : 'restricted'
  if (sandbox.type === 'external-sandbox') return { type: 'external', network }
  const entries = [special('root', 'read')]
  if (sandbox.type === 'workspace-write') {
    entries.push(folder(cwd, 'write'))
    if (!sandbox.exclude_slash_tmp) entries.push(special('slash_tmp', 'write'))
    if (!sandbox.exclude_tmpdir_env_var) entries.push(special('tmpdir', 'write'))
    for (const name of PROTECTED_FOLDERS) entries.push(folder(`${cwd}/${name}`, 'read'))
    for (const root of sandbox.writable_roots ?? []) entries.push(folder(root, 'write'))
  }
  return { type: 'managed', file_system: { type: 'restricted', entries }, network }
}

function special(kind: string, access: string): JsonObject {
  return { path: { type: 'special', value: { kind } }, access }
}

function folder(path: string, access: string): JsonObject {
  return { path: { type: 'path', path }, access }
}
