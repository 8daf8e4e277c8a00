/**
 * Scripts that Bobbin cannot play yet, by name, and what they wait for. A script that passes has to
 * be taken off this list: its test says so.
 */
const APPROVALS = 'approvals are asked for'
const ROLLBACK = '`ThreadHandle.rollBack`'
const FORK = '`ThreadManager.fork`'
const SETTINGS = '`ThreadHandle.updateSettings`, and settings of `startTurn`'
const REVIEW = '`ThreadHandle.startReview`'
const DYNAMIC = 'tools of the client'
const SHELL = '`ThreadHandle.runShellCommand`'

export const PENDING: { readonly [script: string]: string } = {
  'a command approved': APPROVALS,
  'a command declined': APPROVALS,
  'a command cancelled': APPROVALS,
  'a command approved for the session is not asked for again': APPROVALS,
  'a command approved for good': APPROVALS,
  'two questions open at once': APPROVALS,
  'an escalation where nobody is asked': 'escalation is refused by policy',
  'an escalation that a person approves': APPROVALS,
  'a patch approved': APPROVALS,
  'a patch declined': APPROVALS,
  'a patch cancelled': APPROVALS,
  'a patch approved for the session is not asked for again': APPROVALS,
  'interrupted while a command waits for approval': APPROVALS,
  'interrupted while a patch waits for approval': APPROVALS,
  'rolled back by one turn, then a turn': ROLLBACK,
  'rolled back, then resumed by another process': ROLLBACK,
  'rolled back by more turns than there are': ROLLBACK,
  'rolled back over steered words': ROLLBACK,
  'rolled back by none, and in the middle of a turn': ROLLBACK,
  'forked, and both go on': FORK,
  'forked in the middle of a turn': FORK,
  'forked with another model, after tools': FORK,
  'forked, then rolled back': FORK,
  'a model and an effort from one turn on': SETTINGS,
  'a folder from one turn on': SETTINGS,
  'permissions from one turn on': SETTINGS,
  'settings changed between turns': SETTINGS,
  'settings changed in the middle of a turn': SETTINGS,
  'metadata of the client for one turn': '`clientMetadata` of `startTurn`',
  'a review with a finding': REVIEW,
  'a review that is no JSON': REVIEW,
  'a review of what is not committed': REVIEW,
  'a review of a commit': REVIEW,
  'a review that runs a command': REVIEW,
  'a review interrupted': REVIEW,
  'a tool of the client': DYNAMIC,
  'a tool of the client with several answers': DYNAMIC,
  'a tool of the client that fails': DYNAMIC,
  'a tool of the client that the model is not told of': DYNAMIC,
  'tools of the client after a resume': DYNAMIC,
  'interrupted while the client works': DYNAMIC,
  'two tools of the client with one name': DYNAMIC,
  "a person's own command": SHELL,
  "a person's own command beside a turn": SHELL,
  'a picture that the model looks at, and one that is not there': '`view_image`',
  'a question to the person outside of planning': '`request_user_input`',
  'failed: the context is too long': 'a full window is noted, and condensed before the next turn',
}
