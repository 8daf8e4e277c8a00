import { errorText } from '../../base/index.ts'
import type { PeerListener, PeerListenerOptions } from './peer-listener.ts'

/**
 * Lets other processes of the home serve the threads of this one, from the first thread on. Where
 * nothing can be offered, that is warned of, and others are refused.
 */
export class PeerOffer implements AsyncDisposable {
  readonly #options: PeerListenerOptions
  #opening: Promise<PeerListener | undefined> | undefined
  #isOpen = false

  constructor(options: PeerListenerOptions) {
    this.#options = options
  }

  /** Whether there is nothing to wait for. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Resolves when peers can connect, or when they cannot. */
  async open(): Promise<void> {
    this.#opening ??= this.#open()
    await this.#opening
    this.#isOpen = true
  }

  /** Says farewell to peers, and lets in no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#opening ??= Promise.resolve(undefined)
    const listener = await this.#opening
    await listener?.[Symbol.asyncDispose]()
  }

  async #open(): Promise<PeerListener | undefined> {
    try {
      const { PeerListener } = await import('./peer-listener.ts')
      return await PeerListener.open(this.#options)
    } catch (error) {
      process.emitWarning(`threads are not shared with other processes: ${errorText(error)}`)
      return undefined
    }
  }
}
