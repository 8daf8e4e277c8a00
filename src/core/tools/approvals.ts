import { type Clock, errorText } from '../../base/index.ts'
import type {
  CommandAction,
  CommandDecision,
  MessageItem,
  PatchDecision,
  SandboxPolicy,
} from '../../protocol/index.ts'
import { ExecPolicy, type ExecPolicyStore, type RuleSet } from './exec-policy/index.ts'
import { isConfining, type SandboxState } from './sandbox/index.ts'
import { NoAnswer, type ToolContext } from './tool.ts'

export interface ApprovalsOptions {
  readonly execPolicy: ExecPolicyStore
  /** Looks for the sandbox when it is needed first. */
  readonly sandbox: () => Promise<SandboxState>
  readonly clock: Clock
}

/** What a person was asked about a command, and what they said. */
export interface CommandRequest {
  readonly itemId: string
  /** Shell-quoted. */
  readonly command: string
  readonly cwd: string
  readonly commandActions: readonly CommandAction[]
  readonly reason?: string
  readonly proposedRule?: readonly string[]
}

export type Approval = 'accept' | 'acceptForSession' | 'decline' | 'cancel'

const NO_LIMITS: SandboxState = { isThere: false, reason: 'nothing is to be confined' }
const MOST_RULE_WORDS = 100

/** What people have allowed in one session, and where they and the rules are asked. */
export class Approvals {
  readonly #policy: ExecPolicy
  readonly #sandbox: () => Promise<SandboxState>
  readonly #clock: Clock
  readonly #approved = new Set<string>()

  constructor({ execPolicy, sandbox, clock }: ApprovalsOptions) {
    this.#policy = new ExecPolicy(execPolicy)
    this.#sandbox = sandbox
    this.#clock = clock
  }

  rules({ settings, recorder, turnId }: ToolContext): Promise<RuleSet> {
    return this.#policy.rules(settings.cwd, (message) =>
      recorder.tell({ type: 'warning', turnId, message }),
    )
  }

  /** Not looked for where nothing is to be confined. */
  sandbox(policy: SandboxPolicy): Promise<SandboxState> {
    return isConfining(policy) ? this.#sandbox() : Promise.resolve(NO_LIMITS)
  }

  /** Whether all of these were allowed for the session. */
  areApproved(keys: readonly string[]): boolean {
    return keys.every((key) => this.#approved.has(key))
  }

  approve(keys: readonly string[]): void {
    for (const key of keys) this.#approved.add(key)
  }

  /** Waits for the answer; no answer is a no. An approved prefix is kept, and the model told. */
  async askCommand(request: CommandRequest, context: ToolContext): Promise<Approval> {
    const { proposedRule, ...params } = request
    const startedAtMs = this.#clock.nowMs()
    const decision = await answer<CommandDecision>(
      context.clients.ask('commandApproval', {
        ...params,
        startedAtMs,
        ...(proposedRule ? { proposedExecpolicyAmendment: proposedRule } : {}),
      }),
    )
    if (typeof decision === 'string') return decision
    // A client may send what only a newer Codex knows.
    const prefix = decision.acceptWithExecpolicyAmendment?.execpolicy_amendment
    if (prefix === undefined) return 'decline'
    await this.#keepRule(prefix, context)
    return 'accept'
  }

  /** Waits for the answer; no answer is a no. */
  askPatch(itemId: string, context: ToolContext): Promise<Approval> {
    const startedAtMs = this.#clock.nowMs()
    return answer<PatchDecision>(context.clients.ask('patchApproval', { itemId, startedAtMs }))
  }

  async #keepRule(prefix: readonly string[], context: ToolContext): Promise<void> {
    const { recorder, turnId } = context
    try {
      const isRule = prefix.length > 0 && prefix.length <= MOST_RULE_WORDS
      if (!isRule) throw new Error(`a prefix has 1 to ${MOST_RULE_WORDS} words`)
      await this.#policy.append(prefix)
    } catch (error) {
      // The command itself was allowed: it runs, and is asked for again next time.
      const message = `the approved prefix could not be saved: ${errorText(error)}`
      recorder.tell({ type: 'warning', turnId, message })
      return
    }
    await context.remember([savedPrefix(prefix)])
  }
}

async function answer<T>(asking: Promise<T>): Promise<T | 'decline'> {
  try {
    return await asking
  } catch (error) {
    if (error instanceof NoAnswer) return 'decline'
    throw error
  }
}

/** Source: observed, 0.133.0. */
function savedPrefix(prefix: readonly string[]): MessageItem {
  const words = prefix.map((word) => JSON.stringify(word)).join(', ')
  const text = `Approved command prefix saved:\n- [${words}]`
  return { type: 'message', role: 'developer', content: [{ type: 'input_text', text }] }
}
