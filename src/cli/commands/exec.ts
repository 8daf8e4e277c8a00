import { resolve } from 'node:path'
import { requireProvider, requireToken } from '../../config/index.ts'
import type { ThreadHandle, ThreadManager } from '../../core/index.ts'
import type { ThreadId, UserInput } from '../../protocol/index.ts'
import type { ThreadStore } from '../../thread-store/index.ts'
import { CliError } from '../cli-error.ts'
import { composeManager, openStore } from '../compose.ts'
import { type ExecFlags, type ExecRun, prepareExec } from '../exec-options.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { findThread, lastThread } from '../find-thread.ts'
import { runOneTurn } from '../one-turn.ts'
import { readPrompt } from '../prompt.ts'

/** Runs one turn and answers the exit code. Data goes to standard output, the rest to error. */
export async function runExec(words: string[], flags: ExecFlags): Promise<ExitCode> {
  const target = parseWords(words, flags)
  const run = prepareExec(flags, process.env)
  if (!target.isResume) requireModelAccess(run)
  const { config, origin, settings } = run
  const isEphemeral = flags.ephemeral === true
  await using store = openStore(config.home, 'bobbin exec', config.durability)
  const threadId = target.isResume ? await targetThread(store, target, settings.cwd) : undefined
  await using manager = composeManager({
    config,
    environment: process.env,
    store,
    origin,
    isEphemeral,
  })
  const handle = threadId
    ? await resume(manager, run, flags, threadId)
    : await manager.start({ settings, isEphemeral })
  const prompt = await readPrompt(target.prompt, {
    hasImages: flags.image.length > 0,
    isQuiet: run.isJson,
  })
  const input: UserInput[] = prompt === '' ? [] : [{ type: 'text', text: prompt }]
  for (const path of flags.image) input.push({ type: 'localImage', path: resolve(path) })
  // Awaited here: returning the promise would dispose the manager under the running turn.
  const options = run.outputSchema ? { outputSchema: run.outputSchema } : {}
  const begin = () => handle.startTurn(input, options)
  return await runOneTurn(handle, run, { begin, lastMessagePath: flags.outputLastMessage })
}

interface Target {
  readonly isResume: boolean
  readonly id: string | undefined
  readonly isLast: boolean
  readonly prompt: string | undefined
}

function parseWords(words: readonly string[], flags: ExecFlags): Target {
  const isLast = flags.last === true
  const isResume = words[0] === 'resume'
  if (isLast && !isResume) {
    throw new CliError(EXIT.usage, '--last goes with resume', 'bobbin exec resume --last PROMPT')
  }
  if (isResume && flags.ephemeral) {
    const remedy = 'leave --ephemeral out, or start a new thread'
    throw new CliError(EXIT.usage, '--ephemeral does not go with resume', remedy)
  }
  const rest = isResume ? words.slice(1) : words
  const id = isResume && !isLast ? rest[0] : undefined
  const prompts = id === undefined ? rest : rest.slice(1)
  if (isResume && !isLast && id === undefined) {
    throw new CliError(EXIT.usage, 'resume needs a thread', 'give its id or name, or --last')
  }
  if (prompts.length > 1) {
    throw new CliError(EXIT.usage, `unexpected argument \`${prompts[1]}\``, 'quote the prompt')
  }
  return { isResume, id, isLast, prompt: prompts[0] }
}

/** A missing provider or key is told before anything else is done. */
export function requireModelAccess({ config }: ExecRun): void {
  const provider = requireProvider(config.providers, config.modelProvider)
  requireToken(provider, config.home, process.env)
}

function targetThread(store: ThreadStore, target: Target, cwd: string) {
  return target.id === undefined ? lastThread(store, cwd) : findThread(store, target.id)
}

async function resume(
  manager: ThreadManager,
  { config, settings }: ExecRun,
  flags: ExecFlags,
  threadId: ThreadId,
): Promise<ThreadHandle> {
  const isModelGiven = flags.model !== undefined || config.isModelOverridden
  return manager.resume({
    threadId,
    defaults: settings,
    overrides: {
      ...(isModelGiven ? { model: settings.model } : {}),
      ...(config.isModelProviderOverridden ? { modelProvider: config.modelProvider } : {}),
      ...(config.isEffortOverridden && settings.effort ? { effort: settings.effort } : {}),
    },
  })
}
