import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parse, stringify } from 'smol-toml'
import type { Json, JsonObject } from '../base/index.ts'
import { editTable, editToml, TomlEditError } from './toml-edit.ts'

const set = (text: string, path: string, value: Json, isMerged = false): string =>
  editToml(text, { path: path.split('.'), value, isMerged })

const FILE = `# top
model = "a" # trailing

# about the table
[tui]
theme = 'dark' # quoted [like] this = yes
long = """
[not.a.table]
key = 1
"""

[[list]]
name = "x"

[list.sub]
y = 1

[mcp.one]
args = [
  "a", # first
  "]",
]
`

describe('an edit of TOML', () => {
  it('changes a value and keeps what is said about it', () => {
    assert.equal(set(FILE, 'model', 'b'), FILE.replace('"a" #', '"b" #'))
    assert.equal(set(FILE, 'tui.theme', 'x'), FILE.replace("'dark'", '"x"'))
    const args = '["z"]'
    const expected = FILE.replace(/args = \[[\s\S]*\n\]/, `args = ${args}`)
    assert.equal(set(FILE, 'mcp.one.args', ['z']), expected)
  })

  it('puts a new value behind those of its table', () => {
    assert.equal(
      set(FILE, 'effort', 'low'),
      FILE.replace('trailing\n', 'trailing\neffort = "low"\n'),
    )
    assert.equal(set(FILE, 'mcp.one.on', true), `${FILE}on = true\n`)
    assert.equal(set(FILE, 'new.deep.key', 1), `${FILE}\n[new.deep]\nkey = 1\n`)
    assert.equal(set('[t]\nx = 1', 't.y', 2), '[t]\nx = 1\ny = 2\n')
    assert.equal(set('# first\n[t]\n', 'y', 2), 'y = 2\n\n# first\n[t]\n')
    assert.equal(set('', 'a b.c', 1), '["a b"]\nc = 1\n')
  })

  it('goes through tables that are written in other ways', () => {
    assert.equal(set('a.b = 1 # c\n[z]\n', 'a.c', 2), 'a.b = 1 # c\na.c = 2\n[z]\n')
    assert.equal(set('q = { r = 1, s = "t" } # k\n', 'q.r', 5), 'q = { r = 5, s = "t" } # k\n')
    assert.equal(set('q = { r = 1 }\n', 'q.r', null), 'q = {}\n')
    assert.equal(set('[a.b]\nc = 1\n', 'a.d', 2), '[a.b]\nc = 1\n\n[a]\nd = 2\n')
    assert.equal(set("['x.y']\n'k k' = 1\n", 'other', 2), "other = 2\n\n['x.y']\n'k k' = 1\n")
  })

  it('takes values and tables away', () => {
    assert.equal(set(FILE, 'model', null), FILE.replace('model = "a" # trailing\n', ''))
    assert.equal(set('a = 1\n\n[t]\nx = 1\n\n[t.u]\ny = 1\n\n[v]\n', 't', null), 'a = 1\n\n[v]\n')
    assert.equal(set(FILE, 'nothing.there', null), FILE)
  })

  it('replaces a table key by key, or merges into it', () => {
    const file = '[t]\nx = 1 # x\ny = 2\n\n[t.u]\nz = 3\n'
    assert.equal(set(file, 't', { x: 1, n: 4 }), '[t]\nx = 1 # x\nn = 4\n')
    assert.equal(set(file, 't', { y: 5 }, true), '[t]\nx = 1 # x\ny = 5\n\n[t.u]\nz = 3\n')
  })

  it('refuses a way through what is no table', () => {
    for (const path of ['model.sub', 'list.name', 'mcp.one.args.x']) {
      assert.throws(() => set(FILE, path, 1), TomlEditError)
    }
  })

  it('says what it should for whatever there is', () => {
    const key = fc.constantFrom('a', 'b', 'c c', 'd.e', '"', 'é')
    const leaf = fc.oneof(
      fc.boolean(),
      fc.integer(),
      fc.string(),
      fc.array(fc.integer(), { maxLength: 3 }),
    )
    const table = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, leaf, tie('table')),
      table: fc.dictionary(key, tie('value'), { maxKeys: 3 }),
    })).table as fc.Arbitrary<JsonObject>
    const edit = fc.record({
      path: fc.array(key, { minLength: 1, maxLength: 3 }),
      value: fc.oneof(leaf, table, fc.constant(null)) as fc.Arbitrary<Json>,
      isMerged: fc.boolean(),
    })
    fc.assert(
      fc.property(table, edit, (before, change) => {
        let wanted: JsonObject
        try {
          wanted = editTable(before, change)
        } catch (error) {
          assert.ok(error instanceof TomlEditError)
          return
        }
        const edited = editToml(stringify(before), change)
        assert.deepEqual(pruned(parse(edited)), pruned(wanted))
      }),
      { numRuns: 500 },
    )
  })
})

/** Tables with nothing in them count as not there. */
function pruned(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value).map(([key, each]) => [key, pruned(each)] as const)
  const isEmpty = (each: unknown) => JSON.stringify(each) === '{}'
  return Object.fromEntries(entries.filter(([, each]) => !isEmpty(each)))
}
