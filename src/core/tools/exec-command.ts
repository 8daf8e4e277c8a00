import { resolve } from 'node:path'
import { shellQuote } from '../../base/index.ts'
import { commandItem } from '../../history/index.ts'
import {
  durationOf,
  type RolloutItem,
  type StoredEvent,
  type TurnItem,
} from '../../protocol/index.ts'
import { exitText, patchFiles } from './apply-patch.ts'
import type { CommandRunner } from './command-runner.ts'
import {
  type ExecCommandArguments,
  ExecError,
  formatAnswer,
  formatExecFailure,
  type ProcessExit,
  parseExecCommandArguments,
  requestedShell,
  shellArgv,
} from './exec/index.ts'
import { extractShellPatch, PatchError, resolvePatchPath } from './patch/index.ts'
import { commandRefusal } from './permission.ts'
import type { Tool, ToolContext } from './tool.ts'

/** Bytes of a command's output that the log keeps; what the model read is kept beside it whole. */
const KEPT_OUTPUT_BYTES = 10_000

const NOT_RUN: CommandEnd = { exitCode: -1, aggregatedOutput: '', durationMs: 0 }

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
export function execCommandTool(runner: CommandRunner): Tool {
  return {
    name: 'exec_command',
    kind: 'function',
    isParallel: (call) => !isShellPatch(call.input),
    spec: SPEC as unknown as Tool['spec'],
    run: async (call, context) => {
      const args = parseExecCommandArguments(call.input)
      const patched = await tryShellPatch(call.callId, args, context)
      return patched ?? runCommand(runner, call.callId, args, context)
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
  context: ToolContext,
): Promise<string | undefined> {
  try {
    const found = extractShellPatch(args.cmd)
    if (!found) return undefined
    const folder = resolve(context.settings.cwd, args.workdir ?? '.')
    const cwd = resolvePatchPath(folder, found.workdir ?? '.')
    const result = await patchFiles(callId, found.patch, cwd, context)
    if (typeof result === 'string') return result
    return result.success
      ? `Wall time: 0.0000 seconds\nOutput:\n${result.stdout}`
      : exitText(result)
  } catch (error) {
    if (error instanceof PatchError) return error.modelText
    throw error
  }
}

async function runCommand(
  runner: CommandRunner,
  callId: string,
  args: ExecCommandArguments,
  context: ToolContext,
): Promise<string> {
  const { recorder, settings, signal, turnId } = context
  const shell = args.shell === undefined ? runner.shell : requestedShell(args.shell)
  const command = shellArgv(shell, args.cmd, args.isLogin)
  const cwd = resolve(settings.cwd, args.workdir ?? '.')
  const shown: ShownCommand = { callId, turnId, command, cwd }
  const refusal = commandRefusal(settings, {
    text: args.cmd,
    argvText: shellQuote(command),
    wantsEscalation: args.sandboxPermissions === 'require_escalated',
  })
  if (refusal !== undefined) {
    await complete(shown, context, NOT_RUN, 'declined')
    return formatExecFailure(command, refusal)
  }
  const end = (exit: CommandEnd) =>
    complete(shown, context, exit, exit.exitCode === 0 ? 'completed' : 'failed')
  try {
    const answer = await runner.start({
      command,
      cwd,
      isTty: args.isTty,
      yieldMs: args.yieldMs,
      maxOutputTokens: args.maxOutputTokens,
      signal,
      onSpawn: () => recorder.tell({ type: 'itemStarted', turnId, item: startedItem(shown) }),
      onOutput: (delta) =>
        recorder.tell({ type: 'commandOutputDelta', turnId, itemId: callId, delta }),
      onEnd: end,
    })
    return formatAnswer(answer)
  } catch (error) {
    if (!(error instanceof ExecError)) throw error
    await end(NOT_RUN)
    return formatExecFailure(command, error.message)
  }
}

interface ShownCommand {
  readonly callId: string
  readonly turnId: string
  readonly command: readonly string[]
  readonly cwd: string
}

type CommandEnd = Pick<ProcessExit, 'exitCode' | 'aggregatedOutput' | 'durationMs'>
type CommandStatus = 'completed' | 'failed' | 'declined'
type StoredCommand = Extract<StoredEvent, { type: 'exec_command_end' }>

function endEvent(shown: ShownCommand, end: CommandEnd, status: CommandStatus): StoredCommand {
  return {
    type: 'exec_command_end',
    call_id: shown.callId,
    turn_id: shown.turnId,
    command: [...shown.command],
    cwd: shown.cwd,
    parsed_cmd: [{ type: 'unknown', cmd: shown.command.at(-1) }],
    source: 'unified_exec_startup',
    stdout: '',
    stderr: '',
    aggregated_output: end.aggregatedOutput,
    exit_code: end.exitCode,
    duration: durationOf(Math.round(end.durationMs)),
    formatted_output: '',
    status,
  }
}

function startedItem(shown: ShownCommand): TurnItem {
  const item = commandItem(endEvent(shown, NOT_RUN, 'completed'))
  return { ...item, status: 'inProgress', exitCode: null, durationMs: null }
}

/** Keeps and tells the end of a command. Real Codex knows the line and passes over it. */
async function complete(
  shown: ShownCommand,
  { recorder }: ToolContext,
  end: CommandEnd,
  status: CommandStatus,
): Promise<void> {
  const event = endEvent(shown, end, status)
  const kept = { ...event, aggregated_output: withoutMiddle(end.aggregatedOutput) }
  const lines: RolloutItem[] = [{ type: 'event_msg', payload: kept }]
  await recorder.complete(shown.turnId, commandItem(event), lines)
}

function withoutMiddle(output: string): string {
  const bytes = Buffer.from(output)
  if (bytes.length <= KEPT_OUTPUT_BYTES) return output
  const half = KEPT_OUTPUT_BYTES / 2
  const head = bytes
    .subarray(0, half)
    .toString('utf8')
    .replace(/\uFFFD$/, '')
  const tail = bytes
    .subarray(-half)
    .toString('utf8')
    .replace(/^\uFFFD+/, '')
  return `${head}\n… ${bytes.length - KEPT_OUTPUT_BYTES} bytes left out …\n${tail}`
}
