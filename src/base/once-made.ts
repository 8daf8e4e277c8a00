/**
 * Something that takes time to make and is kept. Whoever asks while it is being made gets the same;
 * what could not be made is not kept: the next one to ask has it made again.
 */
export class OnceMade<T> {
  readonly #make: () => Promise<T>
  #made: Promise<T> | undefined

  constructor(make: () => Promise<T>) {
    this.#make = make
  }

  get(): Promise<T> {
    this.#made ??= this.#make().catch((error: unknown) => {
      this.#made = undefined
      throw error
    })
    return this.#made
  }

  /** Waits for what is being made; undefined when there is nothing. Never makes, never rejects. */
  async known(): Promise<T | undefined> {
    return await this.#made?.catch(() => undefined)
  }
}
