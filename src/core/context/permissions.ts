import { isObject, type JsonObject } from '../../base/index.ts'
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
        ...(policy.exclude_tmpdir_env_var ? [] : temporaryFolder()),
      ]
      return [...new Set([cwd, ...(policy.writable_roots ?? []), ...temporary])]
    }
  }
}

/** The variable alone counts: where it is not set, `/tmp` has a switch of its own. */
function temporaryFolder(): string[] {
  const { TMPDIR } = process.env
  return TMPDIR?.startsWith('/') ? [TMPDIR] : []
}

/** Folders below a writable root that stay read-only: they steer programs. */
export const PROTECTED_FOLDERS = ['.git', '.agents', '.codex'] as const

const SANDBOX_TEXT: { readonly [type in SandboxPolicy['type']]: string } = {
  'danger-full-access': 'commands and patches may read and write everything',
  'external-sandbox': 'an outer sandbox decides what commands may touch',
  'read-only': 'files may be read; nothing may be written. The operating system enforces that',
  'workspace-write':
    'files may be read; only the folders named below may be written, without what is in their ' +
    '`.git`, `.agents` and `.codex`. The operating system enforces that',
}

const CONFINED_TEXT =
  'A command that reads only runs at once, and so does any other inside of the sandbox. ' +
  'One that deletes by force needs an approval'

const APPROVAL_TEXT: { readonly [policy: string]: string } = {
  never:
    'Nobody is asked: what is not allowed is refused, and the refusal says why. ' +
    'Leave `sandbox_permissions` out: a command that wants out of the sandbox is rejected.',
  'on-failure':
    `${CONFINED_TEXT}. When the sandbox seems to have stopped a command, the user is asked ` +
    'whether it may run outside. Leave `sandbox_permissions` out: it is rejected.',
  untrusted:
    'The user is asked before any command that is not known to read only, and before every ' +
    'patch. Leave `sandbox_permissions` out: it is rejected.',
}

/** How the model asks for more than the sandbox gives. Only this policy lets it. */
const ON_REQUEST_TEXT = `${CONFINED_TEXT}.

To run a command outside of the sandbox, ask for it in the call itself:
- \`sandbox_permissions\`: \`"require_escalated"\`
- \`justification\`: a short question to the user that says what the command is for
- \`prefix_rule\`: optional; the first words that such commands have in common, as in \
\`["npm", "run"]\`. The user can allow that prefix for good. Choose it narrow: programs that run \
anything, like shells and interpreters, are not offered

Do so when a command needs the network or a folder that may not be written, or when it has failed \
for want of that; do not look for a way around the sandbox. A command line is taken apart at \
\`&&\`, \`||\`, \`|\` and \`;\`, and every part has to be allowed. One with redirections, \
substitutions or variables is taken as a whole.`

const CATEGORY_TEXT: { readonly [category: string]: string } = {
  sandbox_approval: 'commands and patches beyond the sandbox, and commands that delete by force',
  rules: 'commands that a rule of the user wants to be asked about',
  mcp_elicitations: 'questions of MCP servers',
}

function approvalText(approval: ApprovalPolicy): string {
  if (approval === 'on-request') return ON_REQUEST_TEXT
  if (typeof approval === 'string') return APPROVAL_TEXT[approval] ?? ''
  const fields = isObject(approval.granular) ? approval.granular : {}
  const lines = Object.entries(CATEGORY_TEXT).map(([category, what]) => {
    return `- ${what}: ${fields[category] === false ? 'refused without asking' : 'asked for'}`
  })
  const rest = 'Leave `sandbox_permissions` out: it is rejected.'
  return `${CONFINED_TEXT}. What goes beyond that:\n${lines.join('\n')}\n${rest}`
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
    `Approval policy is \`${typeof approval === 'string' ? approval : 'granular'}\`.`,
    approvalText(approval),
    ...(isConfined(sandbox) ? [NO_SANDBOX_TEXT] : []),
  ]
  return `<permissions instructions>\n${lines.join('\n')}\n</permissions instructions>`
}

const NO_SANDBOX_TEXT =
  'Where the machine has no working sandbox, a command that would run in it needs an approval, ' +
  'or is refused; the answer says so.'

function isConfined({ type }: SandboxPolicy): boolean {
  return type === 'read-only' || type === 'workspace-write'
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
