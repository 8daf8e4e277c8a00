import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { commandActions } from '../../../history/index.ts'
import type { CommandAction } from '../../../protocol/index.ts'
import { parsedCommands } from './command-actions.ts'

interface Observed {
  readonly script: string
  readonly actions: readonly CommandAction[]
}

/** What 0.133.0 told of these as `bash -lc` in `/w/project`, which it did not run. */
const OBSERVED = readFileSync(join(import.meta.dirname, 'observed-actions.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Observed)

/** Where Bobbin says something else, and what. */
const OTHERWISE: { readonly [script: string]: readonly CommandAction[] } = {
  // Codex tells nothing at all.
  'true; true': [{ type: 'unknown', command: 'true; true' }],
  'true && true': [{ type: 'unknown', command: 'true && true' }],
  // Codex takes a semicolon for a part of the word, and a continued line for an empty word.
  'ls;': [{ type: 'listFiles', command: 'ls', path: null }],
  'cat a.txt; ': [{ type: 'read', command: 'cat a.txt', name: 'a.txt', path: '/w/project/a.txt' }],
  'rg foo \\\n  src': [{ type: 'search', command: 'rg foo src', query: 'foo', path: 'src' }],
  'rg foo \\\n  src \\\n lib': [
    { type: 'search', command: 'rg foo src lib', query: 'foo', path: 'src' },
  ],
  'rg foo\\\nbar': [{ type: 'search', command: 'rg foobar', query: 'foobar', path: null }],
  // A carriage return is not plain text here.
  'ls\r\n': [{ type: 'unknown', command: 'ls\r\n' }],
}

describe('what a command line does', () => {
  it('is told as 0.133.0 tells it', () => {
    const differing = OBSERVED.flatMap(({ script, actions }) => {
      const expected = OTHERWISE[script] ?? actions
      const told = actionsOf(['bash', '-lc', script])
      return JSON.stringify(told) === JSON.stringify(expected) ? [] : [{ script, expected, told }]
    })
    assert.deepEqual(differing, [])
  })

  it('is unknown for what is no script of a shell', () => {
    const unknown = (command: string) => [{ type: 'unknown', command }]
    assert.deepEqual(actionsOf(['fish', '-c', 'cat a']), unknown("fish -c 'cat a'"))
    assert.deepEqual(actionsOf(['bash', '-lc', 'ls', 'x']), unknown('bash -lc ls x'))
    assert.deepEqual(actionsOf([]), unknown(''))
    assert.deepEqual(actionsOf(['/bin/sh', '-c', 'ls']), [
      { type: 'listFiles', command: 'ls', path: null },
    ])
  })

  it('is unknown for a very long one, and for one of very many parts', () => {
    const long = `ls ${'x'.repeat(10_000)}`
    const parts = 'ls; cat a; '.repeat(60)
    for (const command of [long, parts]) {
      assert.deepEqual(actionsOf(['bash', '-lc', command]), [{ type: 'unknown', command }])
    }
  })

  it('finds the home that a path begins with, as the shell would', () => {
    const [home] = actionsOf(['bash', '-lc', 'cat ~/a.txt'])
    const path = join(homedir(), 'a.txt')
    assert.deepEqual(home, { type: 'read', command: "cat '~/a.txt'", name: 'a.txt', path })
  })

  it('is something for every text', () => {
    const word = fc.constantFrom('cat', 'sed', '-n', '1p', 'head', 'xargs', 'cd', '--', '~', "''")
    const glue = fc.constantFrom(' ', ' ', ' ', ' | ', '; ', '\n', '\\')
    const script = fc.array(fc.tuple(fc.oneof(word, fc.string()), glue)).map((all) => all.flat())
    fc.assert(
      fc.property(script, (parts) => {
        const command = parts.join('')
        const actions = actionsOf(['bash', '-lc', command])
        assert.ok(actions.length > 0 || /^\s*cd\b/.test(command))
        assert.ok(actions.length <= 1 || actions.every(({ type }) => type !== 'unknown'))
      }),
    )
  })
})

function actionsOf(argv: string[]): CommandAction[] {
  return commandActions({ command: argv, cwd: '/w/project', parsed_cmd: parsedCommands(argv) })
}
