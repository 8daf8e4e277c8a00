/**
 * Rule: a file of rules means to Bobbin what it means to `codex execpolicy check` of 0.133.0, and
 * what this one refuses Bobbin refuses too. Bobbin takes less: files with loops and functions are
 * broken ones (see `parse-rules.test.ts`).
 */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'

import { isObject, type Json } from '../../src/base/index.ts'
import { matchRules, parseRules, RulesError } from '../../src/core/tools/exec-policy/index.ts'
import { runChild } from './child.ts'
import { codex133 } from './programs.ts'
import { Scratch } from './scratch.ts'

/** Files, each with a command. */
const FILES: readonly (readonly [text: string, ...argv: string[]])[] = [
  ['prefix_rule(pattern=["git", ["push", "fetch"]], decision="forbidden")', 'git', 'push', 'x'],
  ['prefix_rule(pattern=["git", ["push", "fetch"]], decision="forbidden")', 'git', 'pull'],
  ['prefix_rule(pattern=["git", "push"])', 'git'],
  ['prefix_rule(pattern=["git"])\nprefix_rule(["git", "push"], "prompt")', 'git', 'push'],
  ['# only words\nprefix_rule(\n  pattern = [ "a", "b", ], # two\n)\n', 'a', 'b', 'c'],
  ['X = ["git"]\nprefix_rule(pattern=X + ["push"])', 'git', 'push'],
  ['prefix_rule(["a\\tb\\x41\\u00e9"])', 'a\tbAé'],
  ['prefix_rule([r"a\\tb"])', 'a\\tb'],
  ['prefix_rule(["""a"""]); prefix_rule(["b"], "prompt")', 'b'],
  ['prefix_rule(["a" + "b"])', 'ab'],
  ['prefix_rule(pattern=["git"], match=["git push && ls", ["git", "x"]], not_match=["ls"])', 'git'],
  ['network_rule(host="a.example", protocol="https", decision="allow")', 'git'],
  ['host_executable(name="git", paths=["/usr/bin/git"])\nprefix_rule(["git"])', 'git'],
  ['pass', 'git'],
  ['prefix_rule(pattern=["git"], match=["ls"])', 'git'],
  ['prefix_rule(pattern=["git"], not_match=["git x"])', 'git'],
  ['prefix_rule(pattern=[])', 'git'],
  ['prefix_rule(pattern=["a", []])', 'a'],
  ['prefix_rule(pattern=[["a", ["b"]]])', 'a'],
  ['prefix_rule(pattern="git")', 'git'],
  ['prefix_rule(pattern=["git"], decision="maybe")', 'git'],
  ['prefix_rule(pattern=["git"], justification=" ")', 'git'],
  ['prefix_rule(pattern=["git"], foo="x")', 'git'],
  ['prefix_rule(["a" "b"])', 'ab'],
  ['prefix_rule(["a"', 'a'],
  ['foo(x="y")', 'git'],
]

describe('rules for commands', () => {
  for (const [text, ...argv] of FILES) {
    it(`${JSON.stringify(text)} about ${JSON.stringify(argv)}`, async () => {
      assert.deepEqual(bobbin(text, argv), await codex(text, argv))
    })
  }
})

function bobbin(text: string, argv: readonly string[]): Json {
  try {
    return matchRules(parseRules(text), argv)?.rule.decision ?? 'none'
  } catch (error) {
    if (error instanceof RulesError) return 'broken'
    throw error
  }
}

async function codex(text: string, argv: readonly string[]): Promise<Json> {
  await using scratch = await Scratch.create()
  const path = join(scratch.root, 'a.rules')
  await writeFile(path, text)
  const args = ['execpolicy', 'check', '--rules', path, ...argv]
  const { code, stdout } = await runChild(codex133, args, { cwd: scratch.root, env: scratch.env })
  if (code !== 0) return 'broken'
  const answer: Json = JSON.parse(stdout)
  return isObject(answer) ? (answer.decision ?? 'none') : null
}
