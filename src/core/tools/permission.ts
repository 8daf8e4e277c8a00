import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'
import { errorCode, isObject, shellQuote } from '../../base/index.ts'
import type { ApprovalPolicy } from '../../protocol/index.ts'
import { PROTECTED_FOLDERS, writableRoots } from '../context/permissions.ts'
import type { SessionSettings } from '../settings.ts'
import { proposedRule } from './approval-rule.ts'
import { type CommandSegment, segmentsOf } from './command-segments.ts'
import { matchRules, type RuleMatch, type RuleSet } from './exec-policy/index.ts'
import { isConfining } from './sandbox/index.ts'

export const NOBODY = 'there is nobody to ask here'
const BY_SETTINGS = 'rejected by user approval settings'
const NEVER_ASKS = 'approval required by policy, but AskForApproval is set to Never'
const NO_SANDBOX_APPROVAL =
  'approval required by policy, but AskForApproval::Granular.sandbox_approval is false'
const NO_RULES_APPROVAL =
  'approval required by policy rule, but AskForApproval::Granular.rules is false'

export type Whereabouts = 'inside' | 'outside'

/** What becomes of a command. `inside` and `outside` are those of the sandbox. */
export type CommandVerdict =
  | { readonly verdict: 'run'; readonly where: Whereabouts }
  | ({ readonly verdict: 'ask'; readonly where: Whereabouts } & Question)
  /** `isBare`: the text is all that the model reads. */
  | { readonly verdict: 'refuse'; readonly text: string; readonly isBare: boolean }

export interface Question {
  /** Why it is asked; absent when the policy alone asks. */
  readonly reason?: string
  /** First words that could be allowed for good. */
  readonly proposedRule?: readonly string[]
}

export interface CommandFacts {
  /** The command line, and how it is started. */
  readonly text: string
  readonly argv: readonly string[]
  readonly wantsEscalation: boolean
  readonly justification?: string
  readonly prefixRule?: readonly string[]
}

export interface CommandSurroundings {
  readonly rules: RuleSet
  /** Why nothing can be confined here; undefined when it can. */
  readonly noSandbox: string | undefined
}

type Policies = Pick<SessionSettings, 'approvalPolicy' | 'sandboxPolicy'>

/**
 * Whether a command runs, and where. The strictest of its segments counts; a rule about a segment
 * goes before what is known of its program. Source: `reference/session-runtime.md` E2, and what
 * 0.133.0 was seen to do.
 */
export function decideCommand(
  policies: Policies,
  command: CommandFacts,
  { rules, noSandbox }: CommandSurroundings,
): CommandVerdict {
  const { approvalPolicy, sandboxPolicy } = policies
  const isConfined = isConfining(sandboxPolicy)
  const isEscalated = isConfined && command.wantsEscalation
  // Also where there is nothing to get out of: who may not ask shall not.
  if (command.wantsEscalation && approvalPolicy !== 'on-request') {
    return escalationRefusal(approvalPolicy)
  }
  const segments = segmentsOf(command.text, command.argv)
  const judged = segments.map((segment) => judge(policies, isEscalated, segment, rules))
  const where = !isConfined || isEscalated ? 'outside' : 'inside'
  const verdict = strictest(policies, command, segments, judged, where)
  const isSafe = segments.every(({ safety }) => safety === 'safe')
  if (noSandbox === undefined || verdict.verdict === 'refuse' || verdict.where === 'outside') {
    return verdict
  }
  // Of a command that only reads a sandbox would change nothing.
  if (isSafe) return { ...verdict, where: 'outside' }
  return withoutSandbox(policies, verdict, noSandbox, segments, command)
}

interface Judged {
  readonly segment: CommandSegment
  readonly decision: 'allow' | 'prompt' | 'forbidden'
  readonly match: RuleMatch | undefined
}

function judge(
  { approvalPolicy, sandboxPolicy }: Policies,
  isEscalated: boolean,
  segment: CommandSegment,
  rules: RuleSet,
): Judged {
  const match = matchRules(rules, segment.argv)
  if (match) return { segment, match, decision: match.rule.decision }
  const told = (decision: Judged['decision']) => ({ segment, match, decision })
  if (segment.safety === 'dangerous') {
    if (approvalPolicy !== 'never') return told('prompt')
    return told(isConfining(sandboxPolicy) ? 'forbidden' : 'allow')
  }
  if (isEscalated) return told('prompt')
  return told(approvalPolicy === 'untrusted' && segment.safety !== 'safe' ? 'prompt' : 'allow')
}

