import { shellQuote } from '../../base/index.ts'
import type { Approval, Approvals } from './approvals.ts'
import { type CommandEnd, CommandItem, NOT_RUN } from './command-item.ts'
import type { Box, CommandRunner } from './command-runner.ts'
import {
  type ExecAnswer,
  type ExecCommandArguments,
  ExecError,
  formatAnswer,
  formatExecFailure,
} from './exec/index.ts'
import {
  type CommandFacts,
  type CommandVerdict,
  decideCommand,
  looksDenied,
  NOBODY,
  type Question,
  retryQuestion,
  type Whereabouts,
} from './permission.ts'
import {
  isConfining,
  networkEnvironment,
  SandboxError,
  type SandboxState,
} from './sandbox/index.ts'
import type { ToolContext } from './tool.ts'

const REJECTED = 'rejected by user'

export interface CommandCall {
  readonly callId: string
  readonly args: ExecCommandArguments
  readonly argv: readonly string[]
  /** Absolute. */
  readonly cwd: string
}

/** Asks whoever has to be asked, runs the command where it may run, and answers for it. */
export async function runCommand(
  runner: CommandRunner,
  approvals: Approvals,
  call: CommandCall,
  context: ToolContext,
): Promise<string> {
  return await new CommandRun(runner, approvals, call, context).run()
}

class CommandRun {
  readonly #runner: CommandRunner
  readonly #approvals: Approvals
  readonly #call: CommandCall
  readonly #facts: CommandFacts
  readonly #context: ToolContext
  readonly #item: CommandItem

  constructor(
    runner: CommandRunner,
    approvals: Approvals,
    call: CommandCall,
    context: ToolContext,
  ) {
    this.#runner = runner
    this.#approvals = approvals
    this.#call = call
    this.#context = context
    this.#facts = factsOf(call)
    const { argv: command, callId, cwd } = call
    this.#item = new CommandItem({ callId, turnId: context.turnId, command, cwd }, context.recorder)
  }

