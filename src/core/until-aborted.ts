/** `work`, or the signal's reason when it aborts first; the work goes on then. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // When the signal wins, nobody waits for a failure of the work.
  work.catch(() => undefined)
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
