import type { Clock } from '../../base/index.ts'
import type { DynamicToolDefinition } from '../../protocol/index.ts'
import type { McpServers } from '../mcp/index.ts'
import { applyPatchTool } from './apply-patch.ts'
import { Approvals } from './approvals.ts'
import type { CommandRunner } from './command-runner.ts'
import { dynamicTools } from './dynamic-tools.ts'
import { execCommandTool } from './exec-command.ts'
import type { ExecPolicyStore } from './exec-policy/index.ts'
import { requestUserInputTool } from './request-user-input.ts'
import type { SandboxState } from './sandbox/index.ts'
import type { Tool } from './tool.ts'
import { ToolSet } from './tool-set.ts'
import { updatePlanTool } from './update-plan.ts'
import { viewImageTool } from './view-image.ts'
import { writeStdinTool } from './write-stdin.ts'

export interface ToolSetOptions {
  /** Closed with the set. */
  readonly commands: CommandRunner
  readonly clock: Clock
  readonly execPolicy: ExecPolicyStore
  /** Looks for the sandbox when it is needed first. */
  readonly sandbox: () => Promise<SandboxState>
  /** Checked definitions of what the thread's client brought along. */
  readonly dynamicTools?: readonly DynamicToolDefinition[]
  /** Closed with the set. */
  readonly mcp: McpServers
}

/** The tools of a session, in the order in which the model is told of them. */
export function createToolSet(options: ToolSetOptions): ToolSet {
  const { commands, clock, mcp } = options
  const approvals = new Approvals(options)
  const builtIn = [
    execCommandTool(commands, approvals),
    writeStdinTool(commands),
    ...mcp.resourceTools,
    updatePlanTool,
    requestUserInputTool(),
    applyPatchTool(approvals),
    viewImageTool,
  ]
  const brought = dynamicTools(options.dynamicTools ?? [], clock)
  return new ToolSet([...builtIn, ...withoutNames(builtIn, brought)], commands, [mcp])
}

/** Nobody takes a built-in tool's place: one of the same name is neither told nor served. */
function withoutNames(builtIn: readonly Tool[], tools: readonly Tool[]): Tool[] {
  const taken = new Set(builtIn.map(({ name }) => name))
  return tools.filter(({ name, namespace }) => namespace !== undefined || !taken.has(name))
}
