import { resolve } from 'node:path'
import { exitText, patchFiles } from './apply-patch.ts'
import type { Approvals } from './approvals.ts'
import type { CommandRunner } from './command-runner.ts'
import {
  type ExecCommandArguments,
  parseExecCommandArguments,
  requestedShell,
  shellArgv,
} from './exec/index.ts'
import { extractShellPatch, PatchError, resolvePatchPath } from './patch/index.ts'
import { runCommand } from './run-command.ts'
import type { Tool, ToolContext } from './tool.ts'

const text = (description: string) => ({ type: 'string', description })

const SPEC = {
  type: 'function',
  name: 'exec_command',
  description:
    'Runs a shell command and answers with its output, or with a session ID while it is running.',
  strict: false,
  parameters: {
    type: 'object',
    properties: {
      cmd: text('The command, as one would type it.'),
      justification: text('With require_escalated: a question to the user that says what for.'),
      login: { type: 'boolean', description: 'Run a login shell. Default true.' },
      max_output_tokens: { type: 'number', description: 'Longer output is cut in the middle.' },
      prefix_rule: {
        type: 'array',
        description: 'With require_escalated: first words that such requests have in common.',
        items: { type: 'string' },
      },
      sandbox_permissions: text('"use_default", or "require_escalated" to leave the sandbox.'),
      shell: text("Shell to use instead of the user's."),
      tty: { type: 'boolean', description: 'Give the command a terminal. Default false.' },
      workdir: text("Folder to run in. Default: the turn's."),
      yield_time_ms: { type: 'number', description: 'How long to wait before answering.' },
    },
    required: ['cmd'],
    additionalProperties: false,
  },
} as const

/** Runs shell commands; those that go on are left to `write_stdin`. */
export function execCommandTool(runner: CommandRunner, approvals: Approvals): Tool {
  return {
    name: 'exec_command',
    kind: 'function',
    isParallel: (call) => !isShellPatch(call.input),
    spec: SPEC as unknown as Tool['spec'],
    run: async (call, context) => {
      const args = parseExecCommandArguments(call.input)
      const { callId } = call
      const patched = await tryShellPatch(callId, args, approvals, context)
      if (patched !== undefined) return patched
      const shell = args.shell === undefined ? runner.shell : requestedShell(args.shell)
      const argv = shellArgv(shell, args.cmd, args.isLogin)
      const cwd = resolve(context.settings.cwd, args.workdir ?? '.')
      return runCommand(runner, approvals, { callId, args, argv, cwd }, context)
    },
  }
}

function isShellPatch(input: string): boolean {
  try {
    return extractShellPatch(parseExecCommandArguments(input).cmd) !== undefined
  } catch {
    // Running the call tells the model what is wrong with it.
    return false
  }
}

/** Models also send patches through the shell; they get the rules of a patch, not of a command. */
async function tryShellPatch(
  callId: string,
  args: ExecCommandArguments,
  approvals: Approvals,
  context: ToolContext,
): Promise<string | undefined> {
  try {
    const found = extractShellPatch(args.cmd)
    if (!found) return undefined
    const folder = resolve(context.settings.cwd, args.workdir ?? '.')
    const cwd = resolvePatchPath(folder, found.workdir ?? '.')
    const result = await patchFiles(callId, found.patch, cwd, approvals, context)
    if (typeof result === 'string') return result
    // Source: observed, 0.133.0. A patch that was applied is told as the output of a command.
    const told = exitText(result)
    return result.success ? `Wall time: 0.0000 seconds\nOutput:\n${told}` : told
  } catch (error) {
    if (error instanceof PatchError) return error.modelText
    throw error
  }
}
