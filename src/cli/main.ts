import { APP_SERVER_DEFAULTS } from './app-server-defaults.ts'
import { EXIT } from './exit-codes.ts'

/** `| head` closes our output: that is an end, not an error. `exec` has a turn to end first. */
function endWithOutput(error: Error): void {
  if (!('code' in error) || error.code !== 'EPIPE') throw error
  if (process.stdout.listenerCount('error') === 1) process.exit(EXIT.ok)
}

/** Runs the command line; sets the process's exit code. */
export async function main(args: readonly string[]): Promise<void> {
  process.stdout.on('error', endWithOutput)
  try {
    await run(args)
  } catch (error) {
    const { errorLine, wantsJson } = await import('./cli-error.ts')
    const { toCliError } = await import('./to-cli-error.ts')
    const failure = toCliError(error)
    process.stderr.write(errorLine(failure, wantsJson(args)))
    process.exitCode = failure.exitCode
  }
}

async function run(args: readonly string[]): Promise<void> {
  // What programs start and wait for: reading the words would take a third of their time.
  if (args.length === 1 && args[0] === 'app-server') {
    const { runAppServer } = await import('./commands/app-server.ts')
    process.exitCode = await runAppServer(APP_SERVER_DEFAULTS)
    return
  }
  const { runProgram } = await import('./program.ts')
  await runProgram(args)
}
