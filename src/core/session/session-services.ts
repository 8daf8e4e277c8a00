import type { Clock, JsonObject } from '../../base/index.ts'
import type { SandboxPolicy } from '../../protocol/index.ts'
import type { McpServers } from '../mcp/index.ts'
import type { ModelConnection } from '../model/model-client.ts'
import type { SessionSettings } from '../settings.ts'
import type { CommandRunner } from '../tools/command-runner.ts'
import type { ToolSet } from '../tools/tool-set.ts'
import type { StartSubSession, SubSession } from './sub-session.ts'

/** Helpers of a session, grouped by what they serve. Their owner is the session. */
export interface SessionServices {
  readonly clock: Clock
  readonly model: {
    /** The session's own; closed with it. */
    readonly client: ModelConnection
    /** Attempts after the first when a stream breaks. */
    readonly streamMaxRetries: number
  }
  readonly tools: ToolSet
  /** Those whose tools are in the set, which owns them. */
  readonly mcp: McpServers
  /** What the model runs; the tools own it. */
  readonly commands: CommandRunner
  /** What the person runs; the model cannot reach it. */
  readonly userCommands: CommandRunner
  readonly surroundings: {
    readonly shellName: string
    readonly timezone: string
    /** Text of the `AGENTS.md` files that hold for a folder. */
    projectDocs(cwd: string): Promise<string | undefined>
    /** Facts of the checkout for `x-codex-turn-metadata`; undefined until git has answered. */
    workspaces(): JsonObject | undefined
    /** What confines commands under this policy, as a request tells it. */
    sandboxName(policy: SandboxPolicy): string
  }
  /** Starts a session that works for this one; whoever starts it closes it. */
  startSubSession(params: StartSubSession): Promise<SubSession>
  /** What a reviewer has otherwise than the session: its model. */
  readonly reviewSettings: Pick<Partial<SessionSettings>, 'model'>
  /** Work that goes on beside the turns. */
  readonly background: AsyncDisposable
}
