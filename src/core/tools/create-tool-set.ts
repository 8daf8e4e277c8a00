import type { Clock } from '../../base/index.ts'
import type { ThreadId } from '../../protocol/index.ts'
import { applyPatchTool } from './apply-patch.ts'
import { Approvals } from './approvals.ts'
import { CommandRunner } from './command-runner.ts'
import { execCommandTool } from './exec-command.ts'
import type { ExecPolicyStore } from './exec-policy/index.ts'
import type { SandboxState } from './sandbox/index.ts'
import { ToolSet } from './tool-set.ts'
import { updatePlanTool } from './update-plan.ts'
import { writeStdinTool } from './write-stdin.ts'

export interface ToolSetOptions {
  readonly threadId: ThreadId
  readonly environment: NodeJS.ProcessEnv
  readonly clock: Clock
  readonly execPolicy: ExecPolicyStore
  /** Looks for the sandbox when it is needed first. */
  readonly sandbox: () => Promise<SandboxState>
}

/** The built-in tools of a session, in the order in which the model is told of them. */
export function createToolSet(options: ToolSetOptions): ToolSet {
  const { threadId, environment, clock } = options
  const runner = new CommandRunner(environment, threadId, clock)
  const approvals = new Approvals(options)
  const commands = [execCommandTool(runner, approvals), writeStdinTool(runner)]
  return new ToolSet([...commands, updatePlanTool, applyPatchTool(approvals)], runner)
}
