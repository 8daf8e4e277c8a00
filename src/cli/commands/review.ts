import type { ReviewTarget } from '../../protocol/index.ts'
import { CliError } from '../cli-error.ts'
import { composeManager, openStore } from '../compose.ts'
import { type ExecFlags, prepareExec } from '../exec-options.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { runOneTurn } from '../one-turn.ts'
import { requireModelAccess } from './exec.ts'

export interface ReviewFlags extends Omit<ExecFlags, 'image' | 'outputSchema' | 'last'> {
  readonly uncommitted?: boolean
  readonly base?: string
  readonly commit?: string
  readonly title?: string
}

/** Reviews changes in a new thread, and answers the exit code. */
export async function runReview(
  instructions: string | undefined,
  flags: ReviewFlags,
): Promise<ExitCode> {
  const target = targetOf(instructions, flags)
  const run = prepareExec({ ...flags, image: [] }, process.env)
  requireModelAccess(run)
  const { config, origin, settings } = run
  const isEphemeral = flags.ephemeral === true
  await using store = openStore(config.home, 'bobbin review', config.durability)
  await using manager = composeManager({
    config,
    environment: process.env,
    store,
    origin,
    isEphemeral,
  })
  const handle = await manager.start({ settings, isEphemeral })
  const begin = () => handle.startReview(target)
  // Awaited here: returning the promise would dispose the manager under the running turn.
  return await runOneTurn(handle, run, { begin, lastMessagePath: flags.outputLastMessage })
}

function targetOf(instructions: string | undefined, flags: ReviewFlags): ReviewTarget {
  const { uncommitted, base, commit, title } = flags
  const chosen = [instructions, uncommitted, base, commit].filter((each) => each !== undefined)
  if (chosen.length > 1) {
    const remedy = 'give one of INSTRUCTIONS, --uncommitted, --base, --commit'
    throw new CliError(EXIT.usage, 'there is more than one thing to review', remedy)
  }
  if (title !== undefined && commit === undefined) {
    throw new CliError(EXIT.usage, '--title goes with --commit')
  }
  if (instructions !== undefined) return { type: 'custom', instructions }
  if (base !== undefined) return { type: 'baseBranch', branch: base }
  if (commit !== undefined) return { type: 'commit', sha: commit, title: title ?? null }
  return { type: 'uncommittedChanges' }
}
