import { splitShellWords } from '../exec/shell-words.ts'
import {
  type ExecRule,
  type HostExecutable,
  matchRules,
  RULE_DECISIONS,
  type RuleDecision,
  type RuleSet,
} from './exec-rule.ts'
import { RulesError, type RulesToken, rulesTokens } from './rules-tokens.ts'

type Value = string | readonly Value[]
type Arguments = ReadonlyMap<string, Value>

const MOST_RULES = 10_000

/** What may be called, and its parameters in their order; those in front of `?` are a must. */
const CALLS: { readonly [name: string]: readonly string[] } = {
  prefix_rule: ['pattern', '?', 'decision', 'justification', 'match', 'not_match'],
  host_executable: ['name', 'paths', '?'],
  // Known, and of no use here: nothing asks for single hosts.
  network_rule: ['host', 'protocol', 'decision', '?', 'justification'],
}

/**
 * The rules of one file: calls of `prefix_rule` and `host_executable`, names given to lists and
 * strings, `+` between them, comments. Real Codex takes all of Starlark; loops and functions are
 * refused here. Throws `RulesError`.
 */
export function parseRules(text: string): RuleSet {
  const file = new RulesParser(rulesTokens(text)).read()
  for (const check of file.checks) check(file)
  return file
}

class RulesParser {
  readonly #tokens: readonly RulesToken[]
  readonly #names = new Map<string, Value>()
  readonly #rules: ExecRule[] = []
  readonly #hostExecutables: HostExecutable[] = []
  readonly #checks: ((set: RuleSet) => void)[] = []
  #at = 0

  constructor(tokens: readonly RulesToken[]) {
    this.#tokens = tokens
  }

  read(): RuleSet & { readonly checks: readonly ((set: RuleSet) => void)[] } {
    while (!this.#is('eof')) {
      if (!this.#skip('end')) this.#readStatement()
    }
    return { rules: this.#rules, hostExecutables: this.#hostExecutables, checks: this.#checks }
  }

  #readStatement(): void {
    const token = this.#next()
    const { line } = token
    if (token.type !== 'name')
      throw new RulesError(line, `\`${token.text}\` is not understood here`)
    if (this.#skip('=')) this.#names.set(token.text, this.#readValue())
    else if (this.#skip('(')) this.#call(token.text, line)
    else if (token.text !== 'pass') {
      throw new RulesError(line, `\`${token.text}\`: only calls and names for lists are understood`)
    }
    if (!this.#skip('end')) {
      throw new RulesError(line, `\`${this.#next().text}\` is not understood here`)
    }
  }

  #call(name: string, line: number): void {
    const parameters = CALLS[name]
    if (!parameters) throw new RulesError(line, `\`${name}\` is unknown`)
    const given = this.#readArguments(
      name,
      parameters.filter((each) => each !== '?'),
      line,
    )
    const missing = parameters.slice(0, parameters.indexOf('?')).find((each) => !given.has(each))
    if (missing !== undefined) throw new RulesError(line, `${name} needs \`${missing}\``)
    if (name === 'prefix_rule') this.#addRule(given, line)
    else if (name === 'host_executable') {
      const paths = textsOf(given, 'paths', line)
      this.#hostExecutables.push({ name: textOf(given, 'name', line) ?? '', paths })
    }
  }

  #readArguments(name: string, parameters: readonly string[], line: number): Arguments {
    const given = new Map<string, Value>()
    while (!this.#skip(')')) {
      const position = given.size
      const isNamed = this.#tokens[this.#at]?.type === 'name' && this.#isAhead('=')
      const parameter = isNamed ? this.#next().text : parameters[position]
      if (isNamed) this.#next()
      if (parameter === undefined || !parameters.includes(parameter) || given.has(parameter)) {
        throw new RulesError(line, `${name} takes no \`${parameter ?? 'more'}\``)
      }
      given.set(parameter, this.#readValue())
      if (!this.#skip(',') && !this.#is(')')) {
        throw new RulesError(this.#line(), `\`${this.#next().text}\` is not understood here`)
      }
    }
    return given
  }

  #readValue(): Value {
    let value = this.#readTerm()
    while (this.#skip('+')) {
      const more = this.#readTerm()
      if (typeof value === 'string' && typeof more === 'string') value += more
      else if (typeof value !== 'string' && typeof more !== 'string') value = [...value, ...more]
      else throw new RulesError(this.#line(), 'a list and a string cannot be added')
    }
    return value
  }

  #readTerm(): Value {
    const token = this.#next()
    if (token.type === 'string') return token.text
    if (token.type === 'mark' && token.text === '[') return this.#readList()
    const known = token.type === 'name' ? this.#names.get(token.text) : undefined
    if (known !== undefined) return known
    throw new RulesError(token.line, `\`${token.text}\` is not understood here`)
  }

  #readList(): Value {
    const items: Value[] = []
    while (!this.#skip(']')) {
      items.push(this.#readValue())
      if (!this.#skip(',') && !this.#is(']')) {
        throw new RulesError(this.#line(), `\`${this.#next().text}\` is not understood here`)
      }
    }
    return items
  }

  #addRule(given: Arguments, line: number): void {
    if (this.#rules.length >= MOST_RULES) throw new RulesError(line, `over ${MOST_RULES} rules`)
    const justification = textOf(given, 'justification', line)
    if (justification?.trim() === '') throw new RulesError(line, 'the justification is empty')
    const rule: ExecRule = {
      pattern: patternOf(given.get('pattern') ?? [], line),
      decision: decisionOf(textOf(given, 'decision', line) ?? 'allow', line),
      ...(justification === undefined ? {} : { justification }),
    }
    this.#rules.push(rule)
    for (const example of examplesOf(given, 'match', line)) {
      this.#checks.push((set) => {
        if (matchRules(set, example)) return
        throw new RulesError(line, `no rule matches the example \`${example.join(' ')}\``)
      })
    }
    for (const example of examplesOf(given, 'not_match', line)) {
      this.#checks.push((set) => {
        if (!matchRules({ ...set, rules: [rule] }, example)) return
        throw new RulesError(line, `the rule matches \`${example.join(' ')}\`, which it should not`)
      })
    }
  }

  #next(): RulesToken {
    const token = this.#tokens[this.#at] ?? { type: 'mark', text: 'eof', line: 0 }
    this.#at += 1
    return token
  }

  #line(): number {
    return this.#tokens[this.#at]?.line ?? 0
  }

  #is(mark: string): boolean {
    const token = this.#tokens[this.#at]
    return token?.type === 'mark' && token.text === mark
  }

  #isAhead(mark: string): boolean {
    const token = this.#tokens[this.#at + 1]
    return token?.type === 'mark' && token.text === mark
  }

  #skip(mark: string): boolean {
    if (!this.#is(mark)) return false
    this.#at += 1
    return true
  }
}

