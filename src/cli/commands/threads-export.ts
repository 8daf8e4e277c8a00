import { writeFileSync } from 'node:fs'
import { foldTurns } from '../../history/index.ts'
import { CliError } from '../cli-error.ts'
import { openHomeStore } from '../compose.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { wantedThread } from '../find-thread.ts'
import { threadMarkdown } from '../output/markdown.ts'

export interface ExportFlags {
  readonly format: string
  readonly output?: string
  readonly last?: boolean
}

/** Writes a thread as a document, or as the items of its log, to a file or standard output. */
export async function runThreadsExport(
  id: string | undefined,
  flags: ExportFlags,
): Promise<ExitCode> {
  const { format } = flags
  if (format !== 'markdown' && format !== 'jsonl') {
    throw new CliError(EXIT.usage, `--format ${format}: not one of markdown, jsonl`)
  }
  await using store = openHomeStore()
  const threadId = await wantedThread(store, id, flags.last === true)
  const thread = await store.readThread(threadId)
  const { items, damage } = await store.loadHistory(threadId)
  for (const { place, reason } of damage) {
    process.stderr.write(`warning: ${place} ${reason}; everything else is exported\n`)
  }
  const text =
    format === 'markdown'
      ? threadMarkdown(thread, foldTurns(items))
      : items.map((item) => `${JSON.stringify(item)}\n`).join('')
  if (flags.output === undefined) process.stdout.write(text)
  else writeFileSync(flags.output, text, { mode: 0o600 })
  return EXIT.ok
}
