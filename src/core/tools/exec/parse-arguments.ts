import { type ArgumentValues, type Fields, readArguments } from './read-arguments.ts'

export const SANDBOX_PERMISSIONS = [
  'use_default',
  'require_escalated',
  'with_additional_permissions',
] as const
export type SandboxPermissions = (typeof SANDBOX_PERMISSIONS)[number]

export interface ExecCommandArguments {
  readonly cmd: string
  readonly workdir?: string
  readonly shell?: string
  readonly isLogin: boolean
  readonly isTty: boolean
  readonly yieldMs?: number
  readonly maxOutputTokens?: number
  readonly sandboxPermissions: SandboxPermissions
  readonly justification?: string
  readonly prefixRule?: readonly string[]
}

export interface WriteStdinArguments {
  readonly sessionId: number
  /** Empty to only look for output. */
  readonly chars: string
  readonly yieldMs?: number
  readonly maxOutputTokens?: number
}

const ENVIRONMENT_FIELDS = {
  environment_id: { type: 'string', presence: 'optional' },
} as const satisfies Fields

const EXEC_COMMAND_FIELDS = {
  cmd: { type: 'string', presence: 'required' },
  workdir: { type: 'string', presence: 'optional' },
  shell: { type: 'string', presence: 'optional' },
  login: { type: 'boolean', presence: 'optional' },
  tty: { type: 'boolean', presence: 'default' },
  yield_time_ms: { type: 'u64', presence: 'default' },
  max_output_tokens: { type: 'usize', presence: 'optional' },
  sandbox_permissions: { type: SANDBOX_PERMISSIONS, presence: 'default' },
  justification: { type: 'string', presence: 'optional' },
  prefix_rule: { type: 'string[]', presence: 'optional' },
} as const satisfies Fields

const WRITE_STDIN_FIELDS = {
  session_id: { type: 'i32', presence: 'required' },
  chars: { type: 'string', presence: 'default' },
  yield_time_ms: { type: 'u64', presence: 'default' },
  max_output_tokens: { type: 'usize', presence: 'optional' },
} as const satisfies Fields

/**
 * Throws `ArgumentsError`. Codex reads the text twice, first for the environment alone, so a
 * malformed tail is named before a wrong type in front of it.
 */
export function parseExecCommandArguments(text: string): ExecCommandArguments {
  readArguments(text, 'ExecCommandEnvironmentArgs', ENVIRONMENT_FIELDS)
  const values = readArguments(text, 'ExecCommandArgs', EXEC_COMMAND_FIELDS)
  return {
    cmd: values.cmd,
    ...(values.workdir ? { workdir: values.workdir } : {}),
    ...(values.shell !== undefined ? { shell: values.shell } : {}),
    isLogin: values.login ?? true,
    isTty: values.tty ?? false,
    ...limitsOf(values),
    sandboxPermissions: values.sandbox_permissions ?? 'use_default',
    ...(values.justification !== undefined ? { justification: values.justification } : {}),
    ...(values.prefix_rule !== undefined ? { prefixRule: values.prefix_rule } : {}),
  }
}

/** Throws `ArgumentsError`. */
export function parseWriteStdinArguments(text: string): WriteStdinArguments {
  const values = readArguments(text, 'WriteStdinArgs', WRITE_STDIN_FIELDS)
  return { sessionId: values.session_id, chars: values.chars ?? '', ...limitsOf(values) }
}

function limitsOf(
  values: Pick<ArgumentValues<typeof WRITE_STDIN_FIELDS>, 'yield_time_ms' | 'max_output_tokens'>,
): { yieldMs?: number; maxOutputTokens?: number } {
  return {
    ...(values.yield_time_ms !== undefined ? { yieldMs: values.yield_time_ms } : {}),
    ...(values.max_output_tokens !== undefined
      ? { maxOutputTokens: values.max_output_tokens }
      : {}),
  }
}
