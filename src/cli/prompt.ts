import { fstatSync } from 'node:fs'
import { CliError } from './cli-error.ts'
import { EXIT } from './exit-codes.ts'

/** The task: the word given, standard input for `-` or no word, or both when both are there. */
export async function readPrompt(word: string | undefined, hasImages: boolean): Promise<string> {
  if (word !== undefined && word !== '-') {
    const piped = isPiped() ? await readInput('Reading additional input from stdin...') : ''
    return piped.trim() === '' ? word : `${word}\n\n<stdin>\n${piped}\n</stdin>`
  }
  if (word === undefined && process.stdin.isTTY) {
    throw new CliError(EXIT.usage, 'no prompt', 'give it as an argument or on standard input')
  }
  const text = await readInput('Reading prompt from stdin...')
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

async function readInput(notice: string): Promise<string> {
  process.stderr.write(`${notice}\n`)
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
