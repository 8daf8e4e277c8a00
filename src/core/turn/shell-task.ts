import { randomUUID } from 'node:crypto'
import { errorText } from '../../base/index.ts'
import { type ResponseItem, userText } from '../../protocol/index.ts'
import {
  ABORTED_USER_SHELL,
  type UserShellResult,
  userShellMessage,
} from '../context/user-shell-text.ts'
import type { EventRecorder } from '../session/event-recorder.ts'
import { CommandItem } from '../tools/command-item.ts'
import type { CommandRunner } from '../tools/command-runner.ts'
import { ExecError, shellArgv } from '../tools/exec/index.ts'
import { remember } from './turn-run.ts'
import type { TurnTask } from './turn-task.ts'

export interface UserCommand {
  /** As the person typed it, without the space around. */
  readonly command: string
  readonly turnId: string
  readonly cwd: string
  readonly runner: CommandRunner
  readonly recorder: EventRecorder
  readonly signal: AbortSignal
}

/** A command that a person runs, in a turn of its own. Source: `session-runtime.md` B8. */
export function shellTask(command: string): TurnTask {
  return {
    kind: 'shell',
    open: async () => ({ lines: [], tell: () => undefined }),
    work: async (run) => {
      await run.opened
      const { recorder, signal, turnId } = run
      const { cwd } = run.settings
      const runner = run.services.userCommands
      const item = await runUserCommand({ command, turnId, cwd, runner, recorder, signal })
      await recorder.keepDurably(remember(run, [item]))
      signal.throwIfAborted()
      return null
    },
  }
}

/**
 * Runs it with the person's own rights, tells it as an item of the turn, and answers what the model
 * reads of it. An abort kills it; that is no failure, and is said too. Throws `SessionError`.
 */
export async function runUserCommand(params: UserCommand): Promise<ResponseItem> {
  const { command, turnId, cwd, runner, recorder, signal } = params
  const argv = shellArgv(runner.shell, command, true)
  const shown = { callId: randomUUID(), turnId, command: argv, cwd, source: 'user_shell' } as const
  const item = new CommandItem(shown, recorder)
  let result: UserShellResult = ABORTED_USER_SHELL
  const end = async (output: string, exitCode: number, durationMs: number) => {
    result = signal.aborted ? ABORTED_USER_SHELL : { output, exitCode, durationMs }
    await item.end({ ...result, aggregatedOutput: result.output })
  }
  try {
    await runner.runToEnd({
      command: argv,
      cwd,
      signal,
      onSpawn: () => item.start(),
      onOutput: (delta) => item.tellOutput(delta),
      onEnd: (exit) => end(exit.aggregatedOutput, exit.exitCode, exit.durationMs),
    })
  } catch (error) {
    if (!(error instanceof ExecError) && !signal.aborted) throw error
    item.start()
    await end(errorText(error), -1, 0)
  }
  return userText(userShellMessage(command, result))
}
