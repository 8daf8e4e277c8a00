import type { Clock } from '../../base/index.ts'
import type { DynamicToolDefinition, ThreadId } from '../../protocol/index.ts'
import { applyPatchTool } from './apply-patch.ts'
import { CommandRunner } from './command-runner.ts'
import { dynamicTools } from './dynamic-tools.ts'
import { execCommandTool } from './exec-command.ts'
import { requestUserInputTool } from './request-user-input.ts'
import type { Tool } from './tool.ts'
import { ToolSet } from './tool-set.ts'
import { updatePlanTool } from './update-plan.ts'
import { viewImageTool } from './view-image.ts'
import { writeStdinTool } from './write-stdin.ts'

export interface ToolSetOptions {
  readonly threadId: ThreadId
  readonly environment: NodeJS.ProcessEnv
  readonly clock: Clock
  /** Checked definitions of what the thread's client brought along. */
  readonly dynamicTools?: readonly DynamicToolDefinition[]
}

/** The tools of a session, in the order in which the model is told of them. */
export function createToolSet(options: ToolSetOptions): ToolSet {
  const { threadId, environment, clock } = options
  const runner = new CommandRunner(environment, threadId, clock)
  const builtIn = [
    execCommandTool(runner),
    writeStdinTool(runner),
    updatePlanTool,
    requestUserInputTool(),
    applyPatchTool,
    viewImageTool,
  ]
  const brought = dynamicTools(options.dynamicTools ?? [], clock)
  return new ToolSet([...builtIn, ...withoutNames(builtIn, brought)], runner)
}

/** Nobody takes a built-in tool's place: one of the same name is neither told nor served. */
function withoutNames(builtIn: readonly Tool[], tools: readonly Tool[]): Tool[] {
  const taken = new Set(builtIn.map(({ name }) => name))
  return tools.filter(({ name, namespace }) => namespace !== undefined || !taken.has(name))
}
