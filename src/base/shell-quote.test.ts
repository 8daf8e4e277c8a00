import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { it } from 'node:test'
import fc from 'fast-check'
import { shellQuote } from './shell-quote.ts'

// What codex 0.133.0 showed for each command text, behind `/bin/bash -lc `.
const SHOWN: readonly (readonly [string, string])[] = [
  [": a'b", '": a\'b"'],
  [": a'b$c", "\": a'b\"'$c'"],
  [': a$b', "': a$b'"],
  [': a!b', "': a!b'"],
  [': a\\b', '": a\\\\b"'],
  [': a`b', "': a`b'"],
  [": it's", '": it\'s"'],
  [": '", '": \'"'],
  [": ''", '": \'\'"'],
  [": a'\nb", '": a\'\nb"'],
  [": a'!b", "\": a'\"'!b'"],
  [': x\'"y', '": x\'\\"y"'],
  [': a/b-c_d.e:f,g+h@i%j^k', "': a/b-c_d.e:f,g+h@i%j''^k'"],
  [': ^a', "': ''^a'"],
  [": '$'", '": \'"\'$\'"\'"'],
  [": '!", "\": '\"'!'"],
  [": !'", "': !'\"'\""],
  [': a!b\'c$d"e\\f`g^h', "': a!b'\"'c\"'$d\"e'\"\\\\f\"'`g''^h'"],
  [": ^'", "': ''^'\"'\""],
  [": \\'", '": \\\\\'"'],
  [": a\tb'c", '": a\tb\'c"'],
  [": $'x'", "': $'\"'x'\""],
  [": a'b\\c", '": a\'b\\\\c"'],
  [": a'b`c", "\": a'b\"'`c'"],
  ["a'b", '"a\'b"'],
  ["a'b$c", "\"a'b\"'$c'"],
  ['a"b', "'a\"b'"],
  ['a$b', "'a$b'"],
  ['a!b', "'a!b'"],
  ['a\\b', '"a\\\\b"'],
  ['a`b', "'a`b'"],
  ["it's", '"it\'s"'],
  ["'", '"\'"'],
  ["''", '"\'\'"'],
  ['', "''"],
  [' ', "' '"],
  ['a\nb', "'a\nb'"],
  ["a'\nb", '"a\'\nb"'],
  ["a'!b", "\"a'\"'!b'"],
  ['x\'"y', '"x\'\\"y"'],
  ['é', "'é'"],
  ['é x', "'é x'"],
  ['a=b', "'a=b'"],
  ['a/b-c_d.e:f,g+h@i%j^k', "'a/b-c_d.e:f,g+h@i%j''^k'"],
  ['~', "'~'"],
  ['a~', "'a~'"],
  ['*', "'*'"],
  ['?', "'?'"],
  ['[a]', "'[a]'"],
  ['{a}', "'{a}'"],
  ['#a', "'#a'"],
  ['a#', "'a#'"],
  ['(', "'('"],
  ['a;b', "'a;b'"],
  ['&', "'&'"],
  ['|', "'|'"],
  ['<', "'<'"],
  ['>', "'>'"],
  ['a%', "'a%'"],
  ['^a', "'^a'"],
  ['a,b', "'a,b'"],
  ['=a', "'=a'"],
  ['-a', '-a'],
  ['"', "'\"'"],
  ["'$'", '"\'"\'$\'"\'"'],
  ["'!", "\"'\"'!'"],
  ["!'", "'!'\"'\""],
  ['a!b\'c$d"e\\f`g^h', "'a!b'\"'c\"'$d\"e'\"\\\\f\"'`g''^h'"],
  ["^'", "'^'\"'\""],
  ["\\'", '"\\\\\'"'],
  ['a\tb', "'a\tb'"],
  ["a\tb'c", '"a\tb\'c"'],
  ['\u0001', "'\u0001'"],
  ['\u00a0', "'\u00a0'"],
  ["$'x'", "'$'\"'x'\""],
  ["a'b\\c", '"a\'b\\\\c"'],
  ["a'b`c", "\"a'b\"'`c'"],
  ['a]b', 'a]b'],
  ['a}b', "'a}b'"],
  ['a@b', 'a@b'],
  ['a:b', 'a:b'],
  ['+', '+'],
  ['.', '.'],
  ['/', '/'],
  ['_', '_'],
  ['%', "'%'"],
  ['cat a.txt', "'cat a.txt'"],
  ["sed -n '1,$p' a.txt", '"sed -n \'1,"\'$p\'"\' a.txt"'],
  ['find . -name x -exec ls {} \\;', '"find . -name x -exec ls {} \\\\;"'],
]

it('quotes only where needed, in the style of Codex', () => {
  for (const [script, shown] of SHOWN) {
    assert.equal(shellQuote(['/bin/bash', '-lc', script]), `/bin/bash -lc ${shown}`)
  }
})

it('shows that a word cannot be shown', () => {
  assert.equal(shellQuote(['a\0b']), '<command included NUL byte>')
})

it('gives what a shell reads back as the same words', () => {
  const word = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'ab \'"\\$`!^*?~#;&|<>(){}[]=%\n\té') }),
    fc.string().map((text) => text.replaceAll('\0', '')),
  )
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), (argv) => {
      const script = `printf '%s\\0' ${shellQuote(argv)}`
      const printed = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' })
      assert.deepEqual(printed.split('\0').slice(0, -1), argv)
    }),
    { numRuns: 60 },
  )
})
