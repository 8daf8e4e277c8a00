/** The contract bites: of a store that is broken on purpose, the rules that it breaks fail. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { BROKEN } from './broken-stores.ts'

const SUITE = join(import.meta.dirname, 'broken-suite.ts')

interface Outcome {
  readonly passed: number
  /** Titles of the tests, in the order of the suite. */
  readonly titles: readonly string[]
  /** Ids of the rules of which a test failed. */
  readonly failed: readonly string[]
}

/** Runs the contract on one store in a process of its own. */
async function runContract(name: string): Promise<Outcome> {
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env
  const env = { ...environment, BROKEN_STORE: name }
  const args = ['--test', '--test-reporter=tap', SUITE]
  const text = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { env }, (_error, stdout) => resolve(stdout))
  })
  const failures = [...text.matchAll(/^\s*not ok \d+ - \[?(TS-\d+)\\?\]/gm)]
  const failed = [...new Set(failures.map((match) => match[1] ?? ''))]
  const byNumber = (id: string) => Number(id.slice(3))
  return {
    passed: Number(/^# pass (\d+)$/m.exec(text)?.[1] ?? 0),
    titles: [...text.matchAll(/^\s*(?:not )?ok \d+ - (.*)$/gm)].map((match) => match[1] ?? ''),
    failed: failed.sort((a, b) => byNumber(a) - byNumber(b)),
  }
}

const SPECIFICATION = 'docs/spec/thread-store.md'

function textOf(path: string): string {
  return readFileSync(join(import.meta.dirname, '../..', path), 'utf8')
}

/** `resumeThread, created: conflict`, for each cell of the table. */
function cellsOf(specification: string): string[] {
  const rows = [...specification.matchAll(/^\| (.*) \|$/gm)].map(
    (row) => row[1]?.split(' | ') ?? [],
  )
  const [[, ...states] = [], ...methods] = rows
  return methods.flatMap(([method, ...answers]) =>
    answers.map((answer, at) => `${method}, ${states[at]}: ${answer}`),
  )
}

function idsIn(path: string, pattern: RegExp): string[] {
  const text = textOf(path)
  return [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ''))].sort()
}

const CITED = ['state', 'history', 'list', 'change', 'turn', 'search', 'branch'].flatMap((kind) =>
  idsIn(`src/thread-store/testing/${kind}-rules.ts`, /\bit\([`']\[(TS-\d+)\]/g),
)
const RULES = [...new Set(CITED)].sort()

describe('the thread store contract', { concurrency: true }, () => {
  it('passes on a store that is not broken, with the table of the specification', async () => {
    const { titles, failed } = await runContract('unbroken')
    assert.deepEqual(failed, [])
    const told = /TS-2\\?\] (\w+) of a thread that is (.*): (\w+)$/
    const cells = titles.flatMap((title) => {
      const [, method, state, answer] = told.exec(title) ?? []
      return method ? [`${method}, ${state}: ${answer}`] : []
    })
    assert.ok(cells.length > 90, `${cells.length} cells`)
    assert.deepEqual(cellsOf(textOf(SPECIFICATION)).sort(), cells.sort())
  })

  for (const [name, { breaks }] of Object.entries(BROKEN)) {
    it(`fails on one that ${name}: ${breaks.join(', ')}`, async () => {
      const { passed, failed } = await runContract(name)
      // Others may fail beside them: no test can look at one rule through none of the others.
      assert.deepEqual(
        breaks.filter((rule) => !failed.includes(rule)),
        [],
      )
      assert.ok(passed > 0, 'the suite ran')
    })
  }

  it('has a store that breaks it for every rule, and a place in the specification', () => {
    const broken = new Set(Object.values(BROKEN).flatMap(({ breaks }) => breaks))
    assert.deepEqual([...broken].sort(), RULES)
    assert.deepEqual(idsIn(SPECIFICATION, /^- \*\*(TS-\d+)\*\*/gm), RULES)
  })
})
