import { resolve } from 'node:path'
import { type Clock, isObject, type Json, type JsonObject, stringAt } from '../../base/index.ts'
import type { ThreadManager } from '../../core/index.ts'
import { parseThreadId, type ThreadId } from '../../protocol/index.ts'
import { findWriter, type ThreadStore } from '../../thread-store/index.ts'
import type { Connection } from '../connection.ts'
import { isPeer, notLoadedHere } from '../peer-client.ts'
import { RpcError, type RpcRequest } from '../protocol/jsonrpc.ts'
import type { ServerRequests } from '../server-requests.ts'
import type { PeerLink } from './peer-link.ts'
import { peerSocketsOf, removeStalePeerSocket } from './peer-sockets.ts'

export interface RequestForwarderOptions {
  readonly home: string
  /** Where this process may listen for its peers. */
  readonly peerSocket: string
  readonly cwd: string
  readonly version: string
  readonly clock: Clock
  readonly manager: Pick<ThreadManager, 'get'>
  readonly store: Pick<ThreadStore, 'readThread'>
  readonly requests: ServerRequests
  /** Tells every client here that is no peer. */
  readonly tellAll: (method: string, params: JsonObject) => void
}

type ThreadRequest = Omit<RpcRequest, 'params'> & { readonly params: JsonObject }

/** Done here even for a thread of another process: it makes a thread of this one. */
const OURS: ReadonlySet<string> = new Set(['thread/fork'])

/** Read from the files, unless a client watches the thread: the owner may know more. */
const READS: ReadonlySet<string> = new Set([
  'thread/read',
  'thread/turns/list',
  'thread/turns/items/list',
  'thread/items/list',
  'thread/goal/get',
])

/** Nothing was changed by one that was not answered. */
const REPEATABLE: ReadonlySet<string> = new Set([...READS, 'thread/resume', 'thread/unsubscribe'])

/** A peer that did not answer in time is left alone for so long. */
const GRUDGE_MS = 10_000
const MOST_LINKS = 64

/** How long the lease of a peer that has ended is waited for. */
const RELEASE_LIMIT_MS = 2000
const LOOK_EVERY_MS = 20

/**
 * Passes requests for threads that another process of the home has open on to that process. What a
 * peer asks is never passed on again.
 */
export class RequestForwarder implements AsyncDisposable {
  readonly #options: RequestForwarderOptions
  readonly #links = new Map<string, PeerLink>()
  readonly #opening = new Map<string, Promise<PeerLink | undefined>>()
  /** Until when these sockets are left alone. */
  readonly #silentUntilMs = new Map<string, number>()
  /** Processes that we were linked to, and are not any more. */
  readonly #formerPids = new Set<number>()
  #isDisposed = false

  constructor(options: RequestForwarderOptions) {
    this.#options = options
  }

