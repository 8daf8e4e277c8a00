export type ExecFailure =
  | { code: 'unknown_process'; sessionId: number }
  | { code: 'stdin_closed' }
  | { code: 'spawn_failed'; reason: string }

/** Why a command could not be started, or a running one not be reached. */
export class ExecError extends Error {
  readonly failure: ExecFailure

  constructor(failure: ExecFailure, options?: ErrorOptions) {
    super(messageOf(failure), options)
    this.name = 'ExecError'
    this.failure = failure
  }
}

function messageOf(failure: ExecFailure): string {
  switch (failure.code) {
    case 'unknown_process':
      return `Unknown process id ${failure.sessionId}`
    case 'stdin_closed':
      return 'stdin is closed for this session; rerun exec_command with tty=true to keep stdin open'
    case 'spawn_failed':
      return `Failed to create unified exec process: ${failure.reason}`
  }
}
