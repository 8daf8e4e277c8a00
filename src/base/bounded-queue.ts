/**
 * First in, first out, with a limit: the one place where work waits in memory. `push` waits while
 * the queue is full; iterating ends when the queue was closed and is empty. One consumer at a time.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #items: T[] = []
  readonly #capacity: number
  #isClosed = false
  #wakeConsumer: (() => void) | undefined
  #wakeProducers: (() => void)[] = []

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** Resolves when the item is queued; false when the queue was closed and the item dropped. */
  async push(item: T): Promise<boolean> {
    while (!this.#isClosed && this.#items.length >= this.#capacity) {
      await new Promise<void>((resolve) => this.#wakeProducers.push(resolve))
    }
    return this.tryPush(item)
  }

  /** Queues at once, or answers false: the queue is full or closed. */
  tryPush(item: T): boolean {
    if (this.#isClosed || this.#items.length >= this.#capacity) return false
    this.#items.push(item)
    this.#wakeConsumer?.()
    return true
  }

  /** No more items; those queued are still delivered. */
  close(): void {
    this.#isClosed = true
    this.#wakeConsumer?.()
    this.#releaseProducers()
  }

  /** The next item, or undefined once the queue is closed and empty. */
  async next(): Promise<T | undefined> {
    while (this.#items.length === 0) {
      if (this.#isClosed) return undefined
      await new Promise<void>((resolve) => {
        this.#wakeConsumer = resolve
      })
      this.#wakeConsumer = undefined
    }
    const item = this.#items.shift()
    this.#releaseProducers()
    return item
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const item = await this.next()
      if (item === undefined) return
      yield item
    }
  }

  #releaseProducers(): void {
    const waiting = this.#wakeProducers
    this.#wakeProducers = []
    for (const wake of waiting) wake()
  }
}
