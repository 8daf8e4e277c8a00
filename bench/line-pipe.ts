/** Lines between the processes of the bench, and one clock for all of them. */
import type { Readable } from 'node:stream'

/** Milliseconds since the epoch, with fractions; comparable between processes of one machine. */
export function unixMs(): number {
  return performance.timeOrigin + performance.now()
}

export function writeLine(text: string): void {
  process.stdout.write(`${text}\n`)
}

export async function* readLinesOf(stream: Readable): AsyncGenerator<string> {
  let rest = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}
