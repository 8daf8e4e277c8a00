import { backoffMs } from '../model/backoff.ts'
import { ModelError } from '../model/model-client.ts'
import { causeOf } from './cause.ts'
import type { TurnRun } from './turn-run.ts'

/**
 * A broken stream is tried again; clients are told each time. The first break of a kept connection
 * is not worth telling. When such a one keeps breaking, the session goes on over another transport,
 * and the count begins anew. Source: `reference/session-runtime.md` C7, C9.
 */
export async function withRetries<T>(run: TurnRun, work: () => Promise<T>): Promise<T> {
  const { services, signal } = run
  const { client, streamMaxRetries } = services.model
  for (let retry = 1; ; retry += 1) {
    try {
      return await work()
    } catch (error) {
      const mayRetry = error instanceof ModelError && error.isRetryable
      if (signal.aborted || !mayRetry) throw error
      if (retry > streamMaxRetries) {
        if (!client.fallBack()) throw error
        await tellFallBack(run, error)
        retry = 0
        continue
      }
      if (retry > 1 || !client.isKept) await tellRetry(run, error, `${retry}/${streamMaxRetries}`)
      await services.clock.sleep(error.retryAfterMs ?? backoffMs(retry), signal)
    }
  }
}

async function tellRetry(run: TurnRun, error: ModelError, count: string): Promise<void> {
  await run.opened
  const codexErrorInfo = { responseStreamDisconnected: { httpStatusCode: error.httpStatus } }
  const message = `Reconnecting... ${count}`
  const told = { message, codexErrorInfo, additionalDetails: error.message, ...causeOf(error) }
  run.recorder.tell({ type: 'error', turnId: run.turnId, error: told, willRetry: true })
}

async function tellFallBack(run: TurnRun, error: ModelError): Promise<void> {
  await run.opened
  const message = `Falling back from WebSockets to HTTPS transport. ${error.message}`
  run.recorder.tell({ type: 'warning', turnId: run.turnId, message })
}
