import { commandActions, commandItem } from '../../history/index.ts'
import {
  type CommandAction,
  durationOf,
  type ParsedCommand,
  type RolloutItem,
  type StoredEvent,
  type TurnItem,
} from '../../protocol/index.ts'
import type { EventRecorder } from '../session/event-recorder.ts'
import { type ProcessExit, parsedCommands } from './exec/index.ts'

/** Bytes of a command's output that the log keeps; what the model read is kept beside it whole. */
const KEPT_OUTPUT_BYTES = 10_000

export const NOT_RUN: CommandEnd = { exitCode: -1, aggregatedOutput: '', durationMs: 0 }

export interface ShownCommand {
  readonly callId: string
  readonly turnId: string
  readonly command: readonly string[]
  readonly cwd: string
  /** Whose command it is; the model's when left out. */
  readonly source?: 'user_shell'
}

export type CommandEnd = Pick<ProcessExit, 'exitCode' | 'aggregatedOutput' | 'durationMs'>
export type CommandStatus = 'completed' | 'failed' | 'declined'
type StoredCommand = Extract<StoredEvent, { type: 'exec_command_end' }>

/** A command as those who watch see it: begun once, ended once. */
export class CommandItem {
  readonly #shown: ShownCommand
  readonly #recorder: EventRecorder
  readonly #parsed: ParsedCommand[]
  #isStarted = false
  #processId: string | undefined

  constructor(shown: ShownCommand, recorder: EventRecorder) {
    this.#shown = shown
    this.#parsed = parsedCommands(shown.command)
    this.#recorder = recorder
  }

  get actions(): CommandAction[] {
    const { command, cwd } = this.#shown
    return commandActions({ command: [...command], cwd, parsed_cmd: this.#parsed })
  }

  /** `processId`: under which it can be talked to, once it runs. */
  start(processId?: number): void {
    if (processId !== undefined) this.#processId = String(processId)
    if (this.#isStarted) return
    this.#isStarted = true
    const item = commandItem(this.#endEvent(NOT_RUN, 'completed'))
    const started: TurnItem = { ...item, status: 'inProgress', exitCode: null, durationMs: null }
    this.#recorder.tell({ type: 'itemStarted', turnId: this.#shown.turnId, item: started })
  }

  tellOutput(delta: string): void {
    const { callId: itemId, turnId } = this.#shown
    this.#recorder.tell({ type: 'commandOutputDelta', turnId, itemId, delta })
  }

  end(exit: CommandEnd): Promise<void> {
    return this.#complete(exit, exit.exitCode === 0 ? 'completed' : 'failed')
  }

  decline(): Promise<void> {
    return this.#complete(NOT_RUN, 'declined')
  }

  /** Keeps and tells the end. Real Codex knows the line and passes over it. */
  async #complete(end: CommandEnd, status: CommandStatus): Promise<void> {
    const event = this.#endEvent(end, status)
    const kept = { ...event, aggregated_output: withoutMiddle(end.aggregatedOutput) }
    const lines: RolloutItem[] = [{ type: 'event_msg', payload: kept }]
    await this.#recorder.complete(this.#shown.turnId, commandItem(event), lines)
  }

  #endEvent(end: CommandEnd, status: CommandStatus): StoredCommand {
    const { callId, turnId, command, cwd } = this.#shown
    // Before there is a process Codex names who wants it only.
    const agentSource = this.#processId === undefined ? 'agent' : 'unified_exec_startup'
    return {
      type: 'exec_command_end',
      call_id: callId,
      ...(this.#processId === undefined ? {} : { process_id: this.#processId }),
      turn_id: turnId,
      command: [...command],
      cwd,
      parsed_cmd: this.#parsed,
      source: this.#shown.source ?? agentSource,
      stdout: '',
      stderr: '',
      aggregated_output: end.aggregatedOutput,
      exit_code: end.exitCode,
      duration: durationOf(Math.round(end.durationMs)),
      formatted_output: '',
      status,
    }
  }
}

function withoutMiddle(output: string): string {
  const bytes = Buffer.from(output)
  if (bytes.length <= KEPT_OUTPUT_BYTES) return output
  const half = KEPT_OUTPUT_BYTES / 2
  const head = bytes
    .subarray(0, half)
    .toString('utf8')
    .replace(/\uFFFD$/, '')
  const tail = bytes
    .subarray(-half)
    .toString('utf8')
    .replace(/^\uFFFD+/, '')
  return `${head}\n… ${bytes.length - KEPT_OUTPUT_BYTES} bytes left out …\n${tail}`
}