  /**
   * Undefined, or a promise of false, is for the caller to serve; with true the client has its
   * answer. Throws `RpcError`, as the promise does.
   */
  tryForward(connection: Connection, request: RpcRequest): Promise<boolean> | undefined {
    const { method, params } = request
    if (isPeer(connection)) return this.#checkPeer(request)
    if (!isObject(params) || OURS.has(method) || this.#isDisposed) return undefined
    const path = method === 'thread/resume' ? stringAt(params, 'path') : undefined
    const isNew = method === 'thread/resume' && Array.isArray(params.history)
    if (isNew) return undefined
    if (path) return this.#forwardByPath(connection, { ...request, params }, path)
    const threadId = parseThreadId(stringAt(params, 'threadId') ?? '')
    return threadId && this.#forwardTo(threadId, connection, { ...request, params })
  }

  /** The client has gone. */
  forget(connection: Connection): void {
    for (const link of this.#links.values()) link.forget(connection)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    await Promise.all(this.#opening.values())
    await Promise.all([...this.#links.values()].map((link) => link[Symbol.asyncDispose]()))
  }

  /** A peer has come for a thread that is loaded here, and for nothing else. */
  #checkPeer({ params }: RpcRequest): undefined {
    const text = isObject(params) ? (stringAt(params, 'threadId') ?? '') : ''
    const threadId = parseThreadId(text)
    if (!threadId || !this.#options.manager.get(threadId)) throw notLoadedHere(text)
    return undefined
  }

  async #forwardByPath(
    connection: Connection,
    request: ThreadRequest,
    path: string,
  ): Promise<boolean> {
    const rolloutPath = resolve(this.#options.cwd, path)
    // Where it cannot be read, whoever serves it says why.
    const stored = await this.#options.store.readThread({ rolloutPath }).catch(() => undefined)
    if (!stored) return false
    const params = { ...request.params, threadId: stored.threadId, path: rolloutPath }
    return (await this.#forwardTo(stored.threadId, connection, { ...request, params })) ?? false
  }

  #forwardTo(
    threadId: ThreadId,
    connection: Connection,
    request: ThreadRequest,
  ): Promise<boolean> | undefined {
    const { manager, home } = this.#options
    if (manager.get(threadId)) return undefined
    const routed = [...this.#links.values()].find((link) => link.has(threadId))
    const forwarded = { connection, request: withOurPaths(request, this.#options.cwd), threadId }
    if (routed) return this.#overLinks([routed], routed.pid, forwarded)
    if (!isForOwner(request.method)) return undefined
    const pid = findWriter(home, threadId)?.pid
    if (!pid) return undefined
    return this.#linksTo(pid).then((links) => this.#overLinks(links, pid, forwarded))
  }

  async #overLinks(
    links: readonly PeerLink[],
    pid: number,
    forwarded: Parameters<PeerLink['forward']>[0] & { readonly threadId: ThreadId },
  ): Promise<boolean> {
    const { connection, request, threadId } = forwarded
    let isLettingGo = this.#formerPids.has(pid)
    for (const link of links) {
      const outcome = await link.forward(forwarded)
      if (link.end !== 'silent') isLettingGo = true
      if (outcome === 'answered') return true
      if (outcome === 'ended' && !REPEATABLE.has(request.method)) {
        const message = `process ${pid}, which has thread ${threadId} open, has not answered`
        connection.fail(request.id, new RpcError('internal', message))
        return true
      }
    }
    if (request.method === 'thread/resume' && isLettingGo) {
      await this.#untilReleased(threadId, pid)
    }
    return false
  }

  async #linksTo(pid: number): Promise<PeerLink[]> {
    const paths = peerSocketsOf(this.#options.home, pid).filter(
      (path) => path !== this.#options.peerSocket,
    )
    const links = await Promise.all(paths.map((path) => this.#linkTo(path)))
    return links.filter((link) => link !== undefined)
  }

  async #linkTo(path: string): Promise<PeerLink | undefined> {
    const known = this.#links.get(path) ?? this.#opening.get(path)
    if (known) return await known
    const nowMs = this.#options.clock.monotonicMs()
    if ((this.#silentUntilMs.get(path) ?? nowMs) > nowMs) return undefined
    if (this.#isDisposed || this.#links.size + this.#opening.size >= MOST_LINKS) return undefined
    const opening = this.#open(path).finally(() => this.#opening.delete(path))
    this.#opening.set(path, opening)
    return await opening
  }

  async #open(path: string): Promise<PeerLink | undefined> {
    const { clock, version, requests, tellAll } = this.#options
    const onEnd = (link: PeerLink, end: string) => {
      if (this.#links.get(path) !== link) return
      this.#links.delete(path)
      if (end === 'silent') this.#leaveAlone(path)
      else this.#formerPids.add(link.pid)
    }
    const { PeerLink } = await import('./peer-link.ts')
    const link = await PeerLink.open({ path, clock, version, requests, tellAll, onEnd })
    if (link === 'refused') removeStalePeerSocket(path)
    if (link === 'silent') this.#leaveAlone(path)
    if (typeof link === 'string' || link.end) return undefined
    this.#links.set(path, link)
    this.#formerPids.delete(link.pid)
    return link
  }

  #leaveAlone(path: string): void {
    this.#silentUntilMs.set(path, this.#options.clock.monotonicMs() + GRUDGE_MS)
  }

  /** It lets go of its socket, and of its threads, one after the other. */
  async #untilReleased(threadId: ThreadId, pid: number): Promise<void> {
    const { home, clock } = this.#options
    for (let waitedMs = 0; waitedMs < RELEASE_LIMIT_MS; waitedMs += LOOK_EVERY_MS) {
      if (findWriter(home, threadId)?.pid !== pid) return
      await clock.sleep(LOOK_EVERY_MS)
    }
  }
}

function isForOwner(method: string): boolean {
  return /^(thread|turn|review)\//.test(method) && !READS.has(method)
}

/** The owner has another folder that relative paths are taken from. */
function withOurPaths(request: ThreadRequest, cwd: string): RpcRequest {
  const given: Json | undefined = request.params.cwd
  if (typeof given !== 'string') return request
  return { ...request, params: { ...request.params, cwd: resolve(cwd, given) } }
}
