import { writeFileSync } from 'node:fs'
import { extname } from 'node:path'
import { errorText } from '../../base/index.ts'
import { foldTurns } from '../../history/index.ts'
import type { RolloutItem } from '../../protocol/index.ts'
import type { StoredThread } from '../../thread-store/index.ts'
import { CliError } from '../cli-error.ts'
import { openHomeStore } from '../compose.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { wantedThread } from '../find-thread.ts'
import { threadHtml } from '../output/html.ts'
import { threadMarkdown } from '../output/markdown.ts'
import { SCHEMA_VERSION } from '../output/thread-json.ts'

export interface ExportFlags {
  readonly format?: string
  readonly json?: boolean
  readonly output?: string
  readonly last?: boolean
}

const FORMATS = ['markdown', 'html', 'jsonl'] as const
type Format = (typeof FORMATS)[number]

const FORMAT_OF_ENDING: { readonly [ending: string]: Format } = {
  '.md': 'markdown',
  '.markdown': 'markdown',
  '.txt': 'markdown',
  '.text': 'markdown',
  '.html': 'html',
  '.htm': 'html',
  '.jsonl': 'jsonl',
}

/** What was asked for, else what the file's name tells, else Markdown. */
function formatOf({ format, output }: ExportFlags): Format {
  if (format === undefined) {
    const ending = extname(output ?? '').toLowerCase()
    const told = FORMAT_OF_ENDING[ending]
    if (told || ending === '') return told ?? 'markdown'
    const remedy = `name it .md, .html or .jsonl, or give --format ${FORMATS.join(', ')}`
    throw new CliError(EXIT.usage, `--output ${output}: no format has this ending`, remedy)
  }
  const known = FORMATS.find((each) => each === format)
  if (known) return known
  const remedy = `give one of ${FORMATS.join(', ')}`
  throw new CliError(EXIT.usage, `--format ${format}: there is no such format`, remedy)
}

/**
 * Writes a thread as a document, or as the items of its log, to a file or standard output; with
 * `--json` standard output gets one object instead, with the document unless a file has it.
 */
export async function runThreadsExport(
  id: string | undefined,
  flags: ExportFlags,
): Promise<ExitCode> {
  const format = formatOf(flags)
  await using store = openHomeStore()
  const threadId = await wantedThread(store, id, flags.last === true)
  const { thread, items, damage } = await store.loadHistory(threadId)
  for (const { place, reason } of damage) {
    process.stderr.write(`warning: ${place} ${reason}; everything else is exported\n`)
  }
  const text = textIn(format, thread, items)
  const { output = null } = flags
  if (output !== null) writeDocument(output, text)
  else if (!flags.json) process.stdout.write(text)
  if (flags.json) {
    const document = output === null ? text : null
    const told = { schemaVersion: SCHEMA_VERSION, id: threadId, format, output, document, damage }
    process.stdout.write(`${JSON.stringify(told)}\n`)
  }
  return EXIT.ok
}

function textIn(format: Format, thread: StoredThread, items: readonly RolloutItem[]): string {
  if (format === 'jsonl') return items.map((item) => `${JSON.stringify(item)}\n`).join('')
  const turns = foldTurns(items)
  return format === 'html' ? threadHtml(thread, turns) : threadMarkdown(thread, turns)
}

function writeDocument(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600 })
  } catch (error) {
    const remedy = 'give -o a file in a folder that can be written to'
    throw new CliError(EXIT.usage, `--output ${path}: ${errorText(error)}`, remedy)
  }
}
