import type { Clock } from '../../base/index.ts'
import type { ThreadManager } from '../../core/index.ts'
import type { AppServer } from '../app-server.ts'
import type { Transport, TransportEnd } from './transport.ts'

/** Wishes of whoever runs the server: the first lets running turns end, the second does not. */
export interface StopWishes {
  readonly drain: Promise<void>
  readonly now: Promise<void>
}

export interface ServeOptions {
  readonly server: AppServer
  readonly transport: Transport
  readonly wishes: StopWishes
  /** How long running turns may go on once the server is to stop. */
  readonly drainMs: number
  readonly clock: Clock
  readonly log: (line: string) => void
}

/** How long interrupted turns may take to end and to be kept. */
const CLOSE_LIMIT_MS = 8000

/** How long requests may take that are being served. Some never end by themselves. */
const ANSWER_LIMIT_MS = 1000

const LOOK_AGAIN_MS = 1000

/**
 * Serves until the transport ends or somebody wishes it. Then everything is in order: turns have
 * ended and are kept, clients have been told. Does not take longer than the limits say.
 */
export async function serveUntilStopped(options: ServeOptions): Promise<TransportEnd> {
  const { server, transport, wishes, clock, log } = options
  const wished = Promise.race([wishes.drain, wishes.now]).then(() => undefined)
  const end = await Promise.race([transport.ended, wished])
  if (end?.isFailure) log(end.reason)
  if (!end) await drain(options)
  const runtime = await server.loaded()
  const report = await runtime?.manager.shutDown(CLOSE_LIMIT_MS)
  await within(clock, ANSWER_LIMIT_MS, () => server.settled())
  await transport.close()
  for (const { threadId } of report?.failed ?? [])
    log(`thread ${threadId} could not be saved whole`)
  for (const threadId of report?.timedOut ?? []) log(`thread ${threadId} did not end in time`)
  return end ?? { reason: 'it was asked to stop', isFailure: false }
}

/** Resolves when nothing runs, nobody is left who could wait for it, or the time is over. */
async function drain(options: ServeOptions): Promise<void> {
  const { server, transport, wishes, drainMs, clock, log } = options
  const runtime = await server.loaded()
  if (!runtime) return
  if (server.isBusy) {
    log(`stopping when the running turns have ended, in ${drainMs / 1000} s at the latest;`)
    log('a second signal interrupts them')
  }
  await within(clock, drainMs, (signal) => {
    const idle = async () => {
      do {
        await untilIdle(server, runtime.manager, clock, signal)
        await within(clock, ANSWER_LIMIT_MS, () => server.settled())
      } while (server.isBusy && !signal.aborted)
    }
    return Promise.race([idle(), transport.ended, wishes.now])
  })
}

async function untilIdle(
  server: AppServer,
  manager: ThreadManager,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (server.isBusy && !signal.aborted) {
    using watching = new DisposableStack()
    const ended = new Promise<void>((told) => {
      for (const handle of manager.list()) {
        const hear = handle.listen(({ type }) => type === 'turnCompleted' && told())
        watching.use(hear)
      }
    })
    // A turn that could not begin tells no end.
    await Promise.race([ended, clock.sleep(LOOK_AGAIN_MS, signal).catch(() => undefined)])
  }
}

/** Waits for the work, or for the time to be over; its signal then says so. */
async function within(
  clock: Clock,
  limitMs: number,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const waiting = new AbortController()
  const late = clock.sleep(limitMs, waiting.signal).catch(() => undefined)
  await Promise.race([work(waiting.signal), late])
  waiting.abort()
}
