/**
 * A patch that cannot be applied as it stands.
 * `message` is the reason alone, `modelText` the whole of what the model reads.
 */
export class PatchError extends Error {
  /** `rejected`: the patch was never looked at in detail, and the reason stands for itself. */
  readonly failure: 'verification' | 'rejected'

  constructor(
    message: string,
    { failure = 'verification', cause }: { failure?: PatchError['failure']; cause?: unknown } = {},
  ) {
    super(message, { cause })
    this.name = 'PatchError'
    this.failure = failure
  }

  get modelText(): string {
    if (this.failure === 'rejected') return this.message
    return `apply_patch verification failed: ${this.message}`
  }
}
