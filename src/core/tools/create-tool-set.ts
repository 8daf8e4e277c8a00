import type { Clock } from '../../base/index.ts'
import type { ThreadId } from '../../protocol/index.ts'
import type { McpServers } from '../mcp/index.ts'
import { applyPatchTool } from './apply-patch.ts'
import { CommandRunner } from './command-runner.ts'
import { execCommandTool } from './exec-command.ts'
import { ToolSet } from './tool-set.ts'
import { updatePlanTool } from './update-plan.ts'
import { writeStdinTool } from './write-stdin.ts'

export interface ToolSetOptions {
  readonly threadId: ThreadId
  readonly environment: NodeJS.ProcessEnv
  readonly clock: Clock
  /** Closed with the set. */
  readonly mcp: McpServers
}

/** The tools of a session, in the order in which the model is told of them. */
export function createToolSet({ threadId, environment, clock, mcp }: ToolSetOptions): ToolSet {
  const runner = new CommandRunner(environment, threadId, clock)
  const tools = [
    execCommandTool(runner),
    writeStdinTool(runner),
    ...mcp.resourceTools,
    updatePlanTool,
    applyPatchTool,
  ]
  return new ToolSet(tools, runner, [mcp])
}
