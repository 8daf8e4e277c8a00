import type { Clock } from '../../base/index.ts'
import type { ResponseItem, ToolOutput, UserInput } from '../../protocol/index.ts'

/** A tool call whose output is not in the history yet. */
export interface PendingCall {
  readonly callId: string
  readonly kind: 'function' | 'custom'
  readonly startedAtMs: number
  /** Never rejects: undefined when the call was cut off by the turn's end. */
  readonly output: Promise<ToolOutput | undefined>
  settled: ToolOutput | undefined
  /** A failure that ends the turn: storage. */
  failure?: unknown
}

export interface ClientMetadata {
  readonly [name: string]: string
}

/** What came in while the turn was running, and who waits for it to be kept. */
export interface SteeredInput {
  /** What a person said, or items for the model's history as they are. */
  readonly said:
    | { readonly input: readonly UserInput[] }
    | { readonly items: readonly ResponseItem[] }
  readonly kept: PromiseWithResolvers<void>
}

/** What lives and dies with one turn. */
export class TurnState {
  readonly #clock: Clock
  readonly #startedAtMs: number
  #endedAtMs: number | undefined
  readonly startedAtUnixMs: number
  #firstTokenMs: number | undefined
  #calls: PendingCall[] = []
  #steered: SteeredInput[] = []
  #takesInput = true
  /** What the server asked to be told again with each request of this turn. */
  serverState: string | undefined
  #clientMetadata: ClientMetadata = {}
  #servedBy: string | undefined
  /** The count of the last response has to be kept yet: behind outputs that the end settles. */
  owesCount = false

  constructor(clock: Clock) {
    this.#clock = clock
    this.#startedAtMs = clock.monotonicMs()
    this.startedAtUnixMs = clock.nowMs()
  }

  /** What the client wants to be told to the endpoint with the requests of this turn. */
  get clientMetadata(): ClientMetadata {
    return this.#clientMetadata
  }

  /** Replaces the whole map, from the next request on. */
  setClientMetadata(metadata: ClientMetadata): void {
    this.#clientMetadata = { ...metadata }
  }

  /** True when such a model has not been noted in this turn yet. */
  noteServedBy(model: string): boolean {
    const isNew = this.#servedBy !== model
    this.#servedBy = model
    return isNew
  }

  get startedAtS(): number {
    return Math.floor(this.startedAtUnixMs / 1000)
  }

  get nowS(): number {
    return Math.floor(this.#clock.nowMs() / 1000)
  }

  /** Of a turn that has ended: until its end. */
  get durationMs(): number {
    return Math.round((this.#endedAtMs ?? this.#clock.monotonicMs()) - this.#startedAtMs)
  }

  /** The duration that is kept is the one that is told, however long the keeping takes. */
  end(): void {
    this.#endedAtMs = this.#clock.monotonicMs()
  }

  /** Milliseconds until the model's first item or word. */
  get firstTokenMs(): number | undefined {
    return this.#firstTokenMs
  }

  noteFirstToken(): void {
    this.#firstTokenMs ??= this.durationMs
  }

  /** Undefined when the turn has made its last request: what comes now belongs to the next turn. */
  steer(said: SteeredInput['said']): Promise<void> | undefined {
    if (!this.#takesInput) return undefined
    const kept = Promise.withResolvers<void>()
    // Whoever does not wait for it hears of the turn's end anyway.
    kept.promise.catch(() => undefined)
    this.#steered.push({ said, kept })
    return kept.promise
  }

  /** Hands over what was said since, in the order in which it came. */
  takeSteered(): SteeredInput[] {
    return this.#steered.splice(0)
  }

  /** True when nothing was said since: from then on the turn takes no more input. */
  closeInput(): boolean {
    this.#takesInput = this.#steered.length > 0
    return !this.#takesInput
  }

  /** The turn ends: nobody waits for input of it any longer. */
  refuseSteered(reason: unknown): void {
    this.#takesInput = false
    for (const { kept } of this.takeSteered()) kept.reject(reason)
  }

  addCall(call: PendingCall): void {
    this.#calls.push(call)
  }

  /** Hands the pending calls over, in the order in which the model made them. */
  takeCalls(): PendingCall[] {
    const calls = this.#calls
    this.#calls = []
    return calls
  }

  /** How long a call has been running, in seconds with one decimal; at least 0.1. */
  secondsSince(startedAtMs: number): string {
    return Math.max(0.1, (this.#clock.monotonicMs() - startedAtMs) / 1000).toFixed(1)
  }

  get monotonicMs(): number {
    return this.#clock.monotonicMs()
  }
}

export function outputItem(call: PendingCall, output: ToolOutput): ResponseItem {
  const type = call.kind === 'custom' ? 'custom_tool_call_output' : 'function_call_output'
  return { type, call_id: call.callId, output }
}
