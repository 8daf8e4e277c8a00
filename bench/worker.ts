/** The other end of `WorkerProcess`. */
import { errorText, isObject, type JsonObject } from '../src/base/index.ts'
import { readLinesOf, writeLine } from './line-pipe.ts'

/** Answers each question of standard input, one after the other, until that ends. */
export async function answerQuestions(
  answer: (question: JsonObject) => Promise<JsonObject>,
): Promise<void> {
  for await (const line of readLinesOf(process.stdin)) {
    const question: unknown = JSON.parse(line)
    try {
      writeLine(JSON.stringify(await answer(isObject(question) ? question : {})))
    } catch (error) {
      writeLine(JSON.stringify({ error: errorText(error) }))
    }
  }
}

/** Milliseconds that the work takes, and what it answers. */
export async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const fromMs = performance.now()
  const value = await work()
  return { ms: performance.now() - fromMs, value }
}
