import { writeFileSync } from 'node:fs'
import type { ThreadHandle } from '../core/index.ts'
import type { SessionEvent } from '../protocol/index.ts'
import { CliError } from './cli-error.ts'
import type { ExecRun } from './exec-options.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { ExecEventWriter } from './output/exec-events.ts'
import { Terminal } from './output/terminal.ts'
import { TurnPrinter } from './output/turn-printer.ts'

type TurnEnd = Extract<SessionEvent, { type: 'turnCompleted' }>

export interface OneTurn {
  readonly begin: () => Promise<unknown>
  /** File that the last message is written to. */
  readonly lastMessagePath: string | undefined
}

/**
 * Runs the turn that `begin` starts to its end, and prints what happens. With `--json` a turn that
 * did not complete is thrown as a `CliError`, too.
 */
export async function runOneTurn(
  handle: ThreadHandle,
  run: ExecRun,
  { begin, lastMessagePath }: OneTurn,
): Promise<ExitCode> {
  const ended = Promise.withResolvers<TurnEnd>()
  let lastMessage = ''
  const view = viewOf(run, handle)
  using _listening = handle.listen((event) => {
    view(event)
    if (event.type === 'itemCompleted' && event.item.type === 'agentMessage') {
      lastMessage = event.item.text
    }
    if (event.type === 'turnCompleted') ended.resolve(event)
  })
  using stop = new StopSignals(() => handle.interrupt())
  for (const { place, reason } of handle.damage) {
    process.stderr.write(`warning: ${place} ${reason}; everything else was read\n`)
  }
  await begin()
  const end = await ended.promise
  await handle.close()
  if (!run.isJson && !process.stdout.isTTY && end.status === 'completed') {
    process.stdout.write(`${lastMessage}\n`)
  }
  if (lastMessagePath !== undefined) writeFileSync(lastMessagePath, lastMessage)
  if (end.status === 'completed') return EXIT.ok
  const exitCode = end.status === 'interrupted' ? stop.exitCode : EXIT.failed
  // A person has been told as it happened; a script is told as of any other failure.
  if (!run.isJson) return exitCode
  const message = end.error?.message ?? `the turn was ${end.status}`
  throw new CliError(exitCode, message, { reason: end.error?.cause })
}

/** JSON lines, or words for a person; without a terminal standard output gets only the answer. */
function viewOf(run: ExecRun, handle: ThreadHandle): (event: SessionEvent) => void {
  if (run.isJson) {
    const writer = new ExecEventWriter((line) => process.stdout.write(line))
    writer.threadStarted(handle.threadId)
    return (event) => writer.accept(event)
  }
  const progress = new Terminal(process.stderr, run.color)
  const { model, modelProvider, cwd, sandboxPolicy } = handle.settings
  progress.line(`thread ${handle.threadId}`)
  progress.line(`${model} (${modelProvider}) in ${cwd}, sandbox ${sandboxPolicy.type}`)
  const answers = process.stdout.isTTY ? new Terminal(process.stdout, run.color) : progress
  const printer = new TurnPrinter(progress, answers)
  return (event) => printer.accept(event)
}

/** The first signal asks the turn to end, the second ends the process. */
class StopSignals implements Disposable {
  exitCode: ExitCode = EXIT.interrupted
  readonly #stop: () => Promise<void>
  #isStopping = false
  readonly #onInterrupt = () => this.#signalled(EXIT.interrupted)
  readonly #onTerminate = () => this.#signalled(EXIT.terminated)
  /** The reader of our output has gone: nobody waits for the rest. */
  readonly #onOutputError = () => this.#signalled(EXIT.failed)

  constructor(stop: () => Promise<void>) {
    this.#stop = stop
    process.on('SIGINT', this.#onInterrupt)
    process.on('SIGTERM', this.#onTerminate)
    process.on('SIGHUP', this.#onTerminate)
    process.stdout.on('error', this.#onOutputError)
  }

  #signalled(exitCode: ExitCode): void {
    this.exitCode = exitCode
    if (this.#isStopping && exitCode !== EXIT.failed) process.exit(exitCode)
    this.#isStopping = true
    void this.#stop()
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#onInterrupt)
    process.off('SIGTERM', this.#onTerminate)
    process.off('SIGHUP', this.#onTerminate)
  }
}
