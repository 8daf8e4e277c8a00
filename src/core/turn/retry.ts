import { backoffMs } from '../model/backoff.ts'
import { ModelError } from '../model/model-client.ts'
import type { TurnRun } from './turn-run.ts'

/** A broken stream is tried again; clients are told each time. */
export async function withRetries<T>(run: TurnRun, work: () => Promise<T>): Promise<T> {
  const { recorder, services, signal, turnId } = run
  const most = services.model.streamMaxRetries
  for (let retry = 1; ; retry += 1) {
    try {
      return await work()
    } catch (error) {
      const mayRetry = error instanceof ModelError && error.isRetryable && retry <= most
      if (signal.aborted || !mayRetry) throw error
      await run.opened
      const codexErrorInfo = { responseStreamDisconnected: { httpStatusCode: error.httpStatus } }
      const message = `Reconnecting... ${retry}/${most}`
      const told = { message, codexErrorInfo, additionalDetails: error.message }
      recorder.tell({ type: 'error', turnId, error: told, willRetry: true })
      await services.clock.sleep(error.retryAfterMs ?? backoffMs(retry), signal)
    }
  }
}
