/**
 * Scripts that Bobbin cannot play yet, by name, and what they wait for. A script that passes has to
 * be taken off this list: its test says so.
 */
const SHELL = '`ThreadHandle.runShellCommand`'

export const PENDING: { readonly [script: string]: string } = {
  'an escalation where nobody is asked': 'escalation is refused where the policy is `never`',
  "a person's own command": SHELL,
  "a person's own command beside a turn": SHELL,
}
