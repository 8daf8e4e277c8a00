import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { callableNames } from './tool-names.ts'

const raw = (server: string, ...tools: string[]) => tools.map((tool) => ({ server, tool }))

describe('callable names', () => {
  it('are the raw ones where those may be used', () => {
    assert.deepEqual(callableNames(raw('fake', 'echo', 'get_all')), [
      { namespace: 'mcp__fake__', name: 'echo' },
      { namespace: 'mcp__fake__', name: 'get_all' },
    ])
  })

  it('have no other characters than letters, digits and underscores', () => {
    assert.deepEqual(callableNames(raw('my-srv', 'read file.now', 'é')), [
      { namespace: 'mcp__my_srv__', name: 'read_file_now' },
      { namespace: 'mcp__my_srv__', name: '_' },
    ])
  })

  it('get the hash of real Codex where two come out the same', () => {
    assert.deepEqual(
      callableNames(raw('fake', 'a.b c', 'other', 'a_b_c')).map(({ name }) => name),
      ['a_b_c_79c26bc61566', 'other', 'a_b_c_fd94242c81de'],
    )
    const [first] = callableNames(raw('my-srv', 'a.b c', 'a_b_c'))
    assert.equal(first?.name, 'a_b_c_049459ee92ed')
  })

  it('are cut to 64 characters with the hash of real Codex', () => {
    const long = `l${'o'.repeat(80)}ng`
    assert.deepEqual(callableNames(raw('fake', long)), [
      { namespace: 'mcp__fake__', name: `l${'o'.repeat(39)}_3f753a3e2a70` },
    ])
    assert.deepEqual(callableNames(raw('s'.repeat(70), 'echo')), [
      { namespace: `mcp__${'s'.repeat(46)}`, name: '_655cd816178f' },
    ])
  })

  it('keep servers apart whose names come out the same', () => {
    const names = callableNames([...raw('my-srv', 'echo'), ...raw('my_srv', 'echo')])
    assert.equal(new Set(names.map(({ namespace }) => namespace)).size, 2)
    for (const { namespace } of names) assert.match(namespace, /^mcp__my_srv_[0-9a-f]{12}__$/)
  })

  it('keep tools apart whose long names begin alike', () => {
    const long = 'x'.repeat(100)
    const names = callableNames(raw('fake', `${long}1`, `${long}2`)).map(({ name }) => name)
    assert.equal(new Set(names).size, 2)
  })
})