function strictest(
  { approvalPolicy }: Policies,
  command: CommandFacts,
  segments: readonly CommandSegment[],
  judged: readonly Judged[],
  where: Whereabouts,
): CommandVerdict {
  const forbidden = judged.filter(({ decision }) => decision === 'forbidden')
  if (forbidden.length > 0) return forbiddenBy(command, forbidden)
  const prompts = judged.filter(({ decision }) => decision === 'prompt')
  const byRule = prompts.find(({ match }) => match)
  if (byRule) {
    if (approvalPolicy === 'never') return refuse(NEVER_ASKS)
    if (granular(approvalPolicy, 'rules') === false) return refuse(NO_RULES_APPROVAL)
    const why = byRule.match?.rule.justification
    const reason = why === undefined ? 'requires approval by policy' : `requires approval: ${why}`
    return { verdict: 'ask', where, reason: `\`${shellQuote(command.argv)}\` ${reason}` }
  }
  const [first] = prompts
  if (first) {
    if (granular(approvalPolicy, 'sandbox_approval') === false) return refuse(NO_SANDBOX_APPROVAL)
    const proposed = proposedRule(first.segment, segments, command.prefixRule)
    return { verdict: 'ask', where, ...question(command.justification, proposed) }
  }
  const isAllowedByRules = judged.every(({ match }) => match)
  return { verdict: 'run', where: isAllowedByRules ? 'outside' : where }
}

function forbiddenBy(command: CommandFacts, forbidden: readonly Judged[]): CommandVerdict {
  const rules = forbidden.flatMap(({ match }) => match ?? [])
  const reason = rules.find(({ rule }) => rule.justification !== undefined)?.rule.justification
  const prefix = rules[0]?.prefix
  const what =
    reason ??
    (prefix
      ? `policy forbids commands starting with \`${shellQuote(prefix)}\``
      : 'blocked by policy')
  return refuse(`\`${shellQuote(command.argv)}\` rejected: ${what}`)
}

/** What needs a sandbox where there is none: somebody decides, or it does not run. */
function withoutSandbox(
  { approvalPolicy, sandboxPolicy }: Policies,
  verdict: Extract<CommandVerdict, { verdict: 'run' | 'ask' }>,
  noSandbox: string,
  segments: readonly CommandSegment[],
  command: CommandFacts,
): CommandVerdict {
  const why = `sandbox mode \`${sandboxPolicy.type}\` cannot confine this command: ${noSandbox}`
  if (approvalPolicy === 'never' || granular(approvalPolicy, 'sandbox_approval') === false) {
    return refuse(
      `${why}. Only commands known to be read-only run. ` +
        'The user can allow all commands with --sandbox danger-full-access',
    )
  }
  if (verdict.verdict === 'ask') {
    const reason = verdict.reason === undefined ? why : `${verdict.reason} (${why})`
    return { ...verdict, where: 'outside', reason }
  }
  const proposed = proposedRule(segments[0], segments, command.prefixRule)
  return { verdict: 'ask', where: 'outside', ...question(why, proposed) }
}

/**
 * What is asked when a command has failed as if the sandbox had stopped it; undefined when nothing
 * is. Source: observed, 0.133.0.
 */
export function retryQuestion(
  approvalPolicy: ApprovalPolicy,
  command: CommandFacts,
): Question | undefined {
  const asks =
    approvalPolicy === 'untrusted' ||
    approvalPolicy === 'on-failure' ||
    granular(approvalPolicy, 'sandbox_approval') === true
  if (!asks) return undefined
  const segments = segmentsOf(command.text, command.argv)
  const proposed = proposedRule(segments[0], segments, command.prefixRule)
  return question('command failed; retry without sandbox?', proposed)
}

const DENIALS = /operation not permitted|permission denied|read-only file system/i
const KILLED_BY_FILTER = 128 + 31

/** Whether a command that ran in the sandbox looks as if that had stopped it. */
export function looksDenied(exitCode: number, output: string): boolean {
  return exitCode === KILLED_BY_FILTER || (exitCode !== 0 && DENIALS.test(output))
}

/** What becomes of a patch. */
export type PatchVerdict =
  | { readonly verdict: 'apply' | 'ask' }
  | { readonly verdict: 'refuse'; readonly text: string }

/** Where a path leads, all links followed; undefined when nobody can say. */
export type PatchPlace = string | undefined

