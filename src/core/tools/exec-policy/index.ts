export { ExecPolicy, type ExecPolicyStore, noExecPolicy, type RuleFile } from './exec-policy.ts'
export {
  type ExecRule,
  type HostExecutable,
  matchRules,
  type RuleDecision,
  type RuleMatch,
  type RuleSet,
} from './exec-rule.ts'
export { parseRules } from './parse-rules.ts'
export { RulesError } from './rules-tokens.ts'
