import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { matchRules } from './exec-rule.ts'
import { parseRules } from './parse-rules.ts'
import { RulesError } from './rules-tokens.ts'

const allow = (...pattern: (string | string[])[]) => ({
  pattern: pattern.map((word) => [word].flat()),
  decision: 'allow',
})

describe('a file of rules', () => {
  it('holds prefixes, alternatives, decisions and reasons, by name or in their order', () => {
    const text = [
      '# what git may do',
      'prefix_rule(pattern=["git", ["push", "fetch"]], decision="prompt", justification="public")',
      'prefix_rule(',
      "    pattern = ['npm', 'run',],  # a comma too many is fine",
      '    decision = "forbidden",',
      ')',
      'prefix_rule(["ls"]); prefix_rule(["cat"], "allow")',
    ].join('\r\n')
    assert.deepEqual(parseRules(text).rules, [
      {
        pattern: [['git'], ['push', 'fetch']],
        decision: 'prompt',
        justification: 'public',
      },
      { pattern: [['npm'], ['run']], decision: 'forbidden' },
      allow('ls'),
      allow('cat'),
    ])
  })

  it('may name lists, add them, and hold strings of every kind', () => {
    const text = [
      'GIT = ["git"]',
      'READS = ["log", "show"]',
      'prefix_rule(pattern=GIT + [READS])',
      'prefix_rule(pattern=["a\\tb\\x41\\u00e9\\"", r"c\\d", """e"f""", \'g\' + "h"])',
      'pass',
    ].join('\n')
    assert.deepEqual(parseRules(text).rules, [
      allow('git', ['log', 'show']),
      allow('a\tbAé"', 'c\\d', 'e"f', 'gh'),
    ])
  })

  it('may say where programs lie, and what is for others', () => {
    const text = [
      'host_executable(name="git", paths=["/opt/git"])',
      'network_rule(host="a.example", protocol="https", decision="allow")',
    ].join('\n')
    assert.deepEqual(parseRules(text), {
      rules: [],
      hostExecutables: [{ name: 'git', paths: ['/opt/git'] }],
      checks: [],
    })
  })

  it('is checked by its own examples', () => {
    const rule = (examples: string) => `prefix_rule(pattern=["git", "push"], ${examples})`
    for (const examples of [
      'match=["git push origin", ["git", "push"]]',
      'not_match=["git pull"], match=[]',
    ]) {
      assert.equal(parseRules(rule(examples)).rules.length, 1)
    }
    for (const [examples, message] of [
      ['match=["git pull"]', 'no rule matches the example `git pull`'],
      ['not_match=["git push x"]', 'the rule matches `git push x`, which it should not'],
      ['match=["a $(b)"]', 'the example `a $(b)` is no plain command'],
    ] as const) {
      assert.throws(() => parseRules(rule(examples)), { message })
    }
    const other = 'prefix_rule(pattern=["ls"])\n'
    assert.equal(parseRules(`${rule('match=["ls"]')}\n${other}`).rules.length, 2)
  })

  // 0.133.0 takes the last five: it has all of Starlark.
  for (const [text, line] of [
    ['\nprefix_rule(pattern=[])', 2],
    ['prefix_rule(pattern=["a", []])', 1],
    ['prefix_rule(pattern=[["a", ["b"]]])', 1],
    ['prefix_rule(pattern="a")', 1],
    ['prefix_rule(patern=["a"])', 1],
    ['prefix_rule()', 1],
    ['prefix_rule(["a"], pattern=["a"])', 1],
    ['prefix_rule(["a"], "allow", "b", [], [], "more")', 1],
    ['prefix_rule(["a"], decision="maybe")', 1],
    ['prefix_rule(["a"], justification=" ")', 1],
    ['prefix_rule(["a" "b"])', 1],
    ['prefix_rule(["a"', 1],
    ['prefix_rule(["a)', 1],
    ['prefix_rule(["\\q"])', 1],
    ['prefix_rule(["a"]) prefix_rule(["b"])', 1],
    ['\n\nfoo(x="1")', 3],
    ['load("x.star", "y")', 1],
    ['prefix_rule([X])', 1],
    ['=', 1],
    [')', 1],
    ['for p in ["a"]:\n    prefix_rule(pattern=[p])', 1],
    ['def f():\n    pass', 1],
    ['if True:\n    pass', 1],
    ['prefix_rule(pattern=["%s" % "a"])', 1],
    ['prefix_rule(pattern=[p for p in ["a"]])', 1],
  ] as const) {
    it(`is refused for ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parseRules(text),
        (error) => error instanceof RulesError && error.line === line && error.message !== '',
      )
    })
  }
})

describe('the rule about a command', () => {
  const found = (text: string, ...argv: string[]) => {
    const match = matchRules(parseRules(text), argv)
    return match && [match.rule.decision, ...match.prefix]
  }

  it('is the strictest of those whose prefix it has', () => {
    const text =
      'prefix_rule(["git"])\nprefix_rule(["git", ["push", "pull"]], "forbidden")\n' +
      'prefix_rule(["git", "push"], "prompt")'
    assert.deepEqual(found(text, 'git', 'push', 'x'), ['forbidden', 'git', 'push'])
    assert.deepEqual(found(text, 'git', 'log'), ['allow', 'git'])
    assert.equal(found(text, 'gitk'), undefined)
    assert.equal(found('prefix_rule(["git", "push"])', 'git'), undefined)
  })

  it('goes by the name of a program given by its path', () => {
    const forbids = 'prefix_rule(["git", "push"], "forbidden")'
    assert.deepEqual(found(forbids, '/tmp/git', 'push'), ['forbidden', 'git', 'push'])
    const allows = 'prefix_rule(["git"])'
    assert.deepEqual(found(allows, '/usr/bin/git'), ['allow', 'git'])
    assert.equal(found(allows, '/tmp/git'), undefined)
    assert.equal(found(allows, './git'), undefined)
    const hosted = `${allows}\nhost_executable("git", ["/opt/git"])`
    assert.deepEqual(found(hosted, '/opt/git'), ['allow', 'git'])
    assert.equal(found(hosted, '/usr/bin/git'), undefined)
    assert.deepEqual(found('prefix_rule(["/tmp/x"])', '/tmp/x', 'y'), ['allow', '/tmp/x'])
  })
})
