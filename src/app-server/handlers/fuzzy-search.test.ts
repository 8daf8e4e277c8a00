import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { AppServerKit } from '../../../test/support/app-server-kit.ts'
import { isObject, type Json } from '../../base/index.ts'

const pathsOf = (files: Json | undefined): unknown[] =>
  Array.isArray(files) ? files.filter(isObject).map(({ path }) => path) : []

describe('fuzzyFileSearch', () => {
  it('answers each query of a session, and tells when that is all', async () => {
    await using kit = await AppServerKit.open()
    const { client, project } = kit
    await mkdir(join(project, 'src'))
    for (const name of ['src/alpha.ts', 'src/beta.ts', 'notes.md']) {
      await writeFile(join(project, name), '')
    }
    await client.request('fuzzyFileSearch/sessionStart', { sessionId: 's', roots: [project] })
    await client.request('fuzzyFileSearch/sessionUpdate', { sessionId: 's', query: 'alp' })
    const { params } = await client.waitFor('fuzzyFileSearch/sessionUpdated')
    assert.deepEqual(params, {
      sessionId: 's',
      query: 'alp',
      files: [
        {
          root: project,
          path: 'src/alpha.ts',
          match_type: 'file',
          file_name: 'alpha.ts',
          score: 84,
          indices: [4, 5, 6],
        },
      ],
    })
    const done = await client.waitFor('fuzzyFileSearch/sessionCompleted')
    assert.deepEqual(done.params, { sessionId: 's' })
    await client.request('fuzzyFileSearch/sessionUpdate', { sessionId: 's', query: 'src' })
    const next = await client.waitFor('fuzzyFileSearch/sessionUpdated', (told) => {
      return told.query === 'src'
    })
    assert.deepEqual(pathsOf(next.params.files), ['src', 'src/alpha.ts', 'src/beta.ts'])
    await client.request('fuzzyFileSearch/sessionStop', { sessionId: 's' })
    const gone = { sessionId: 's', query: 'x' }
    assert.deepEqual(await client.refused('fuzzyFileSearch/sessionUpdate', gone), {
      code: -32600,
      message: 'fuzzy file search session not found: s',
    })
  })

  it('gives a search up when another one comes with its token', async () => {
    await using kit = await AppServerKit.open()
    const { client, project } = kit
    await writeFile(join(project, 'a.txt'), '')
    const search = { query: 'a', roots: [project], cancellationToken: 't' }
    const [first, second] = await Promise.all([
      client.request('fuzzyFileSearch', search),
      client.request('fuzzyFileSearch', search),
    ])
    assert.deepEqual(first, { files: [] })
    assert.deepEqual(pathsOf(second.files), ['a.txt'])
  })

  it('looks into folders that no git knows', async () => {
    await using kit = await AppServerKit.open()
    const { client, home } = kit
    const { files } = await client.request('fuzzyFileSearch', { query: 'conf', roots: [home] })
    assert.deepEqual(pathsOf(files), ['config.toml'])
  })
})
