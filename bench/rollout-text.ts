/** Text of rollouts as real 0.133.0 writes them, turn by turn. */
import type { SeededText } from './seeded-text.ts'

const MODEL_CONTEXT_WINDOW = 258_400
const INSTRUCTIONS_CHARS = 20_000
const CONTEXT_CHARS = 3_000
/** Share of tool outputs that are long listings. */
const LONG_OUTPUTS = 0.04

type Payload = { readonly [field: string]: unknown }

export interface ThreadPlan {
  readonly threadId: string
  readonly startMs: number
  readonly cwd: string
  readonly provider: string
}

export interface TurnPlan {
  /** Tool calls between the message of the person and the answer. */
  readonly steps: number
  /** Characters of a usual tool output, from and to. */
  readonly outputChars: readonly [number, number]
  readonly hasLongOutputs: boolean
  /** The person's message begins with this. */
  readonly opening?: string
}

/** One thread's text, which grows by whole turns; the time moves on with every line. */
export class RolloutText {
  readonly turnIds: string[] = []
  readonly #plan: ThreadPlan
  readonly #text: SeededText
  readonly #userMessages: string[] = []
  #lines: string[] = []
  #sizeChars = 0
  #nowMs: number
  #tokens = 0
  #needsContext = true

  constructor(plan: ThreadPlan, text: SeededText) {
    this.#plan = plan
    this.#text = text
    this.#nowMs = plan.startMs
    this.#line('session_meta', {
      id: plan.threadId,
      timestamp: new Date(plan.startMs).toISOString(),
      cwd: plan.cwd,
      originator: 'codex-tui',
      cli_version: '0.133.0',
      source: 'cli',
      model_provider: plan.provider,
      base_instructions: { text: text.prose(INSTRUCTIONS_CHARS) },
    })
  }

  /** Characters since the thread began, which are all ASCII. */
  get sizeChars(): number {
    return this.#sizeChars
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** The lines since the last call. */
  take(): string {
    const text = this.#lines.join('')
    this.#lines = []
    return text
  }

  addTurn(turn: TurnPlan): void {
    const startMs = this.#nowMs
    const turnId = this.#startTurn()
    if (this.#needsContext) this.#context()
    this.#needsContext = false
    this.#line('turn_context', this.#turnContext(turnId))
    const words = this.#text.prose(this.#text.count(40, 400))
    this.#user(turn.opening === undefined ? words : `${turn.opening} ${words}`)
    for (let step = 0; step < turn.steps; step += 1) this.#step(turn, turnId)
    this.#reasoning()
    this.#endTurn(turnId, startMs, this.#assistant(this.#text.prose(this.#text.count(100, 900))))
  }

  /** A manual compaction, in a turn of its own. */
  addCompaction(): void {
    const startMs = this.#nowMs
    const turnId = this.#startTurn()
    this.#tokenCount()
    const message = `Another language model worked on this.\n${this.#text.prose(6_000)}`
    const kept = [...this.#userMessages.slice(-40), message]
    const replacement_history = kept.map((text) => messageOf('user', text))
    this.#line('compacted', { message, replacement_history })
    this.#tokenCount()
    this.#event({ type: 'context_compacted' })
    this.#endTurn(turnId, startMs, null)
    this.#needsContext = true
  }

  #startTurn(): string {
    const turnId = this.#text.uuid(this.#nowMs)
    this.turnIds.push(turnId)
    this.#event({
      type: 'task_started',
      turn_id: turnId,
      started_at: Math.floor(this.#nowMs / 1000),
      model_context_window: MODEL_CONTEXT_WINDOW,
      collaboration_mode_kind: 'default',
    })
    return turnId
  }

  #endTurn(turnId: string, startMs: number, answer: string | null): void {
    this.#event({
      type: 'task_complete',
      turn_id: turnId,
      last_agent_message: answer,
      completed_at: Math.floor(this.#nowMs / 1000),
      duration_ms: this.#nowMs - startMs,
      time_to_first_token_ms: 900,
    })
    this.#nowMs += this.#text.count(5_000, 60_000)
  }

  #context(): void {
    const permissions = `<permissions instructions>${this.#text.prose(CONTEXT_CHARS)}`
    this.#item(messageOf('developer', `${permissions}</permissions instructions>`))
    const cwd = `<environment_context>\n  <cwd>${this.#plan.cwd}</cwd>\n`
    this.#item(messageOf('user', `${cwd}  <shell>bash</shell>\n</environment_context>`))
  }

  #turnContext(turnId: string): Payload {
    return {
      turn_id: turnId,
      cwd: this.#plan.cwd,
      current_date: new Date(this.#nowMs).toISOString().slice(0, 10),
      timezone: 'Etc/UTC',
      approval_policy: 'never',
      sandbox_policy: { type: 'danger-full-access' },
      permission_profile: { type: 'disabled' },
      model: 'gpt-5.4',
      personality: 'pragmatic',
      collaboration_mode: {
        mode: 'default',
        settings: { model: 'gpt-5.4', reasoning_effort: null, developer_instructions: null },
      },
      realtime_active: false,
      summary: 'auto',
    }
  }

  #user(message: string): void {
    this.#userMessages.push(message)
    this.#item(messageOf('user', message))
    this.#event({ type: 'user_message', message, images: [], local_images: [], text_elements: [] })
  }

  #step(turn: TurnPlan, turnId: string): void {
    const text = this.#text
    this.#reasoning()
    if (text.random() < 0.3) this.#assistant(text.prose(text.count(60, 300)))
    const call_id = `call_${text.hex(24)}`
    const isPatch = text.random() < 0.15
    if (isPatch) this.#patch(call_id, turnId)
    else this.#command(call_id, turn)
    this.#tokenCount()
  }

  #command(call_id: string, turn: TurnPlan): void {
    const text = this.#text
    const cmd = `rg -n '${text.prose(20)}' src | head -${text.count(10, 90)}`
    const args = JSON.stringify({ cmd, workdir: this.#plan.cwd, max_output_tokens: 6000 })
    this.#item({ type: 'function_call', name: 'exec_command', arguments: args, call_id })
    const isLong = turn.hasLongOutputs && text.random() < LONG_OUTPUTS
    const output = text.prose(isLong ? 40_000 : text.count(...turn.outputChars))
    const head = 'Chunk ID: a1b2c3\nWall time: 0.05 seconds\nProcess exited with code 0\nOutput:\n'
    this.#item({ type: 'function_call_output', call_id, output: head + output })
  }

  #patch(call_id: string, turn_id: string): void {
    const path = `${this.#plan.cwd}/src/${this.#text.hex(6)}.ts`
    const lines = this.#text.prose(this.#text.count(300, 2_000)).split('\n')
    const diff = `@@ -1,4 +1,4 @@\n${lines.map((line) => `+${line}\n`).join('')}`
    const input = `*** Begin Patch\n*** Update File: ${path}\n${diff}*** End Patch`
    this.#item({
      type: 'custom_tool_call',
      status: 'completed',
      call_id,
      name: 'apply_patch',
      input,
    })
    const changes = { [path]: { type: 'update', unified_diff: diff, move_path: null } }
    const stdout = `Success. Updated the following files:\nM ${path}\n`
    const outcome = { stdout, stderr: '', success: true, changes, status: 'completed' }
    this.#event({ type: 'patch_apply_end', call_id, turn_id, ...outcome })
    this.#item({ type: 'custom_tool_call_output', call_id, output: `Exit code: 0\n${stdout}` })
  }

  #reasoning(): void {
    const text = `**${this.#text.prose(20)}**\n${this.#text.prose(this.#text.count(60, 300))}`
    this.#event({ type: 'agent_reasoning', text })
    this.#item({
      type: 'reasoning',
      summary: [{ type: 'summary_text', text }],
      content: null,
      encrypted_content: `gAAAAA${this.#text.noise(this.#text.count(700, 2_000))}`,
    })
  }

  #assistant(message: string): string {
    this.#event({ type: 'agent_message', message, phase: null, memory_citation: null })
    const content = [{ type: 'output_text', text: message }]
    this.#item({ type: 'message', role: 'assistant', content })
    return message
  }

  #tokenCount(): void {
    this.#tokens += 1_500
    const usage = (input_tokens: number) => ({
      input_tokens,
      cached_input_tokens: 0,
      output_tokens: 200,
      reasoning_output_tokens: 64,
      total_tokens: input_tokens + 200,
    })
    this.#event({
      type: 'token_count',
      info: {
        total_token_usage: usage(this.#tokens),
        last_token_usage: usage(1_500),
        model_context_window: MODEL_CONTEXT_WINDOW,
      },
      rate_limits: {
        limit_id: 'codex',
        limit_name: null,
        primary: { used_percent: 12.0, window_minutes: 300, resets_at: 1795180000 },
        secondary: { used_percent: 30.0, window_minutes: 10080, resets_at: 1795680000 },
        credits: null,
        plan_type: 'plus',
        rate_limit_reached_type: null,
      },
    })
  }

  #event(payload: Payload): void {
    this.#line('event_msg', payload)
  }

  #item(payload: Payload): void {
    this.#line('response_item', payload)
  }

  #line(type: string, payload: Payload): void {
    this.#nowMs += 7
    const timestamp = new Date(this.#nowMs).toISOString()
    const line = `${JSON.stringify({ timestamp, type, payload })}\n`
    this.#sizeChars += line.length
    this.#lines.push(line)
  }
}

function messageOf(role: string, text: string): Payload {
  return { type: 'message', role, content: [{ type: 'input_text', text }] }
}
