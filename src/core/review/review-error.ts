export type ReviewFailure =
  | { code: 'empty' | 'too_long'; field: 'branch' | 'sha' | 'instructions' | 'title' }
  | { code: 'not_a_repository' | 'git_unavailable'; directory: string }
  | { code: 'unknown_branch' | 'no_common_commit'; branch: string }
  | { code: 'unknown_commit'; sha: string }

/** Why there is nothing to review. The message is for the person who asked. */
export class ReviewError extends Error {
  override readonly name = 'ReviewError'
  readonly failure: ReviewFailure

  constructor(failure: ReviewFailure) {
    super(messageOf(failure))
    this.failure = failure
  }
}

function messageOf(failure: ReviewFailure): string {
  switch (failure.code) {
    case 'empty':
      return `${failure.field} must not be empty`
    case 'too_long':
      return `${failure.field} is too long`
    case 'not_a_repository':
      return `"${failure.directory}" is not a git repository`
    case 'git_unavailable':
      return `git does not work in "${failure.directory}": run \`git status\` there to see why`
    case 'unknown_branch':
      return `there is no branch '${failure.branch}' to compare with, here or at origin`
    case 'no_common_commit':
      return `what is checked out has no commit in common with '${failure.branch}'`
    case 'unknown_commit':
      return `'${failure.sha}' is not the name of one commit in this repository`
  }
}