function patternOf(value: Value, line: number): string[][] {
  if (typeof value === 'string') throw new RulesError(line, 'the pattern is not a list')
  if (value.length === 0) throw new RulesError(line, 'the pattern is empty')
  return value.map((element) => {
    const choices = typeof element === 'string' ? [element] : element
    if (choices.length === 0) throw new RulesError(line, 'a list of alternatives is empty')
    return choices.map((choice) => {
      if (typeof choice === 'string') return choice
      throw new RulesError(line, 'an alternative is not a string')
    })
  })
}

function decisionOf(text: string, line: number): RuleDecision {
  const decision = RULE_DECISIONS.find((each) => each === text)
  if (decision) return decision
  throw new RulesError(line, `\`${text}\` is no decision; one of ${RULE_DECISIONS.join(', ')} is`)
}

function textOf(given: Arguments, name: string, line: number): string | undefined {
  const value = given.get(name)
  if (value === undefined || typeof value === 'string') return value
  throw new RulesError(line, `\`${name}\` is not a string`)
}

function textsOf(given: Arguments, name: string, line: number): string[] {
  const value = given.get(name) ?? []
  if (typeof value !== 'string' && value.every((each) => typeof each === 'string'))
    return [...value]
  throw new RulesError(line, `\`${name}\` is not a list of strings`)
}

/** Commands as a list of words, or as one would type them. */
function examplesOf(given: Arguments, name: string, line: number): string[][] {
  const value = given.get(name) ?? []
  if (typeof value === 'string') throw new RulesError(line, `\`${name}\` is not a list`)
  return value.map((example) => {
    if (typeof example !== 'string') {
      return textsOf(new Map([[name, example]]), name, line)
    }
    const [words] = splitShellWords(example) ?? []
    if (!words) throw new RulesError(line, `the example \`${example}\` is no plain command`)
    return words.map((word) => word.text)
  })
}
