/** Storage and tools may have something to say before there is a session to say it. */
export class Early<T> {
  #early: T[] = []
  #tell: ((said: T) => void) | undefined

  readonly hear = (said: T): void => {
    if (this.#tell) this.#tell(said)
    else this.#early.push(said)
  }

  follow(tell: (said: T) => void): void {
    this.#tell = tell
    for (const said of this.#early.splice(0)) tell(said)
  }
}
