import type { Clock, JsonObject } from '../../base/index.ts'
import type { SandboxPolicy } from '../../protocol/index.ts'
import type { ModelClient } from '../model/model-client.ts'
import type { ToolSet } from '../tools/tool-set.ts'

/** Helpers of a session, grouped by what they serve. Their owner is the session. */
export interface SessionServices {
  readonly clock: Clock
  readonly model: {
    readonly client: ModelClient
    /** Attempts after the first when a stream breaks. */
    readonly streamMaxRetries: number
  }
  readonly tools: ToolSet
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
  /** Work that goes on beside the turns. */
  readonly background: AsyncDisposable
}