  async run(): Promise<string> {
    const { settings, signal } = this.#context
    const sandbox = await this.#approvals.sandbox(settings.sandboxPolicy)
    const rules = await this.#approvals.rules(this.#context)
    signal.throwIfAborted()
    const isWithout = isConfining(settings.sandboxPolicy) && !sandbox.isThere
    const verdict = decideCommand(settings, this.#facts, {
      rules,
      noSandbox: isWithout ? sandbox.reason : undefined,
    })
    if (verdict.verdict === 'refuse') return this.#refuse(verdict)
    const isAsked = verdict.verdict === 'ask'
    const refusal = isAsked ? await this.#refusal(verdict) : undefined
    return refusal ?? this.#start(verdict.where, sandbox, isAsked)
  }

  async #refuse({ text, isBare }: CommandVerdict & { verdict: 'refuse' }): Promise<string> {
    if (isBare) return text
    await this.#item.decline()
    return formatExecFailure(this.#call.argv, text)
  }

  /** What the model reads when nobody allows it; undefined when somebody does, or has before. */
  async #refusal(question: Question): Promise<string | undefined> {
    if (this.#approvals.areApproved([this.#key])) return undefined
    if (!this.#context.clients.canAsk('commandApproval')) {
      await this.#item.decline()
      return formatExecFailure(this.#call.argv, this.#nobodyText(question))
    }
    const approval = await this.#ask(question)
    if (approval === 'acceptForSession') this.#approvals.approve([this.#key])
    if (approval === 'accept' || approval === 'acceptForSession') return undefined
    await this.#item.decline()
    if (approval === 'cancel') this.#context.interruptTurn()
    this.#context.signal.throwIfAborted()
    return formatExecFailure(this.#call.argv, REJECTED)
  }

  async #ask({ reason, proposedRule }: Question): Promise<Approval> {
    const { callId: itemId, cwd, argv } = this.#call
    this.#item.start()
    try {
      const commandActions = this.#item.actions
      const request = { itemId, command: shellQuote(argv), cwd, commandActions }
      return await this.#approvals.askCommand(
        {
          ...request,
          ...(reason === undefined ? {} : { reason }),
          ...(proposedRule === undefined ? {} : { proposedRule }),
        },
        this.#context,
      )
    } catch (error) {
      // The turn is over: what was told as begun also ends.
      await this.#item.decline()
      throw error
    }
  }

  #nobodyText({ reason }: Question): string {
    const { approvalPolicy } = this.#context.settings
    const policy = typeof approvalPolicy === 'string' ? approvalPolicy : 'granular'
    const why = reason === undefined ? '' : `: ${reason}`
    return `this command needs approval (policy \`${policy}\`), and ${NOBODY}${why}`
  }

  async #start(where: Whereabouts, sandbox: SandboxState, isAsked: boolean): Promise<string> {
    const { settings, clients } = this.#context
    const { sandboxPolicy: policy } = settings
    if (where === 'outside' || !sandbox.isThere || !isConfining(policy)) return this.#launch()
    const question = retryQuestion(settings.approvalPolicy, this.#facts)
    const mayRetry = question !== undefined && (isAsked || clients.canAsk('commandApproval'))
    const box = { sandbox: sandbox.sandbox, policy, cwd: settings.cwd }
    return this.#launch(box, mayRetry ? () => this.#retry(question, isAsked) : undefined)
  }

  async #retry(question: Question, isAsked: boolean): Promise<string> {
    const refusal = isAsked ? undefined : await this.#refusal(question)
    return refusal ?? this.#launch()
  }

  /** `retry` takes over, the end untold, when the command ends at once as if it was stopped. */
  async #launch(box?: Box, retry?: () => Promise<string>): Promise<string> {
    const { argv: command, args, cwd } = this.#call
    const { settings, signal } = this.#context
    let denied: CommandEnd | undefined
    const onEnd = async (exit: CommandEnd) => {
      if (retry && looksDenied(exit.exitCode, exit.aggregatedOutput)) denied = exit
      else await this.#item.end(exit)
    }
    let answer: ExecAnswer
    try {
      const { isTty, yieldMs, maxOutputTokens } = args
      const run = { command, cwd, isTty, yieldMs, maxOutputTokens, signal }
      answer = await this.#runner.start({
        ...run,
        ...(box ? { box } : {}),
        // An outer sandbox is somebody else's; whether it has a network, the policy says.
        extraEnv: box ? {} : outerEnvironment(settings.sandboxPolicy),
        onSpawn: (id) => this.#item.start(id),
        onOutput: (delta) => this.#item.tellOutput(delta),
        onEnd,
      })
    } catch (error) {
      if (denied) await this.#item.end(denied)
      if (!(error instanceof ExecError || error instanceof SandboxError)) throw error
      await this.#item.end(NOT_RUN)
      return formatExecFailure(command, error.message)
    }
    if (!denied) return formatAnswer(answer)
    if (retry && answer.exitCode !== undefined) return retry()
    await this.#item.end(denied)
    return formatAnswer(answer)
  }

  /** What a person allows for the session: this command, here, with these rights. */
  get #key(): string {
    const { argv, cwd, args } = this.#call
    return JSON.stringify(['command', argv, cwd, args.isTty, args.sandboxPermissions])
  }
}

function factsOf({ args, argv }: CommandCall): CommandFacts {
  const { cmd: text, justification, prefixRule, sandboxPermissions } = args
  return {
    text,
    argv,
    wantsEscalation: sandboxPermissions === 'require_escalated',
    ...(justification === undefined ? {} : { justification }),
    ...(prefixRule === undefined ? {} : { prefixRule }),
  }
}

function outerEnvironment(policy: ToolContext['settings']['sandboxPolicy']) {
  return policy.type === 'external-sandbox' ? networkEnvironment(policy) : {}
}
