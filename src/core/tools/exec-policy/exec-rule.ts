/** Mildest first: of several that apply the last one counts. */
export const RULE_DECISIONS = ['allow', 'prompt', 'forbidden'] as const
export type RuleDecision = (typeof RULE_DECISIONS)[number]

/** `prefix_rule(…)`: what becomes of commands that begin with these words. */
export interface ExecRule {
  /** For each word of the prefix what it may be. */
  readonly pattern: readonly (readonly string[])[]
  readonly decision: RuleDecision
  readonly justification?: string
}

/** `host_executable(…)`: where a program that rules call by its name has to lie. */
export interface HostExecutable {
  readonly name: string
  readonly paths: readonly string[]
}

export interface RuleSet {
  readonly rules: readonly ExecRule[]
  readonly hostExecutables: readonly HostExecutable[]
}

export interface RuleMatch {
  readonly rule: ExecRule
  /** The words of the command that the rule is about, the program by the rule's name for it. */
  readonly prefix: readonly string[]
}

/** Folders whose programs are what their name says. */
const SYSTEM_FOLDERS = new Set(['/bin', '/usr/bin', '/usr/local/bin', '/sbin', '/usr/sbin'])

/** The strictest rule for the words of one command; undefined when none is about it. */
export function matchRules(set: RuleSet, argv: readonly string[]): RuleMatch | undefined {
  const matches = set.rules.flatMap((rule) => {
    const program = programAs(set, rule, argv[0] ?? '')
    const words = program === undefined ? argv : [program, ...argv.slice(1)]
    const isMatch = rule.pattern.every((choices, at) => choices.includes(words[at] ?? ''))
    const isLongEnough = argv.length >= rule.pattern.length
    return isMatch && isLongEnough ? [{ rule, prefix: words.slice(0, rule.pattern.length) }] : []
  })
  return matches.reduce<RuleMatch | undefined>(
    (strictest, match) => (strictest && rank(strictest) >= rank(match) ? strictest : match),
    undefined,
  )
}

/**
 * A path stands for the name that the rule uses. Whatever lies wherever is forbidden or asked for
 * by its name; it is allowed by name only where nobody else can have put it.
 */
function programAs(set: RuleSet, rule: ExecRule, path: string): string | undefined {
  const slash = path.lastIndexOf('/')
  if (slash === -1 || rule.pattern[0]?.includes(path)) return undefined
  const name = path.slice(slash + 1)
  if (rule.decision !== 'allow') return name
  const host = set.hostExecutables.findLast((each) => each.name === name)
  const isTrusted = host ? host.paths.includes(path) : SYSTEM_FOLDERS.has(path.slice(0, slash))
  return isTrusted ? name : undefined
}

function rank({ rule }: RuleMatch): number {
  return RULE_DECISIONS.indexOf(rule.decision)
}