export function patchPlaces(paths: readonly string[]): Promise<PatchPlace[]> {
  return Promise.all(paths.map(realPathOf))
}

/**
 * Whether a patch of these places may be applied: links are followed before, so that none leads a
 * write out of the folders that may be written. Source: `reference/session-runtime.md` E4.
 */
export async function decidePatch(
  settings: Pick<SessionSettings, 'approvalPolicy' | 'sandboxPolicy' | 'cwd'>,
  places: readonly PatchPlace[],
): Promise<PatchVerdict> {
  const { approvalPolicy, sandboxPolicy, cwd } = settings
  if (approvalPolicy === 'untrusted') return { verdict: 'ask' }
  const roots = writableRoots(sandboxPolicy, cwd)
  if (roots === undefined || (await areWritable(roots, places))) return { verdict: 'apply' }
  const isRefused =
    approvalPolicy === 'never' || granular(approvalPolicy, 'sandbox_approval') === false
  if (!isRefused) return { verdict: 'ask' }
  const isReadOnly = sandboxPolicy.type === 'read-only' && approvalPolicy === 'never'
  return { verdict: 'refuse', text: patchRefusal(isReadOnly) }
}

export function patchRefusal(isReadOnly: boolean): string {
  const why = isReadOnly
    ? 'writing is blocked by read-only sandbox'
    : 'writing outside of the project'
  return `patch rejected: ${why}; ${BY_SETTINGS}`
}

async function areWritable(
  roots: readonly string[],
  places: readonly PatchPlace[],
): Promise<boolean> {
  if (roots.length === 0) return false
  const realRoots = await Promise.all(roots.map(realPathOf))
  return places.every((place) => place !== undefined && isWritable(realRoots, place))
}

/** Roots may hold one another: what one of them protects stays protected. */
function isWritable(roots: readonly (string | undefined)[], path: string): boolean {
  const known = roots.filter((root) => root !== undefined)
  return (
    known.some((root) => isWithin(root, path)) && !known.some((root) => isProtected(root, path))
  )
}

function question(reason: string | undefined, proposed: readonly string[] | undefined): Question {
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(proposed === undefined ? {} : { proposedRule: proposed }),
  }
}

function refuse(text: string): CommandVerdict {
  return { verdict: 'refuse', text, isBare: false }
}

function escalationRefusal(policy: ApprovalPolicy): CommandVerdict {
  const name = policyName(policy)
  const text =
    `approval policy is ${name}; reject command — you cannot ask for escalated permissions if ` +
    `the approval policy is ${name}`
  return { verdict: 'refuse', text, isBare: true }
}

const GRANULAR_FIELDS = [
  'sandbox_approval',
  'rules',
  'skill_approval',
  'request_permissions',
  'mcp_elicitations',
] as const

/** Undefined for the other policies; a category that is not named may be asked for. */
function granular(
  policy: ApprovalPolicy,
  field: (typeof GRANULAR_FIELDS)[number],
): boolean | undefined {
  if (typeof policy === 'string') return undefined
  const fields = isObject(policy.granular) ? policy.granular : {}
  return fields[field] !== false
}

const POLICY_NAMES: { readonly [policy: string]: string } = {
  untrusted: 'UnlessTrusted',
  'on-failure': 'OnFailure',
  'on-request': 'OnRequest',
  never: 'Never',
}

/** The policy as 0.133.0 prints it. */
function policyName(policy: ApprovalPolicy): string {
  if (typeof policy === 'string') return POLICY_NAMES[policy] ?? policy
  const fields = GRANULAR_FIELDS.map((field) => `${field}: ${granular(policy, field)}`)
  return `Granular(GranularApprovalConfig { ${fields.join(', ')} })`
}

function isWithin(root: string, path: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)
}

function isProtected(root: string, path: string): boolean {
  return PROTECTED_FOLDERS.some((name) => isWithin(join(root, name), path))
}

/**
 * The path with all links followed, as far as it is there. Undefined behind a link to nothing, or
 * to itself: writing through it would make a file wherever it points.
 */
async function realPathOf(path: string): Promise<PatchPlace> {
  try {
    return await realpath(path)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ELOOP') return undefined
    if ((code !== 'ENOENT' && code !== 'ENOTDIR') || dirname(path) === path) throw error
    if (await isLink(path)) return undefined
    const folder = await realPathOf(dirname(path))
    return folder === undefined ? undefined : join(folder, basename(path))
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink()
  } catch {
    // Nothing is there, so no link is.
    return false
  }
}
