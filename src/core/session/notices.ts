/** Storage may have something to say before there is a session to say it. */
export class Notices {
  #early: string[] = []
  #tell: ((message: string) => void) | undefined

  readonly hear = (message: string): void => {
    if (this.#tell) this.#tell(message)
    else this.#early.push(message)
  }

  follow(tell: (message: string) => void): void {
    this.#tell = tell
    for (const message of this.#early.splice(0)) tell(message)
  }
}
