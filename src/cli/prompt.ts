import { fstatSync } from 'node:fs'
import { CliError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'

export interface PromptOptions {
  readonly hasImages: boolean
  /** Nobody waits at a terminal to be told what is waited for. */
  readonly isQuiet: boolean
}

/** The task: the word given, standard input for `-` or no word, or both when both are there. */
export async function readPrompt(
  word: string | undefined,
  { hasImages, isQuiet }: PromptOptions,
): Promise<string> {
  const tell = (notice: string) => {
    if (!isQuiet) process.stderr.write(`${notice}\n`)
  }
  if (word !== undefined && word !== '-') {
    const isMore = isPiped()
    if (isMore) tell('Reading additional input from stdin...')
    const piped = isMore ? await readInput() : ''
    return piped.trim() === '' ? word : `${word}\n\n<stdin>\n${piped}\n</stdin>`
  }
  if (word === undefined && process.stdin.isTTY) {
    throw new CliError(EXIT.usage, 'no prompt', 'give it as an argument or on standard input')
  }
  tell('Reading prompt from stdin...')
  const text = await readInput()
  if (text.trim() === '' && !hasImages) {
    throw new CliError(EXIT.usage, 'No prompt provided via stdin.', 'give it as an argument')
  }
  return text
}

/** A terminal or `/dev/null` has nothing to add to a prompt that was given. */
function isPiped(): boolean {
  try {
    const stat = fstatSync(0)
    return stat.isFIFO() || stat.isFile() || stat.isSocket()
  } catch {
    // No standard input at all.
    return false
  }
}

async function readInput(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
